// A mount in the kernel's table of mounts: whether programs still see it at its path, and whether it looks
// read-only to them. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace hawser {

class MountPoint {
 public:
  // What is mounted at `path` now. ENOSYS: Linux before 5.8 doesn't tell.
  static Result<MountPoint> At(const std::string& path);

  const std::string& path() const { return path_; }

  // False: it has been unmounted, if only lazily while programs still use it, or another one lies on top.
  bool shown() const;

  // The mount's own flag, which access(2), statvfs(2) and /proc/mounts tell; the filesystem stays writable,
  // so it can be turned at any time, by root, on Linux since 5.12. EBUSY: to read-only while a program has a
  // file open for writing.
  Status SetReadOnly(bool read_only) const;

 private:
  MountPoint(std::string path, std::uint64_t id) : path_(std::move(path)), id_(id) {}

  std::string path_;
  std::uint64_t id_;
};

}  // namespace hawser
