// The relay's decisions about records: accept, refuse, recognise a repetition, number, cut into write groups.
// Pure: no sockets, files, clocks or threads; the writer (writer.h) executes what is decided here, the
// simulation drives it. DESIGN sections 2 and 5.
//
// Records that are accepted wait in the group that is being formed. Commit() ends the group, after its frame
// is durable. Exactly once (I5): a request is (node, session, lane, number); each lane's last number is kept
// with its answer, numbers only go up, and a session that said hello ends all earlier ones of its node. A
// refusal is for good: what was refused for want of room stays refused, for a copy of it may still be on its
// way when there is room again, and its sender has told its caller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <variant>
#include <vector>

#include "common/net/messages.h"
#include "common/record/record.h"

namespace hawser {

// The last record of a lane and what was answered.
struct LaneState {
  std::uint64_t number = 0;
  Ack ack;
};

struct SessionState {
  std::uint64_t session = 0;  // the newest that said hello
  std::map<std::uint32_t, LaneState> lanes;
};

struct VolumeState {
  NodeName primary;
  Generation generation;
};

// What a sequencer knows, apart from the group being formed.
struct SequencerState {
  Progress head;
  std::map<VolumeName, VolumeState> volumes;
  std::map<NodeName, SessionState> nodes;
};

// Who may take part: the config's nodes and volumes.
struct Membership {
  std::set<NodeName> nodes;
  std::set<VolumeName> volumes;
};

// What became of a record that was offered. `index` is a place in the group being formed, counting from 0.
struct Accepted {
  std::size_t index = 0;
};
struct AlreadyPending {  // the same request has been accepted into this group: answer this requester too
  std::size_t index = 0;
};
struct Repeated {  // the same request is in an earlier group
  Ack ack;
};
using Verdict = std::variant<Accepted, AlreadyPending, Repeated, Refusal>;

class Sequencer {
 public:
  explicit Sequencer(Membership members, SequencerState state = {});

  // A session of a node begins. What older sessions have in the group being formed stays; nothing more of
  // theirs is accepted. The answer is due after the group: only then is the head after all that was accepted
  // of theirs.
  std::optional<Refusal> Greet(const Hello& hello);

  // A record that a node sent.
  Verdict Offer(Record record);

  // A record of the relay itself: Promote or Mark.
  void OfferOwn(Record record);

  // Records in the group being formed.
  std::size_t pending() const { return pending_.size(); }

  // The group being formed is durable and `after` is the state after it. Gives the answer to each of its
  // records.
  std::vector<Ack> Commit(const Progress& after);

  // The group being formed is nowhere, and will not be: its records are refused, now and when they are
  // offered again.
  void Abandon();

  // Recovery: a group that the journal holds after the present head.
  void Replay(std::span<const Record> records, const Progress& after);

  // Promote records for volumes that have no primary yet, making `first` the primary in generation 1.
  std::vector<Record> MissingPrimaries(const std::map<VolumeName, NodeName>& first) const;

  const SequencerState& state() const { return state_; }
  std::vector<VolumeFact> VolumeFacts() const;

 private:
  using Lane = std::tuple<NodeName, std::uint64_t, std::uint32_t>;  // node, session, lane

  std::optional<Refusal> CheckSession(const Record& record) const;
  std::optional<Verdict> FindRepetition(const Origin& origin) const;
  std::optional<Refusal> CheckRole(const Record& record) const;
  void Enter(const Record& record, const Ack& ack);

  const Membership members_;
  SequencerState state_;
  std::vector<Record> pending_;
  std::map<Lane, std::size_t> pending_lanes_;  // the place of each lane's record in pending_
  // The newest number of a lane that was abandoned. In memory only: no copy outlives its connection to this
  // process.
  std::map<Lane, std::uint64_t> abandoned_;
};

}  // namespace hawser
