// What a journal does to the disk, as an interface so that tests can make it fail. The base class does it.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>

#include "common/base/result.h"

namespace hawser {

// Stateless: any thread. `path` is for messages.
class Disk {
 public:
  virtual ~Disk() = default;

  // All of `parts`, one after the other; they are used up. Any number of them.
  virtual Status Write(int fd, std::span<iovec> parts, std::uint64_t offset, const std::string& path);

  // Zeros from `from` up to `to`.
  Status WriteZeros(int fd, std::uint64_t from, std::uint64_t to, const std::string& path);

  // fdatasync.
  virtual Status Flush(int fd, const std::string& path);

  // Takes room for the file's first `bytes`, which become its size. A filesystem that cannot only gets the
  // size.
  virtual Status Allocate(int fd, std::uint64_t bytes, const std::string& path);

  // Makes a folder's entries durable.
  virtual Status FlushFolder(const std::string& folder);

  virtual Status Remove(const std::string& path);
};

}  // namespace hawser
