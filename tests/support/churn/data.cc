// Operations on content.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/churn/worker.h"

namespace hawser::test {
namespace {

constexpr std::size_t kHeldFiles = 6;
constexpr std::size_t kBlock = 4096;

UniqueFd OpenForWriting(Worker& worker, const std::string& path, int flags) {
  return OpenRegular(worker, path, flags | O_RDWR);
}

Outcome NotOpened(const std::string& path) {
  return Expect(-1, "open", path, {ENOENT, ENOTDIR, EISDIR, ELOOP, ENXIO});
}

Outcome WriteSome(Worker& worker, Rng& rng, int fd, const std::string& path) {
  const std::size_t size = 1 + rng.Below(rng.OneIn(4) ? kChurnMaxWrite : 2 * kBlock);
  FillRandom(rng, worker.aligned, size);
  const auto offset = static_cast<off_t>(rng.Below(kChurnFileSpan));
  return Expect(pwrite(fd, worker.aligned, size, offset) - static_cast<ssize_t>(size), "write", path, {});
}

Outcome Write(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, rng.OneIn(4) ? O_CREAT : 0);
  if (!fd) return NotOpened(path);
  return WriteSome(worker, rng, fd.get(), path);
}

Outcome Append(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, O_APPEND | O_CREAT);
  if (!fd) return NotOpened(path);
  struct stat info {};
  if (fstat(fd.get(), &info) == 0 && info.st_size > static_cast<off_t>(4 * kChurnFileSpan))
    return Expect(ftruncate(fd.get(), 0), "truncate", path, {});
  const auto size = static_cast<ssize_t>(1 + rng.Below(2 * kBlock));
  FillRandom(rng, worker.aligned, static_cast<std::size_t>(size));
  return Expect(write(fd.get(), worker.aligned, static_cast<std::size_t>(size)) - size, "append", path, {});
}

// On names of its own: where an O_DIRECT write meets a cached one of the same page, the kernel itself may
// answer a later fsync with EIO.
Outcome WriteDirect(Worker& worker, Rng& rng) {
  const auto name = [&rng] { return RandomFolder(rng, rng.Below(2)) + "/o" + std::to_string(rng.Below(4)); };
  const std::string path = "./" + name();
  if (rng.OneIn(8)) return Expect(unlinkat(worker.root, path.c_str(), 0), "unlink", path, {ENOENT, ENOTDIR});
  const UniqueFd fd = OpenForWriting(worker, path, O_DIRECT | O_CREAT);
  if (!fd) return Expect(-1, "open with O_DIRECT", path, {ENOENT, ENOTDIR, EISDIR, ELOOP, EINVAL});
  const std::size_t size = kBlock * (1 + rng.Below(4));
  FillRandom(rng, worker.aligned, size);
  const auto offset = static_cast<off_t>(kBlock * rng.Below(kChurnFileSpan / kBlock));
  if (pwrite(fd.get(), worker.aligned, size, offset) < 0)
    return Expect(-1, "write with O_DIRECT", path, {EINVAL});
  const std::string to = "./" + name();
  if (!rng.OneIn(4)) return Fine();
  return Expect(renameat(worker.root, path.c_str(), worker.root, to.c_str()), "rename", path + " -> " + to,
                {ENOENT, ENOTDIR});
}

// The bytes go into the mapping by a read(2) into it: if the file is cut short meanwhile that is EFAULT and
// no signal.
Outcome WriteMapped(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, O_CREAT | O_NOFOLLOW);
  if (!fd) return NotOpened(path);
  const std::size_t pages = 1 + rng.Below(8);
  if (ftruncate(fd.get(), static_cast<off_t>(pages * kBlock)) != 0) return Expect(-1, "truncate", path, {});
  void* map = mmap(nullptr, pages * kBlock, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return Expect(-1, "mmap", path, {});
  const std::size_t offset = rng.Below(pages * kBlock);
  const std::size_t size = 1 + rng.Below(pages * kBlock - offset);
  Outcome outcome = Expect(pread(worker.memory.get(), static_cast<char*>(map) + offset, size,
                                 static_cast<off_t>(rng.Below(kBlock))),
                           "write through a mapping", path, {EFAULT});
  if (outcome.failure.empty() && rng.OneIn(2))
    outcome = Expect(msync(map, pages * kBlock, MS_SYNC), "msync", path, {});
  munmap(map, pages * kBlock);
  return outcome;
}

Outcome Truncate(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, rng.OneIn(4) ? O_TRUNC : 0);
  if (!fd) return NotOpened(path);
  return Expect(ftruncate(fd.get(), static_cast<off_t>(rng.Below(kChurnFileSpan))), "truncate", path, {});
}

Outcome Allocate(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, 0);
  if (!fd) return NotOpened(path);
  const int mode = rng.Pick({0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE});
  const auto offset = static_cast<off_t>(rng.Below(kChurnFileSpan));
  const auto length = static_cast<off_t>(1 + rng.Below(kChurnMaxWrite));
  return Expect(fallocate(fd.get(), mode, offset, length), "fallocate", path, {EOPNOTSUPP});
}

// Collapse and insert need whole blocks and a file that is longer.
Outcome Shift(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, 0);
  if (!fd) return NotOpened(path);
  const int mode = rng.Pick({FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE});
  struct stat info {};
  if (fstat(fd.get(), &info) == 0 && info.st_size > static_cast<off_t>(2 * kChurnFileSpan)) return Fine();
  const auto offset = static_cast<off_t>(kBlock * rng.Below(8));
  return Expect(fallocate(fd.get(), mode, offset, static_cast<off_t>(kBlock * (1 + rng.Below(4)))),
                "fallocate", path, {EOPNOTSUPP, EINVAL});
}

Outcome CopyRange(Worker& worker, Rng& rng) {
  const std::string from = RandomFile(rng);
  const std::string to = RandomFile(rng);
  const UniqueFd in = OpenForWriting(worker, from, O_NOFOLLOW);
  if (!in) return NotOpened(from);
  const UniqueFd out = OpenForWriting(worker, to, O_CREAT | O_NOFOLLOW);
  if (!out) return NotOpened(to);
  off_t from_offset = static_cast<off_t>(rng.Below(kChurnFileSpan));
  off_t to_offset = static_cast<off_t>(rng.Below(kChurnFileSpan));
  const std::size_t size = 1 + rng.Below(kChurnMaxWrite);
  return Expect(copy_file_range(in.get(), &from_offset, out.get(), &to_offset, size, 0), "copy_file_range",
                from + " -> " + to, {EINVAL});
}

Outcome Read(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenRegular(worker, path, O_RDONLY);
  if (!fd) return NotOpened(path);
  return Expect(
      pread(fd.get(), worker.aligned, kChurnMaxWrite, static_cast<off_t>(rng.Below(kChurnFileSpan))), "read",
      path, {EISDIR, ESPIPE});
}

Outcome Sync(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const UniqueFd fd = OpenForWriting(worker, path, 0);
  if (!fd) return NotOpened(path);
  return Expect(rng.OneIn(2) ? fsync(fd.get()) : fdatasync(fd.get()), "fsync", path, {});
}

Outcome Hold(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const std::size_t slot = rng.Below(kHeldFiles);
  worker.held.resize(kHeldFiles);
  worker.held[slot] = OpenForWriting(worker, path, O_CREAT | O_NOFOLLOW);
  return worker.held[slot] ? Fine() : NotOpened(path);
}

Outcome UseHeld(Worker& worker, Rng& rng) {
  const std::size_t slot = rng.Below(kHeldFiles);
  if (slot >= worker.held.size() || !worker.held[slot]) return Fine();
  const int fd = worker.held[slot].get();
  struct stat info {};
  switch (rng.Below(6)) {
    case 0:
      return Expect(ftruncate(fd, static_cast<off_t>(rng.Below(kChurnFileSpan))), "truncate", "held file",
                    {});
    case 1:
      return Expect(fstat(fd, &info), "stat", "held file", {});
    case 2:
      return Expect(pread(fd, worker.aligned, kChurnMaxWrite, 0), "read", "held file", {});
    case 3:
      return Expect(fchmod(fd, rng.Pick<mode_t>({0644, 0600, 0755})), "chmod", "held file", {});
    default:
      return WriteSome(worker, rng, fd, "held file");
  }
}

}  // namespace

UniqueFd OpenRegular(Worker& worker, const std::string& path, int flags) {
  UniqueFd fd(openat(worker.root, path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0644));
  struct stat info {};
  if (fd && fstat(fd.get(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    fd.Reset();
    errno = ENXIO;
  }
  return fd;
}

void FillRandom(Rng& rng, char* to, std::size_t size) {
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = rng.Next();
    std::copy_n(reinterpret_cast<const char*>(&word), std::min<std::size_t>(8, size - i), to + i);
  }
}

const std::vector<Operation>& DataOperations() {
  static const std::vector<Operation> operations = {
      {"write", 14, Write},
      {"append", 6, Append},
      {"write_direct", 3, WriteDirect},
      {"write_mapped", 4, WriteMapped},
      {"truncate", 5, Truncate},
      {"fallocate", 5, Allocate},
      {"fallocate_shift", 1, Shift},
      {"copy_file_range", 2, CopyRange},
      {"read", 6, Read},
      {"fsync", 2, Sync},
      {"hold_open", 3, Hold},
      {"use_held", 6, UseHeld},
  };
  return operations;
}

}  // namespace hawser::test
