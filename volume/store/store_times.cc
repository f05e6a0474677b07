#include "volume/store/store_times.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/unique_fd.h"

namespace hawser {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Within what a Timestamp can say, with a fraction that has no zeros at its end.
constexpr Timestamp kEarly{-9'199'999'999 * kSecond + 123'456'789};
constexpr Timestamp kFine{kSecond + 123'456'789};
constexpr Timestamp kLate{9'199'999'999 * kSecond + 123'456'789};

Result<Timestamp> SetAndRead(int fd, Timestamp time) {
  const timespec times[2] = {time.ToTimespec(), time.ToTimespec()};
  struct stat info {};
  if (::futimens(fd, times) != 0 || ::fstat(fd, &info) != 0)
    return ErrnoError("cannot find out how the store keeps times");
  return Timestamp::From(info.st_mtim);
}

std::int64_t FractionOf(Timestamp time) { return time.ToTimespec().tv_nsec; }

// What is left of kFine's fraction tells how fine it is kept: 123'456'000 in microseconds.
std::int64_t GranularityOf(Timestamp kept) {
  std::int64_t granularity = 1;
  while (granularity < kSecond && FractionOf(kept) % (granularity * 10) == 0) granularity *= 10;
  return granularity;
}

}  // namespace

Timestamp StoreTimes::Kept(Timestamp time) const {
  if (earliest && time.nanoseconds < earliest->nanoseconds + kSecond) return *earliest;
  if (latest && time > *latest) return *latest;
  return {time.nanoseconds - FractionOf(time) % granularity};
}

Result<StoreTimes> ProbeTimes(int root) {
  const UniqueFd fd(::openat(root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) return ErrnoError("cannot find out how the store keeps times");
  StoreTimes times;
  HAWSER_ASSIGN(const Timestamp fine, SetAndRead(fd.get(), kFine));
  times.granularity = GranularityOf(fine);
  HAWSER_ASSIGN(const Timestamp early, SetAndRead(fd.get(), kEarly));
  if (early != times.Kept(kEarly)) times.earliest = early;
  HAWSER_ASSIGN(const Timestamp late, SetAndRead(fd.get(), kLate));
  if (late != times.Kept(kLate)) times.latest = late;
  return times;
}

}  // namespace hawser
