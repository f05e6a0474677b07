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
  auto marks = NextMarks(applied.position);
  if (!marks) return Hindered(marks.error());
  return Begun{applied, beyond, *marks};
}

Result<StoreMarks> CheckpointKeeper::NextMarks(const Position& at) {
  if (!mark_) {
    HAWSER_ASSIGN(const auto in_place, place_.Read());
    mark_ = in_place ? in_place->mark : 0;
  }
  if (next_mark_ == 0) next_mark_ = draw_();
  return StoreMarks{next_mark_, *mark_, at};
}

Error CheckpointKeeper::Hindered(const Error& error) {
  const MutexLock lock(mutex_);
  trouble_ = error;
  return error;
}

Status CheckpointKeeper::End(const Begun& begun, Status flushed) {
  if (!flushed) {
    const MutexLock lock(mutex_);
    failure_ = flushed.error();
    return flushed;
  }
  const Status written = place_.Write({.progress = begun.position,
                                       .clean = begun.beyond == Beyond::kNothing,
                                       .mark = begun.marks.newest,
                                       .beyond_own = begun.beyond == Beyond::kServed});
  if (!written) return Hindered(written.error());
  mark_ = begun.marks.newest;
  next_mark_ = 0;
  const MutexLock lock(mutex_);
  trouble_.reset();
  last_ = begun.position;
  return {};
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
      "no checkpoint can be written: {}; make room for the store and the state folder or mend their disks: "
      "it is "
      "tried again. Until then the journal is kept from {} on",
      trouble_->Text(), last_.position.Text());
}

Status FlushAndKeep(CheckpointKeeper& keeper, const Store& store, const Progress& applied, Beyond beyond,
                    std::string_view crash_point) {
  HAWSER_ASSIGN(const CheckpointKeeper::Begun begun, keeper.Begin(applied, beyond));
  if (const Status marked = store.SetMarks(begun.marks); !marked) return keeper.Hindered(marked.error());
  Status flushed = store.Flush();
  if (flushed) CrashPoint(crash_point);
  log::debug("{}: flushed up to {}", store.volume().value, applied.position.Text());
  return keeper.End(begun, std::move(flushed));
}

}  // namespace hawser
