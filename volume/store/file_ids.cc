#include "volume/store/file_ids.h"

namespace hawser {

Result<FileId> FileIds::Next() {
  const std::uint64_t counter = ++last_;
  if (session_ > kMaxSession || counter >> kCounterBits != 0)
    return Error{EOVERFLOW, "this mount session has no more file ids: start the node again"};
  return FileId(session_ << kCounterBits | counter);
}

}  // namespace hawser
