// What nodes, relay and command line say to each other. docs/WIRE_PROTOCOL.md.
//
// Every message begins with an envelope part: 'H' 'W', version, type (4 bytes). A msgpack part follows, and
// for some types raw parts. Submitted records travel as
// [envelope][Batch][header][payload][header][payload]..., their bytes exactly as journaled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/net/replica_state.h"
#include "common/record/position.h"

namespace hawser {

inline constexpr std::uint8_t kWireVersion = 8;

enum class MessageType : std::uint8_t {
  // write port: REQ -> ROUTER
  kHello = 1,   // Hello; answered by kWelcome or kRefusal
  kSubmit = 2,  // [Batch], then a header and a payload a record; answered by kAnswers
  kWelcome = 3,
  kAnswers = 4,
  kRefusal = 5,  // also the answer to whatever can't be read: nothing of it was taken
  // control port: REQ -> ROUTER
  kReport = 16,  // Report; answered by kOverview
  kOverview = 17,
  kPull = 18,  // Pull; answered by kFrames: [PullReply][whole frames, concatenated]
  kFrames = 19,
  kStatus = 20,  // no body; answered by kStatusText: [JSON text of DESIGN section 10]
  kStatusText = 21,
  kOrder = 22,  // Order; answered by kOrderState or kRefusal
  kOrderState = 23,
  kPromote = 24,  // PromotionOrder; answered by kPromotion or kRefusal
  kPromotion = 25,
  // stream port: PUB -> SUB. The first part is the envelope here too; subscribe to everything.
  kFrame = 32,  // [front][header][payload]...: one frame (common/journal/frame.h)
  kHead = 33,   // Head: every 250 ms at least, and instead of a frame that is too large to publish
};

// A process wants to serve a node. What it says of itself is compared before anything follows from it
// (DESIGN section 5b); then a session begins, and from there on nothing of an older one is accepted.
struct Hello {
  std::string group;
  NodeName node;
  std::uint64_t incarnation = 0;  // random, made with the node's state folder
  std::uint64_t start = 0;        // random, made by the process: the same hello again is no new session
  std::string where;              // host, process and state folder, for people
  std::uint64_t config = 0;       // AgreementOf (common/config/agreement.h)
  Position known;                 // the newest that the node was told is durable
  bool take_over = false;         // ends the session of a process that is alive
};

// Who reports or pulls.
struct Sender {
  std::string group;
  NodeName node;
  std::uint64_t session = 0;  // 0: none has begun yet
  Position known = {};        // as in Hello
};

struct VolumeFact {
  VolumeName volume;
  NodeName primary;
  Generation generation;
  // The newest record before it became primary: whoever has applied that lacks nothing of its predecessors'.
  Sequence since = {};
  friend bool operator==(const VolumeFact&, const VolumeFact&) = default;
};

struct Welcome {
  std::uint64_t run = 0;      // random, of the relay's process
  std::uint64_t session = 0;  // its number: larger than that of any session before, of whatever node
  std::string replaces;       // the process of another state folder whose session this ends; empty: none
  Progress head;    // every record of the node's earlier sessions that was ever accepted is at or before this
  Progress oldest;  // the position before the oldest frame that the relay still has
  std::vector<VolumeFact> volumes;
};

// What goes before the records of a submitted batch. The records are one session's, in the order of their
// numbers, which have no gaps; limits.h says how many and how large.
struct Batch {
  // Places of records, ascending: before each of them lies a cut. There the relay begins another write group,
  // because the record depends on one before it.
  std::vector<std::uint32_t> cuts;
  // The session's newest number that the sender has the answer to. What lies between it and this batch is
  // under way ahead of the batch; a relay that has missed some of that refuses the batch (kAhead).
  std::uint64_t answered = 0;
  // The newest position that the sender was told is durable: a relay that doesn't hold it refuses the batch
  // (kWentBack).
  Position known{};
  // The newest run of the relay that the sender has heard of. Another run refuses the batch (kOtherRun): it
  // may be older than what the sender was told meanwhile.
  std::uint64_t run = 0;
};

struct Ack {
  Sequence sequence;      // the record's
  Progress group;         // the write group it is in
  bool repeated = false;  // the relay had this number already
};

enum class RefusalCode : std::uint8_t {
  kBadMessage = 1,  // could not be decoded; text says where
  kWrongVersion = 2,
  kTooLarge = 3,
  kUnknownNode = 4,  // not in the relay's config
  kUnknownVolume = 5,
  kNotPrimary = 6,      // the node isn't the volume's primary
  kFenced = 7,          // older generation
  kOldSession = 8,      // a newer session of the node has said hello
  kOutOfTurn = 9,       // the number is older than others that were answered
  kJournalFailed = 10,  // the relay's journal is poisoned: restart the relay once the disk is repaired
  kJournalFull = 11,
  kUnknownSession = 12,  // has not said hello to this relay, as far as its journal says
  kAhead = 13,           // numbers before it have not arrived: nothing is settled, send all of it again
  kWentBack = 14,        // the relay's journal doesn't hold what the node was told is durable
  kOtherGroup = 15,      // this relay serves another consistency group
  kNodeAlive = 16,       // another process serves the node
  kOtherRun = 17,        // the relay was started anew: nothing is settled, send it again once it was heard of
};

struct Refusal {
  RefusalCode code = RefusalCode::kBadMessage;
  std::string text;  // one sentence for a person: what, where, what to do
};
int ToErrno(RefusalCode code);

// What the relay says to a record: where it is, or why it isn't taken.
using Answer = std::variant<Ack, Refusal>;

// One for each record of a batch, in order.
struct Answers {
  std::vector<Answer> answers;
};

// How a replica of one volume is doing.
struct VolumeReport {
  VolumeName volume;
  ReplicaRole role = ReplicaRole::kSecondary;  // primary or secondary
  ReplicaState state = ReplicaState::kUnknown;
  Progress applied;
  Progress checkpoint;
  std::string problem;  // empty, or one sentence
  // Paths at which the copy isn't what the journal says, as far as it is known: how many, and the first of
  // them, a line each.
  std::uint64_t differences = 0;
  std::vector<std::string> differing = {};
  // Of a primary: calls since its start that failed or were interrupted before it was known what becomes of
  // them. Their changes may have taken place later.
  std::uint64_t unanswered = 0;
  // Of a primary: in which generation.
  Generation generation = {};
  // Of a primary: it holds back changes for this attempt at a promotion, and none is under way; 0: not so.
  std::uint64_t held_for = 0;
};

// What people ask of a node, by way of the relay.
enum class OrderKind : std::uint8_t {
  kPause = 1,  // replay stops at a group boundary, receiving goes on: until it is resumed, whatever happens
  kResume,
};

// An order is under way as long as somebody asks how it stands, every so often (OrderBook in relay/orders.h).
// Asked again under the same id it is the same order.
struct Order {
  std::string group;
  NodeName node;
  std::uint64_t id = 0;  // random
  OrderKind kind = OrderKind::kPause;
};

// As its node is told of it.
struct NodeOrder {
  std::uint64_t id = 0;
  OrderKind kind = OrderKind::kPause;
  friend bool operator==(const NodeOrder&, const NodeOrder&) = default;
};

// An order that is settled, as its node has it.
struct OrderResult {
  std::uint64_t id = 0;
  std::string problem;  // why it could not be done; empty: it is done
  Progress at;          // how far the node's copies had been applied
  friend bool operator==(const OrderResult&, const OrderResult&) = default;
};

struct OrderState {
  bool settled = false;
  OrderResult result;  // once it is
};

// Somebody wants `node` to become primary. It is under way until it is settled, whether anybody asks or not,
// and at most so long; asked again under the same id it is the same attempt (relay/promotions.h).
struct PromotionOrder {
  std::string group;
  std::uint64_t id = 0;  // random
  NodeName node;
  std::vector<VolumeName> volumes;  // empty: see Promotions
  std::uint64_t timeout_ms = 0;     // for the present primary to stop, and for `node` to catch up
};

// A volume of an attempt.
struct PromotedVolume {
  VolumeName volume;
  std::string from;       // the primary before; empty: none
  Generation generation;  // the new one; 0: not yet, the former primary still is
  bool planned = false;
  Sequence acknowledged;  // the newest record before
  Sequence applied;       // how far `node` had applied the volume when it was heard of last
  bool serves = false;    // `node` takes changes
};

struct Promotion {
  bool settled = false;
  std::string problem;   // once it is settled: why not, or not all; empty: done
  std::string progress;  // until then: what is waited for, for people; afterwards: a note, or empty
  std::vector<PromotedVolume> volumes;
};

// A primary is to hold back changes of the volume, for this attempt.
struct Hold {
  VolumeName volume;
  std::uint64_t attempt = 0;
  friend bool operator==(const Hold&, const Hold&) = default;
};

struct Report {
  Sender from;
  std::uint64_t config = 0;  // as in Hello
  Progress received;
  std::vector<VolumeReport> volumes;
  std::vector<OrderResult> orders = {};  // of those that the last overview told of
};

struct Overview {
  std::uint64_t run = 0;  // as in Welcome
  Progress head;
  Progress oldest;
  std::vector<VolumeFact> volumes;
  std::vector<NodeOrder> orders = {};  // all that are under way for the node
  std::vector<Hold> holds = {};        // all that are; one that isn't any more is over
  bool hurry = false;                  // somebody waits for what the next report says: it is due at once
};

struct Pull {
  Sender from;
  Position after;
  std::uint64_t max_bytes = 0;
};

struct PullReply {
  enum class Answer : std::uint8_t {
    kFrames = 1,    // frames follow, or nothing if `after` is the head
    kGone = 2,      // `after` has been dropped: the replica needs a sync
    kDiverged = 3,  // the relay's journal doesn't hold `after` with that digest
    kFailed = 4,    // the relay can't read its journal; text says where
  };
  Answer answer = Answer::kFrames;
  std::string text;
  Progress head;
};

struct Head {
  Progress head;
};

// Encode gives the msgpack part. Decode: EINVAL naming the field, for anything but exactly that message.
Buffer Encode(const Hello&);
Buffer Encode(const Welcome&);
Buffer Encode(const Batch&);
Buffer Encode(const Answers&);
Buffer Encode(const Refusal&);
Buffer Encode(const Report&);
Buffer Encode(const Overview&);
Buffer Encode(const Pull&);
Buffer Encode(const PullReply&);
Buffer Encode(const Head&);
Buffer Encode(const Order&);
Buffer Encode(const OrderState&);
Buffer Encode(const PromotionOrder&);
Buffer Encode(const Promotion&);
template <class Message>
Result<Message> Decode(Bytes bytes);
template <>
Result<Answers> Decode<Answers>(Bytes bytes);

// The 4 bytes of an envelope, and back: EINVAL for garbage, EPROTONOSUPPORT (naming both versions) for
// another version.
Buffer EncodeEnvelope(MessageType type);
Result<MessageType> DecodeEnvelope(Bytes bytes);

}  // namespace hawser
