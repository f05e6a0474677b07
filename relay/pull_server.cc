#include "relay/pull_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/net/limits.h"
#include "relay/limits.h"

namespace hawser {

namespace {

PullReply::Answer AnswerFor(const Error& problem) {
  switch (problem.code) {
    case ENODATA:
      return PullReply::Answer::kGone;
    case ESTALE:
      return PullReply::Answer::kDiverged;
    default:
      return PullReply::Answer::kFailed;
  }
}

}  // namespace

PullServer::Answer PullServer::Serve(const Pull& pull, Deadline now) {
  const Progress head = journal_.durable();
  Answer answer{{PullReply::Answer::kFrames, {}, head}, {}};
  if (auto reply = CheckAfter(pull.after, head)) {
    answer.reply = *std::move(reply);
  } else if (auto frames = Read(pull, head, now)) {
    log::debug("node {} pulls after {}: {} bytes", pull.from.node.value, pull.after.Text(), frames->size());
    answer.frames = *std::move(frames);
  } else {
    answer.reply = {AnswerFor(frames.error()), frames.error().Text(), head};
  }
  if (answer.reply.answer != PullReply::Answer::kFrames)
    log::warn("node {} pulled after {}: {}", pull.from.node.value, pull.after.Text(), answer.reply.text);
  return answer;
}

// What can be said without reading. A reader takes group 0 as "from the oldest there is": that would skip
// what has been dropped.
std::optional<PullReply> PullServer::CheckAfter(const Position& after, const Progress& head) const {
  const Position oldest = journal_.oldest().position;
  if (after.group > head.position.group)
    return PullReply{PullReply::Answer::kDiverged,
                     fmt::format("the position asked for, {}, is after the relay's head, {}", after.Text(),
                                 head.position.Text()),
                     head};
  if (after.group.value == 0 && after.journal != JournalId{} && after.journal != head.position.journal)
    return PullReply{PullReply::Answer::kDiverged,
                     fmt::format("the position asked for is in journal {}, the relay's is {}",
                                 after.journal.Hex(), head.position.journal.Hex()),
                     head};
  if (after.group < oldest.group)
    return PullReply{PullReply::Answer::kGone,
                     fmt::format("the position asked for, {}, has been dropped; the oldest is {}",
                                 after.Text(), oldest.Text()),
                     head};
  return std::nullopt;
}

Result<Buffer> PullServer::Read(const Pull& pull, const Progress& head, Deadline now) {
  auto cached = readers_.find(pull.from.node);
  if (cached == readers_.end() || cached->second.reader->at().position != pull.after) {
    HAWSER_ASSIGN(auto reader, journal_.OpenReader(pull.after));
    cached = readers_.insert_or_assign(pull.from.node, Cached{std::move(reader), {}}).first;
  }
  cached->second.used = now;
  const std::uint64_t wanted = pull.max_bytes == 0 ? kMaxPullBytes : std::min(pull.max_bytes, kMaxPullBytes);
  auto frames = cached->second.reader->NextBytes(head.position.group, wanted);
  if (!frames) readers_.erase(cached);
  return frames;
}

void PullServer::CloseDroppedReaders() {
  const Group oldest = journal_.oldest().position.group;
  std::erase_if(readers_,
                [oldest](const auto& entry) { return entry.second.reader->at().position.group <= oldest; });
}

void PullServer::CloseIdleReaders(Deadline now) {
  std::erase_if(readers_, [now](const auto& entry) { return now - entry.second.used > kIdleReader; });
}

}  // namespace hawser
