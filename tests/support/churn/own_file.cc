// Operations on a file that only its thread touches: what is read must be what was written.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/support/churn/worker.h"

namespace hawser::test {
namespace {

std::string OwnName(const Worker& worker) { return "own-" + std::to_string(worker.index); }

UniqueFd OpenOwn(Worker& worker, int flags = 0) {
  return UniqueFd(openat(worker.root, OwnName(worker).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644));
}

// The file as it should be after `size` bytes at `offset` were set to `bytes`.
void Remember(Worker& worker, std::size_t offset, const char* bytes, std::size_t size) {
  worker.model.resize(std::max(worker.model.size(), offset + size));
  std::copy_n(bytes, size, worker.model.begin() + static_cast<std::ptrdiff_t>(offset));
}

Outcome OwnWrite(Worker& worker, Rng& rng) {
  const bool append = rng.OneIn(3);
  const UniqueFd fd = OpenOwn(worker, append ? O_APPEND : 0);
  if (!fd) return Expect(-1, "open", OwnName(worker), {});
  if (append && worker.model.size() > 2 * kChurnFileSpan) return Fine();
  const std::size_t size = 1 + rng.Below(16 * 1024);
  const std::size_t offset = append ? worker.model.size() : rng.Below(kChurnFileSpan);
  FillRandom(rng, worker.aligned, size);
  const ssize_t written = append ? write(fd.get(), worker.aligned, size)
                                 : pwrite(fd.get(), worker.aligned, size, static_cast<off_t>(offset));
  if (written != static_cast<ssize_t>(size)) return Expect(-1, "write", OwnName(worker), {});
  Remember(worker, offset, worker.aligned, size);
  return Fine();
}

Outcome OwnTruncate(Worker& worker, Rng& rng) {
  const UniqueFd fd = OpenOwn(worker);
  if (!fd) return Expect(-1, "open", OwnName(worker), {});
  const std::size_t size = rng.Below(kChurnFileSpan);
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return Expect(-1, "truncate", OwnName(worker), {});
  worker.model.resize(size);
  return Fine();
}

Outcome OwnZero(Worker& worker, Rng& rng) {
  const UniqueFd fd = OpenOwn(worker);
  if (!fd) return Expect(-1, "open", OwnName(worker), {});
  const bool punch = rng.OneIn(2);
  const std::size_t offset = rng.Below(kChurnFileSpan);
  const std::size_t size = 1 + rng.Below(32 * 1024);
  const int mode = punch ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
  if (fallocate(fd.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)) != 0)
    return Expect(-1, "fallocate", OwnName(worker), {EOPNOTSUPP});
  if (!punch) worker.model.resize(std::max(worker.model.size(), offset + size));
  for (std::size_t i = offset; i < std::min(worker.model.size(), offset + size); ++i) worker.model[i] = 0;
  return Fine();
}

Outcome OwnMap(Worker& worker, Rng& rng) {
  const UniqueFd fd = OpenOwn(worker);
  if (!fd) return Expect(-1, "open", OwnName(worker), {});
  if (worker.model.empty()) return Fine();
  const std::size_t whole = worker.model.size();
  auto* map = static_cast<char*>(mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
  if (map == MAP_FAILED) return Expect(-1, "mmap", OwnName(worker), {});
  const std::size_t offset = rng.Below(whole);
  const std::size_t size = std::min(whole - offset, 1 + rng.Below(8192));
  FillRandom(rng, worker.aligned, size);
  std::memcpy(map + offset, worker.aligned, size);
  // The kernel asks the filesystem for room only now: what doesn't fit is lost, and this call says so.
  if (msync(map, whole, MS_SYNC) != 0) {
    const int code = errno;
    munmap(map, whole);
    errno = code;
    return Expect(-1, "msync", OwnName(worker), {});
  }
  Remember(worker, offset, worker.aligned, size);
  const bool same = std::memcmp(map, worker.model.data(), whole) == 0;
  munmap(map, whole);
  return same ? Fine() : Failed(OwnName(worker) + " holds other bytes than were written, seen in a mapping");
}

Outcome OwnCheck(Worker& worker, Rng& rng) {
  const UniqueFd fd = OpenOwn(worker);
  if (!fd) return Expect(-1, "open", OwnName(worker), {});
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return Expect(-1, "stat", OwnName(worker), {});
  if (info.st_size != static_cast<off_t>(worker.model.size()))
    return Failed(OwnName(worker) + " has " + std::to_string(info.st_size) + " bytes instead of " +
                  std::to_string(worker.model.size()));
  const std::size_t offset = worker.model.empty() ? 0 : rng.Below(worker.model.size());
  const std::size_t size = std::min(worker.model.size() - offset, kChurnMaxWrite);
  const ssize_t got = pread(fd.get(), worker.aligned, kChurnMaxWrite, static_cast<off_t>(offset));
  if (got != static_cast<ssize_t>(size)) return Failed(OwnName(worker) + ": read " + std::to_string(got));
  const char* expected = worker.model.data() + offset;
  const char* differs = std::mismatch(expected, expected + size, worker.aligned).first;
  if (differs == expected + size) return Fine();
  return Failed(OwnName(worker) + " holds another byte than was written at " +
                std::to_string(differs - worker.model.data()));
}

}  // namespace

const std::vector<Operation>& OwnFileOperations() {
  static const std::vector<Operation> operations = {
      {"own_write", 5, OwnWrite}, {"own_truncate", 1, OwnTruncate}, {"own_zero", 2, OwnZero},
      {"own_map", 2, OwnMap},     {"own_check", 5, OwnCheck},
  };
  return operations;
}

}  // namespace hawser::test
