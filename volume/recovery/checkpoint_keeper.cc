#include "volume/recovery/checkpoint_keeper.h"

#include <fmt/format.h>

#include "common/base/crash_point.h"
#include "common/base/log.h"

namespace hawser {

bool CheckpointKeeper::due(const Progress& applied) const {
  const MutexLock lock(mutex_);
  return !failure_ && applied != last_;
}

Result<CheckpointKeeper::Begun> CheckpointKeeper::Begin(const Progress& applied, Beyond beyond) {
  if (const auto failed = failure()) return *failed;
  return Begun{applied, beyond == Beyond::kNothing};
}

Status CheckpointKeeper::End(const Begun& begun, Status flushed) {
  if (!flushed) {
    const MutexLock lock(mutex_);
    failure_ = flushed.error();
    return flushed;
  }
  const Status written = place_.Write({.progress = begun.position, .clean = begun.clean});
  const MutexLock lock(mutex_);
  trouble_.reset();
  if (written) last_ = begun.position;
  if (!written) trouble_ = written.error();
  return written;
}

Progress CheckpointKeeper::last() const {
  const MutexLock lock(mutex_);
  return last_;
}

std::optional<Error> CheckpointKeeper::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

std::optional<std::string> CheckpointKeeper::trouble() const {
  const MutexLock lock(mutex_);
  if (!trouble_) return std::nullopt;
  return fmt::format(
      "no checkpoint can be written: {}; make room for the state folder or mend its disk: it is tried again. "
      "Until then the journal is kept from {} on",
      trouble_->Text(), last_.position.Text());
}

Status FlushAndKeep(CheckpointKeeper& keeper, const Store& store, const Progress& applied, Beyond beyond,
                    std::string_view crash_point) {
  HAWSER_ASSIGN(const CheckpointKeeper::Begun begun, keeper.Begin(applied, beyond));
  Status flushed = store.Flush();
  if (flushed) CrashPoint(crash_point);
  log::debug("{}: flushed up to {}", store.volume().value, applied.position.Text());
  return keeper.End(begun, std::move(flushed));
}

}  // namespace hawser
