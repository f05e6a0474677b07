// Reads a file in runs, keeping the last one: a scan costs few calls, however small the frames are.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser {

// Not thread safe. Memory: the largest length asked for, and what was to be read ahead.
class FileWindow {
 public:
  FileWindow(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // `length` bytes at `offset`, fewer at the end of the file. Reads up to `ahead` bytes more if it has to
  // read at all. Valid until the next call.
  Result<Bytes> Get(std::uint64_t offset, std::uint64_t length, std::uint64_t ahead);

  bool Holds(std::uint64_t offset) const { return offset >= begin_ && offset < begin_ + held_; }

  // What is held may be out of date: read again.
  void Forget() { held_ = 0; }

  // What the kernel has of the file in memory, too.
  void ForgetCached();

  Result<std::uint64_t> FileBytes() const;

 private:
  UniqueFd fd_;
  std::string path_;
  Buffer buffer_;
  std::uint64_t begin_ = 0;  // of what is held, in the file
  std::uint64_t held_ = 0;   // bytes in buffer_ that count
};

}  // namespace hawser
