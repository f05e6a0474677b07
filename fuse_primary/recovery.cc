#include "fuse_primary/recovery.h"

#include <fmt/format.h>

#include "common/journal/frame.h"
#include "common/net/requester.h"
#include "common/record/codec.h"

namespace hawser {

namespace {

constexpr std::uint64_t kBatchBytes = 4 * kMiB;

class Recoverer {
 public:
  Recoverer(NetContext& context, const std::string& endpoint, NodeName node, Volume& volume, const Progress& from,
            bool redo, const std::atomic<bool>* cancel)
      : requester_(context, endpoint),
        node_(std::move(node)),
        volume_(volume),
        redo_(redo),
        cancel_(cancel),
        result_{from, from, 0} {}

  Result<PrimaryRecovery> Run(const Progress& head) {
    while (result_.to.position.group < head.position.group) HAWSER_TRY(FetchAndApply(head));
    return result_;
  }

 private:
  Status FetchAndApply(const Progress& head) {
    const Buffer pull = Encode(Pull{node_, result_.to.position, kBatchBytes});
    HAWSER_ASSIGN(const Incoming reply, requester_.Request(MessageType::kPull, {pull}, std::nullopt, cancel_));
    if (reply.type() != MessageType::kFrames || reply.parts() < 1)
      return Error{EPROTO, "the relay didn't answer a request for frames by frames"};
    HAWSER_ASSIGN(const PullReply answer, Decode<PullReply>(reply.part(0)));
    HAWSER_TRY(Check(answer));
    Bytes frames = reply.parts() > 1 ? reply.part(1) : Bytes();
    if (frames.empty()) {
      return Error{EPROTO, fmt::format("the relay ends at {} although it welcomed this node at {}",
                                       result_.to.position.Text(), head.position.Text())};
    }
    while (!frames.empty()) {
      HAWSER_ASSIGN(const Frame frame, ParseFrame(frames));
      HAWSER_TRY(CheckFollows(result_.to, frame.header));
      HAWSER_TRY(Apply(frame));
      result_.to = frame.header.progress();
      frames = frames.subspan(frame.header.frame_bytes());
    }
    return {};
  }

  Status Check(const PullReply& answer) const {
    const std::string& volume = volume_.name().value;
    switch (answer.answer) {
      case PullReply::Answer::kFrames: return {};
      case PullReply::Answer::kGone:
        return Error{ENODATA, fmt::format("volume {}: the relay no longer has the journal after {}, where this store "
                                          "stands; this node can't be primary of it without a sync",
                                          volume, result_.to.position.Text())};
      case PullReply::Answer::kDiverged:
        return Error{ESTALE, fmt::format("volume {}: this store stands at {} of another journal than the relay's", volume,
                                         result_.to.position.Text())};
      case PullReply::Answer::kFailed: return Error{EIO, "the relay can't read its journal: " + answer.text};
    }
    return Error{EPROTO, "unknown answer"};
  }

  Status Apply(const Frame& frame) {
    for (const Entry& entry : frame.entries) {
      HAWSER_ASSIGN(const Record record, DecodeRecord(entry.header, entry.payload));
      if (record.volume != volume_.name()) continue;
      HAWSER_TRY(volume_.store().Apply(record, entry.payload, ApplyTo{.redo = redo_}));
      ++result_.records;
    }
    return {};
  }

  Requester requester_;
  const NodeName node_;
  Volume& volume_;
  const bool redo_;
  const std::atomic<bool>* cancel_;
  PrimaryRecovery result_;
};

}  // namespace

Result<PrimaryRecovery> RecoverPrimary(NetContext& context, const std::string& control_endpoint, const NodeName& node,
                                       Volume& volume, const Progress& from, const Progress& to, bool redo,
                                       const std::atomic<bool>* cancel) {
  return Recoverer(context, control_endpoint, node, volume, from, redo, cancel).Run(to);
}

}  // namespace hawser
