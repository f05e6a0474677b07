// Holds the invariants of DESIGN section 1 against what really happens. It is told of every event that
// matters, keeps what must be true (the journal as it is on the relay's disk, each volume's tree after each
// group, each call), and fails the world at the first thing that is not so. It decides nothing and changes
// nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/journal/frame.h"
#include "common/net/messages.h"
#include "common/record/record.h"
#include "tests/sim/tree.h"
#include "tests/sim/world.h"
#include "volume/recovery/differences.h"

namespace hawser::sim {

inline constexpr const char* kI1 = "I1 Acknowledged means journaled";
inline constexpr const char* kI2 = "I2 One order";
inline constexpr const char* kI3 = "I3 A write group is independent";
inline constexpr const char* kI4 = "I4 Whole groups only";
inline constexpr const char* kI5 = "I5 Exactly once";
inline constexpr const char* kI6 = "I6 Fenced";
inline constexpr const char* kI7 = "I7 No silent divergence";

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}

  // ---- calls
  // An application makes a call. Returns its number.
  std::uint64_t Made(const VolumeName& volume, const NodeName& node, Generation generation);
  // The call was answered with success; `ack` is where its record is said to be.
  void Acknowledged(std::uint64_t call, const Ack& ack);
  // The relay said that it doesn't take the call's record, and the application was told so.
  void Refused(std::uint64_t call, const Refusal& why);

  // There is a cut between their records: `after` depends on `before`.
  void Divided(std::uint64_t before, std::uint64_t after);

  // ---- the relay's journal
  void Appended(const Frame& frame);
  // It was not: there is no room, and the group is nowhere.
  void Abandoned(Group group);
  void Durable(const Progress& durable);
  // The relay sends an answer to this call.
  void Answers(std::uint64_t call, const Ack& ack);
  // A restarted relay goes on after this.
  void Recovered(const Progress& end, const Progress& oldest);
  // Everything that comes after `oldest` can still be had. `needed`: the lowest durable checkpoint of all
  // replicas.
  void Dropped(const Progress& oldest, Group needed);
  // With no room left the relay would give up this replica, so that everything through `through` can go.
  // `may`: it was heard of, or is a secondary that had its time to report. `others`: how far the volume's
  // other replicas are on their disks.
  void WouldGiveUp(const std::string& replica, bool may, const std::vector<Group>& others, Group through);
  // The relay hands out this frame.
  void Published(const Position& position);

  // ---- replicas
  void Received(const NodeName& node, const Progress& durable);
  // A reader sees this tree where the replica says that it stands after `group`.
  void Shows(const NodeName& node, const VolumeName& volume, const Tree& tree, const Position& position,
             const Differences& named = {});
  // A primary says that all it has been asked is in its store, and nothing else.
  void ShowsHead(const NodeName& node, const VolumeName& volume, const Tree& tree,
                 const Differences& named = {});
  // A replica says that its store isn't what it should be.
  void Diverged(const NodeName& node, const VolumeName& volume, const std::string& why);
  void Stands(const NodeName& node, const VolumeName& volume, Group checkpoint, Group applied,
              Group received);

  // ---- the end
  void Finish();
  Progress head() const { return groups_.empty() ? Progress{} : groups_.back().after; }
  Progress durable() const { return durable_; }
  std::uint64_t lost() const { return lost_; }

  // The tree of a volume after a group; nullptr: not known.
  const Tree* TreeAfter(const VolumeName& volume, Group group) const;

 private:
  struct Entry {
    std::uint64_t call = 0;
    VolumeName volume;
    std::set<std::string> touches;  // files and names
  };
  struct GroupInfo {
    Progress after;
    std::vector<Entry> entries;
    std::map<VolumeName, std::shared_ptr<const Tree>> trees;  // after it
    std::map<VolumeName, std::pair<NodeName, Generation>> primaries;
  };
  struct Call {
    VolumeName volume;
    NodeName node;
    Generation generation;
    Group after;                    // the newest group of a call that had returned when this one was made
    std::optional<Sequence> place;  // in the journal
    Group group;
    std::uint64_t divided_from = 0;  // a call that its record depends on; 0: none
    bool acknowledged = false;
    bool refused = false;
    bool had_no_room = false;  // a relay has refused it for that, though nobody may have heard so
  };

  const GroupInfo* Find(Group group) const;
  void CheckRecord(const GroupInfo& before, const Record& record, GroupInfo& now);
  void CheckFileId(const Record& record, std::uint64_t call);
  void CheckPlace(std::uint64_t call, Sequence sequence, const GroupInfo& group);
  void CheckIndependent(const GroupInfo& group);
  void Forget(Group after);

  World& world_;
  std::vector<GroupInfo> groups_;  // 1, 2, 3, ...
  Progress durable_;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t next_call_ = 1;
  std::map<std::pair<VolumeName, FileId>, std::uint64_t> creators_;  // of a file: the call
  Group returned_;  // the newest group of all calls that have returned
  std::uint64_t lost_ = 0;
};

}  // namespace hawser::sim
