// Gives new file ids: the number of the mount session in the upper 28 bits, a counter in the lower 36. The
// relay gives no session number twice, so no id is given twice, whatever is lost or copied on this machine
// (DESIGN section 5b).
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/ids.h"
#include "common/base/result.h"

namespace hawser {

class FileIds {
 public:
  static constexpr int kCounterBits = 36;
  static constexpr std::uint64_t kMaxSession = (1ULL << (64 - kCounterBits)) - 1;

  // `session`: 1 to kMaxSession.
  explicit FileIds(std::uint64_t session) : session_(session) {}

  // Thread safe. EOVERFLOW: this session has no more; the next start has new ones.
  Result<FileId> Next();

 private:
  const std::uint64_t session_;
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace hawser
