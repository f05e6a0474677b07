// A disk whose n-th operation of one kind fails.
#pragma once

#include <string>

#include "common/journal/disk.h"

namespace hawser::test {

class FailingDisk : public Disk {
 public:
  enum class Operation { kNone, kWrite, kFlush, kAllocate, kFlushFolder };

  // The `after`-th from now on (0: the next) and every later one fail.
  void FailFrom(Operation operation, int after, int code) {
    operation_ = operation;
    left_ = after;
    code_ = code;
  }
  // Works again, as a disk that had a passing fault.
  void Heal() { operation_ = Operation::kNone; }

  int flushes() const { return flushes_; }

  Status Write(int fd, std::span<iovec> parts, std::uint64_t offset, const std::string& path) override {
    HAWSER_TRY(Fail(Operation::kWrite, path));
    return Disk::Write(fd, parts, offset, path);
  }
  Status Flush(int fd, const std::string& path) override {
    ++flushes_;
    HAWSER_TRY(Fail(Operation::kFlush, path));
    return Disk::Flush(fd, path);
  }
  Status Allocate(int fd, std::uint64_t bytes, const std::string& path) override {
    HAWSER_TRY(Fail(Operation::kAllocate, path));
    return Disk::Allocate(fd, bytes, path);
  }
  Status FlushFolder(const std::string& folder) override {
    HAWSER_TRY(Fail(Operation::kFlushFolder, folder));
    return Disk::FlushFolder(folder);
  }

 private:
  Status Fail(Operation operation, const std::string& path) {
    if (operation != operation_ || left_-- > 0) return {};
    left_ = 0;
    return Error{code_, "the disk fails at '" + path + "'"};
  }

  Operation operation_ = Operation::kNone;
  int left_ = 0;
  int code_ = 0;
  int flushes_ = 0;
};

}  // namespace hawser::test
