#include "volume/mount/request_buffers.h"

#include <cstdlib>

namespace hawser {

namespace {

thread_local std::shared_ptr<const void> current;
thread_local std::size_t current_bytes;

}  // namespace

RequestBuffers::~RequestBuffers() {
  for (void* memory : free_) std::free(memory);
}

void* RequestBuffers::Take() {
  const MutexLock lock(mutex_);
  if (free_.empty()) return nullptr;
  void* memory = free_.back();
  free_.pop_back();
  return memory;
}

std::shared_ptr<const void> RequestBuffers::Lend(void* memory) {
  return {memory, [self = shared_from_this()](void* returned) { self->Return(returned); }};
}

void RequestBuffers::Return(void* memory) {
  {
    const MutexLock lock(mutex_);
    if (free_.size() < kMostFree) return free_.push_back(memory);
  }
  std::free(memory);
}

RequestBuffers::Use::Use(std::shared_ptr<const void> buffer, std::size_t bytes) {
  current = std::move(buffer);
  current_bytes = bytes;
}
RequestBuffers::Use::~Use() { current.reset(); }

const std::shared_ptr<const void>& RequestBuffers::Current() { return current; }
std::size_t RequestBuffers::CurrentBytes() { return current_bytes; }

}  // namespace hawser
