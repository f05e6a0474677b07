// The relay's decisions about records: accept, refuse, recognise a repetition, number, cut into write groups.
// Pure: no sockets, files, clocks or threads; the writer (writer.h) executes what is decided here, the
// simulation drives it. DESIGN sections 2, 2a and 5.
//
// What is accepted waits in a *formation*: the write groups that are being formed, one behind the other.
// Commit() ends it, after the frames of all its groups are durable. There is one group as long as no batch
// has cuts. The records of all nodes share the groups: whatever is in a formation was outstanding at once,
// and what must not be in one group with an earlier record of its own batch has a cut before it (I3). A call
// that returned had its record in an earlier formation, whose groups all come before this one's (I2).
//
// Exactly once (I5): a session's numbers only go up, in the journal too: a node's record never enters a group
// before that of an earlier number, though several batches are under way at once: one that comes before what
// lies ahead of it is refused until that has come (kAhead). So the newest number is enough to know what is
// new, also when a crash kept only the first groups of a batch; and the answers to the newest
// kMaxBatchRecords numbers, of which no more are under way, are kept. A session that said hello ends all
// earlier ones of its node. A refusal is for good, so a refused number is used up: its sender has told its
// caller, and a copy of it may still be on its way when the record would be taken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include "common/net/messages.h"
#include "common/record/record.h"
#include "relay/handover.h"
#include "relay/sequencer_state.h"

namespace hawser {

// Who may take part: the config's nodes and volumes.
struct Membership {
  std::set<NodeName> nodes;
  std::set<VolumeName> volumes;
};

// In the formation, counting from 0.
struct Place {
  std::size_t group = 0;
  std::size_t index = 0;  // in the group
  friend bool operator==(const Place&, const Place&) = default;
};

// What became of a record that was offered.
struct Accepted {
  Place place;
};
struct AlreadyPending {  // it is in the formation: answer this requester too
  Place place;
};
struct Repeated {  // it is in an earlier group
  Ack ack;
};
using Ruling = std::variant<Accepted, AlreadyPending, Repeated, Refusal>;

// What became of a hello.
struct Begins {  // a session that is new: this record is in the formation
  Record record;
  Place place;
  std::string replaces;  // whose session it ends, if that was begun from another state folder
};
struct GoesOn {};  // the session that it has begun already
using Greeting = std::variant<Begins, GoesOn, Refusal>;

class Sequencer {
 public:
  explicit Sequencer(Membership members, SequencerState state = {});

  // A process wants to serve a node. A session begins, and gets its number; what older sessions have in the
  // formation stays, and nothing more of theirs is accepted. `alive`: there was a word of the present session
  // lately: then another state folder's process is refused, unless it takes over. The answer is due after the
  // formation: only then is the head after all that was accepted of older sessions, and the session in the
  // journal.
  Greeting Greet(const Hello& hello, bool alive);

  // A batch that a node sent: records of one session, their numbers one after the other. Gives a ruling on
  // each; the refusal of one concerns no other, but for kAhead: then what the sender had under way before the
  // batch has not come, and none of the batch is taken.
  std::vector<Ruling> Offer(std::span<const Record> records, const Batch& batch);

  // A record of the relay itself. It enters the last group.
  Place OfferOwn(Record record);

  // How many records each group of the formation has; none is empty.
  std::vector<std::size_t> pending() const;

  // The formation's groups are durable, and these are the states after each. Gives the answers by place.
  std::vector<std::vector<Ack>> Commit(std::span<const Progress> after);

  // The formation is nowhere, and will not be: its records are refused, now and when they are offered again.
  void Abandon();

  // Recovery: a group that the journal holds after the present head.
  void Replay(std::span<const Record> records, const Progress& after);

  // Promote records for volumes that have no primary yet, making `first` the primary in generation 1.
  std::vector<Record> MissingPrimaries(const std::map<VolumeName, NodeName>& first) const;

  // Promote records for the volumes of a handover. Not while a formation has records: they say which record
  // is the newest before them. ESTALE, and none: a volume is in another generation by now, or has no primary.
  Result<std::vector<Record>> Promotions(const Handover& handover) const;

  const SequencerState& state() const { return state_; }
  // The node's newest session; 0: none yet.
  std::uint64_t SessionOf(const NodeName& node) const;
  std::vector<VolumeFact> VolumeFacts() const;
  // How each volume's present primary came to be that.
  std::map<VolumeName, Promote> Made() const;

 private:
  // What is known of a node's present session beyond the journal. Gone at a restart, which is no loss: no
  // copy of a request outlives its connection to this process.
  struct Present {
    std::uint64_t session = 0;  // the newest that said hello
    std::uint64_t incarnation = 0;
    std::uint64_t start = 0;
    std::string where;            // Hello::where; empty: not known any more
    bool journaled = false;       // the session: or at least in the formation
    std::uint64_t newest = 0;     // number of it that had a ruling
    std::uint64_t abandoned = 0;  // number of it that was abandoned: the newest one
    std::map<std::uint64_t, Place> pending;
    std::optional<std::size_t> group;  // of the formation: where the node's last record is
  };

  Present& PresentOf(const NodeName& node);
  std::uint64_t NextSession() const;
  Ruling Judge(const Record& record, Present& present, std::uint64_t answered, bool cut);
  std::optional<Ruling> FindRepetition(const Origin& origin, const Present& present) const;
  std::optional<Refusal> CheckRecord(const Record& record) const;
  std::optional<Refusal> CheckRole(const Record& record) const;
  static std::optional<Refusal> CheckAhead(const Origin& origin, const Present& present,
                                           std::uint64_t answered);
  static std::optional<Refusal> CheckNumber(const Origin& origin, const Present& present);
  Place Add(Record record, std::size_t group);
  void EndFormation();

  const Membership members_;
  SequencerState state_;
  std::vector<std::vector<Record>> formation_;
  std::map<NodeName, Present> present_;
};

}  // namespace hawser
