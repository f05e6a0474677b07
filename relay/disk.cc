#include "relay/disk.h"

#include <sys/statvfs.h>

#include "common/base/log.h"
#include "relay/limits.h"

namespace hawser {

Result<std::uint64_t> FreeBytes(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return ErrnoError("cannot measure the free space of", folder);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

void DiskWorker::Run() {
  while (!parts_.jobs.closed()) {
    if (const auto job = parts_.jobs.Pop(SteadyClock::now() + kIdleReader))
      std::visit([this](const auto& wanted) { Do(wanted); }, *job);
    pulls_.CloseIdleReaders(SteadyClock::now());
  }
}

void DiskWorker::Do(const PullJob& job) {
  PullServer::Answer answer = pulls_.Serve(job.pull, SteadyClock::now());
  parts_.results.Push(Pulled{job.from, std::move(answer.reply), std::move(answer.frames)});
  parts_.wake.Notify();
}

void DiskWorker::Do(const MeasureJob&) {
  auto free = parts_.free_bytes(parts_.folder);
  if (!free) {
    // Unknown is not plenty: but a measure that fails must not stop everybody either.
    log::warn("{}", free.error().Text());
    return;
  }
  parts_.results.Push(Measured{*free});
  parts_.wake.Notify();
}

void DiskWorker::Do(const DropJob& job) {
  if (auto dropped = parts_.journal.DropThrough(job.through); !dropped)
    log::warn("old segments of the journal stay: {}", dropped.error().Text());
  log::debug("the journal may go up to group {}; its oldest is {} now", job.through.value,
             parts_.journal.oldest().position.Text());
  pulls_.CloseDroppedReaders();
}

}  // namespace hawser
