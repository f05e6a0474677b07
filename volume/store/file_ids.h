// Gives new file ids: generation in the upper 16 bits, a counter in the lower 48. Never gives one twice,
// whatever crashes: numbers are reserved on disk in batches before they are used.
#pragma once

#include <string>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "common/base/result.h"

namespace hawser {

class FileIds {
 public:
  // `path`: the small file that remembers what has been reserved, in the node's state folder.
  FileIds(std::string path, Generation generation) : path_(std::move(path)), generation_(generation) {}

  // Thread safe. Flushes the disk once in kBatch calls.
  Result<FileId> Next();

 private:
  static constexpr std::uint64_t kBatch = 1 << 20;

  Status Reserve() HAWSER_REQUIRES(mutex_);

  const std::string path_;
  const Generation generation_;
  Mutex mutex_;
  std::uint64_t next_ HAWSER_GUARDED_BY(mutex_) = 0;
  std::uint64_t reserved_ HAWSER_GUARDED_BY(mutex_) = 0;  // next_ < reserved_ may be given
};

}  // namespace hawser
