#include "fuse_primary/relay_source.h"

#include "common/net/limits.h"
#include "common/net/messages.h"

namespace hawser {

namespace {

Status CheckAnswer(const PullReply& reply, const Position& after) {
  switch (reply.answer) {
    case PullReply::Answer::kFrames:
      return {};
    case PullReply::Answer::kGone:
      return Error{ENODATA, "the relay no longer has the journal after " + after.Text() +
                                ", where this store stands; it needs a sync"};
    case PullReply::Answer::kDiverged:
      return Error{ESTALE, "this store stands at " + after.Text() + " of another history than the relay's"};
    case PullReply::Answer::kFailed:
      return Error{EIO, "the relay can't read its journal: " + reply.text};
  }
  return Error{EPROTO, "unknown answer"};
}

}  // namespace

Pull PullFor(const Sender& from, const Recovery::Want& want, std::uint64_t max_bytes) {
  return {.from = from, .after = want.after.position, .max_bytes = max_bytes};
}

Result<ReplayBatch> BatchFrom(const Incoming& answer, const Recovery::Want& want,
                              const std::vector<VolumeName>& volumes) {
  if (answer.type() == MessageType::kRefusal && answer.parts() >= 1) {
    HAWSER_ASSIGN(const Refusal refusal, Decode<Refusal>(answer.part(0)));
    return Error{EIO, refusal.text};  // whatever it is, it says nothing of where the store stands
  }
  if (answer.type() != MessageType::kFrames || answer.parts() < 1)
    return Error{EPROTO, "the relay didn't answer a request for frames by frames"};
  HAWSER_ASSIGN(const PullReply reply, Decode<PullReply>(answer.part(0)));
  HAWSER_TRY(CheckAnswer(reply, want.after.position));
  return ReceiveBatch(answer.parts() > 1 ? answer.part(1) : Bytes(), want.after, want.last, volumes);
}

Result<ReplayBatch> RelaySource::Next(const Recovery::Want& want) {
  const Buffer pull = Encode(PullFor(from_, want, kMaxPullBytes));
  HAWSER_ASSIGN(const Incoming answer, requester_.Request(MessageType::kPull, {pull}, std::nullopt, cancel_));
  return BatchFrom(answer, want, volumes_);
}

}  // namespace hawser
