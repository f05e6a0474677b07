#include "tests/sim/checkpoints.h"

#include "common/base/crash_point.h"

namespace hawser::sim {

Result<std::optional<Checkpoint>> StateFolder::Read() const {
  std::optional<Checkpoint> checkpoint = disk_.checkpoint;
  if (is_clean_anyhow_ || world_.mutations().Has(Fault::kSkipRedo)) {
    if (!checkpoint) checkpoint.emplace();
    checkpoint->clean = true;
    checkpoint->mark = disk_.store.marks().newest;
  }
  return checkpoint;
}

Status StateFolder::Write(const Checkpoint& checkpoint) {
  if (life_->dead) return Error{EIO, "the process has ended"};
  const auto& old = disk_.checkpoint;
  const bool only_the_mark = old && old->progress == checkpoint.progress && old->clean && !checkpoint.clean;
  if (only_the_mark && world_.mutations().Has(Fault::kKeepCleanMark)) return {};
  disk_.checkpoint = checkpoint;
  return {};
}

Result<Buffer> StateFolder::ReadDifferences(Sequence at) const {
  if (world_.mutations().Has(Fault::kForgetDifference)) return Buffer();
  const auto found = disk_.differences.find(at);
  return found == disk_.differences.end() ? Buffer() : found->second;
}

Status StateFolder::WriteDifferences(Sequence last, Sequence at, Bytes encoded) {
  if (life_->dead) return Error{EIO, "the process has ended"};
  std::erase_if(disk_.differences, [&](const auto& entry) { return entry.first != last; });
  disk_.differences[at].assign(encoded.begin(), encoded.end());
  return {};
}

void Checkpoints::Make(const Progress& applied, Beyond beyond, std::function<void(Status)> done) {
  const auto begun = keeper_.Begin(applied, beyond);
  if (!begun) return done(begun.error());
  const std::size_t flushed = disk_.store.BeginFlush(begun->marks);
  if (world_.mutations().Has(Fault::kCheckpointBeforeFlush))
    static_cast<void>(folder_.Write({.progress = applied, .clean = false, .mark = begun->marks.newest}));
  world_.After(microseconds(world_.rng().Between(50, 5'000)), life_,
               [this, begun = *begun, flushed, done = std::move(done)] { done(End(begun, flushed)); });
}

Status Checkpoints::MakeLast(const Progress& applied, Beyond beyond) {
  HAWSER_ASSIGN(const CheckpointKeeper::Begun begun, keeper_.Begin(applied, beyond));
  return End(begun, disk_.store.BeginFlush(begun.marks));
}

Status Checkpoints::End(const CheckpointKeeper::Begun& begun, std::size_t count) {
  Status flushed = EndFlush(count);
  if (flushed) CrashPoint(crash_point_);
  return keeper_.End(begun, std::move(flushed));
}

Status Checkpoints::EndFlush(std::size_t count) {
  Status flushed = disk_.store.EndFlush(count);
  if (flushed || !world_.mutations().Has(Fault::kRetryFlush)) return flushed;
  return disk_.store.EndFlush(disk_.store.BeginFlush(disk_.store.marks()));
}

}  // namespace hawser::sim
