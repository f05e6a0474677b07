#include "relay/disk.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "common/base/log.h"
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

Result<std::uint64_t> FreeBytes(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return ErrnoError("cannot measure the free space of", folder);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

void Disk::Run() {
  while (!parts_.jobs.closed()) {
    if (const auto job = parts_.jobs.Pop(SteadyClock::now() + kIdleReader))
      std::visit([this](const auto& wanted) { Do(wanted); }, *job);
    CloseIdleReaders();
  }
}

void Disk::Do(const PullJob& job) {
  const Progress head = parts_.journal.durable();
  Pulled pulled{job.from, {PullReply::Answer::kFrames, {}, head}, {}};
  if (auto answer = CheckAfter(job.pull.after, head)) {
    pulled.reply = *std::move(answer);
  } else if (auto frames = Read(job.pull, head)) {
    pulled.frames = *std::move(frames);
  } else {
    pulled.reply = {AnswerFor(frames.error()), frames.error().Text(), head};
  }
  if (pulled.reply.answer != PullReply::Answer::kFrames)
    log::warn("node {} pulled after {}: {}", job.pull.node.value, job.pull.after.Text(), pulled.reply.text);
  parts_.results.Push(std::move(pulled));
  parts_.wake.Notify();
}

// What can be said without reading. A reader takes group 0 as "from the oldest there is": that would skip
// what has been dropped.
std::optional<PullReply> Disk::CheckAfter(const Position& after, const Progress& head) const {
  const Position oldest = parts_.journal.oldest().position;
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

Result<Buffer> Disk::Read(const Pull& pull, const Progress& head) {
  auto cached = readers_.find(pull.node);
  if (cached == readers_.end() || cached->second.reader->at().position != pull.after) {
    HAWSER_ASSIGN(auto reader, OpenJournalReader(parts_.folder, pull.after));
    cached = readers_.insert_or_assign(pull.node, Cached{std::move(reader), {}}).first;
  }
  cached->second.used = SteadyClock::now();
  const std::uint64_t wanted = pull.max_bytes == 0 ? kMaxPullBytes : std::min(pull.max_bytes, kMaxPullBytes);
  auto frames = cached->second.reader->NextBytes(head.position.group, wanted);
  if (!frames) readers_.erase(cached);
  return frames;
}

void Disk::Do(const MeasureJob&) {
  auto free = parts_.free_bytes(parts_.folder);
  if (!free) {
    // Unknown is not plenty: but a measure that fails must not stop everybody either.
    log::warn("{}", free.error().Text());
    return;
  }
  parts_.results.Push(Measured{*free});
  parts_.wake.Notify();
}

void Disk::Do(const DropJob& job) {
  if (auto dropped = parts_.journal.DropThrough(job.through); !dropped)
    log::warn("old segments of the journal stay: {}", dropped.error().Text());
}

void Disk::CloseIdleReaders() {
  const Deadline now = SteadyClock::now();
  std::erase_if(readers_, [now](const auto& entry) { return now - entry.second.used > kIdleReader; });
}

}  // namespace hawser
