#include "fuse_primary/recovery.h"

#include <fmt/format.h>

#include <functional>

#include "common/base/crash_point.h"
#include "common/journal/frame.h"
#include "common/net/requester.h"
#include "common/record/codec.h"
#include "volume/store/redo.h"

namespace hawser {

namespace {

constexpr std::uint64_t kBatchBytes = 4 * kMiB;

// Goes through the relay's frames from a position to the head, in bounded batches.
class JournalWalk {
 public:
  JournalWalk(NetContext& context, const std::string& endpoint, NodeName node, const VolumeName& volume,
              const std::atomic<bool>* cancel)
      : requester_(context, endpoint), node_(std::move(node)), volume_(volume), cancel_(cancel) {}

  using Visit = std::function<Status(const Record&, Bytes payload)>;

  // Calls `visit` for each of the volume's records that change it. Returns their number.
  Result<std::uint64_t> Run(const Progress& from, const Progress& head, const Visit& visit) {
    at_ = from;
    records_ = 0;
    while (at_.position.group < head.position.group) HAWSER_TRY(Step(head, visit));
    return records_;
  }

 private:
  Status Step(const Progress& head, const Visit& visit) {
    const Buffer pull = Encode(Pull{node_, at_.position, kBatchBytes});
    HAWSER_ASSIGN(const Incoming reply,
                  requester_.Request(MessageType::kPull, {pull}, std::nullopt, cancel_));
    if (reply.type() != MessageType::kFrames || reply.parts() < 1)
      return Error{EPROTO, "the relay didn't answer a request for frames by frames"};
    HAWSER_ASSIGN(const PullReply answer, Decode<PullReply>(reply.part(0)));
    HAWSER_TRY(Check(answer));
    Bytes frames = reply.parts() > 1 ? reply.part(1) : Bytes();
    if (frames.empty()) {
      return Error{EPROTO, fmt::format("the relay ends at {} although it welcomed this node at {}",
                                       at_.position.Text(), head.position.Text())};
    }
    while (!frames.empty() && at_.position.group < head.position.group) {
      HAWSER_ASSIGN(const Frame frame, ParseFrame(frames));
      HAWSER_TRY(CheckFollows(at_, frame.header));
      for (const Entry& entry : frame.entries) {
        HAWSER_ASSIGN(const Record record, DecodeRecord(entry.header, entry.payload));
        const bool control = std::holds_alternative<Promote>(record.body) ||
                             std::holds_alternative<NodeSession>(record.body) ||
                             std::holds_alternative<Mark>(record.body);
        if (record.volume != volume_ || control) continue;
        HAWSER_TRY(visit(record, entry.payload));
        ++records_;
      }
      at_ = frame.header.progress();
      frames = frames.subspan(frame.header.frame_bytes());
    }
    return {};
  }

  Status Check(const PullReply& answer) const {
    const std::string& volume = volume_.value;
    switch (answer.answer) {
      case PullReply::Answer::kFrames:
        return {};
      case PullReply::Answer::kGone:
        return Error{ENODATA,
                     fmt::format("volume {}: the relay no longer has the journal after {}, where this store "
                                 "stands; this node can't be primary of it without a sync",
                                 volume, at_.position.Text())};
      case PullReply::Answer::kDiverged:
        return Error{ESTALE,
                     fmt::format("volume {}: this store stands at {} of another journal than the relay's",
                                 volume, at_.position.Text())};
      case PullReply::Answer::kFailed:
        return Error{EIO, "the relay can't read its journal: " + answer.text};
    }
    return Error{EPROTO, "unknown answer"};
  }

  Requester requester_;
  const NodeName node_;
  const VolumeName volume_;
  const std::atomic<bool>* cancel_;
  Progress at_;
  std::uint64_t records_ = 0;
};

// A store may only go on in the journal that it comes from, and not behind itself.
Status CheckSameJournal(const VolumeName& volume, const Position& store, const Position& head) {
  if (store.group == Group(0)) return {};
  if (store.journal != head.journal) {
    return Error{
        ESTALE,
        fmt::format("volume {}: this store follows journal {}, but the relay has journal {}: restore the "
                    "relay's journal folder, or begin with an empty store",
                    volume.value, store.journal.Hex(), head.journal.Hex())};
  }
  if (store.group > head.group || (store.group == head.group && store.digest != head.digest)) {
    return Error{
        ESTALE,
        fmt::format("volume {}: this store stands at {}, but the relay's journal ends at {}: it has lost "
                    "records that it had acknowledged; restore its journal folder",
                    volume.value, store.Text(), head.Text())};
  }
  return {};
}

}  // namespace

Result<PrimaryRecovery> RecoverPrimary(NetContext& context, const std::string& control_endpoint,
                                       const NodeName& node, Volume& volume, const Progress& from,
                                       const Progress& to, bool redo, const std::atomic<bool>* cancel) {
  HAWSER_TRY(CheckSameJournal(volume.name(), from.position, to.position));
  JournalWalk walk(context, control_endpoint, node, volume.name(), cancel);
  PrimaryRecovery done{from, to, 0};
  Store& store = volume.store();
  if (!redo) {
    HAWSER_ASSIGN(done.records, walk.Run(from, to, [&](const Record& record, Bytes payload) {
      return store.Apply(record, payload);
    }));
    return done;
  }
  Redo redoing(store);
  HAWSER_ASSIGN(done.records, walk.Run(from, to, [&](const Record& record, Bytes) -> Status {
    redoing.Expect(record);
    return {};
  }));
  HAWSER_ASSIGN(done.records, walk.Run(from, to, [&](const Record& record, Bytes payload) {
    CrashPoint("primary.redoing");
    return redoing.Apply(record, payload);
  }));
  HAWSER_TRY(redoing.Finish());
  return done;
}

}  // namespace hawser
