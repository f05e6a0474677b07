// The memory that a session's requests are read into. It is libfuse's (malloc), large enough for the largest
// request, and is used again once nobody needs it: neither the thread that works on the request, nor a record
// on its way that carries the request's data (Payload).
//
// Thread safe. Buffers that are still in use may outlive the object's last visible owner.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "common/base/mutex.h"

namespace hawser {

class RequestBuffers : public std::enable_shared_from_this<RequestBuffers> {
 public:
  RequestBuffers() = default;
  ~RequestBuffers();
  RequestBuffers(const RequestBuffers&) = delete;
  RequestBuffers& operator=(const RequestBuffers&) = delete;

  // One that is free, or null. It is the caller's until it is lent.
  void* Take();
  // Shares a buffer that a request has been read into. With the last owner it is free again.
  std::shared_ptr<const void> Lend(void* memory);

  // While it exists, Current() is the buffer of the request, of `bytes`, that the calling thread works on.
  // libfuse hands its operations plain addresses, with no place for an owner beside them.
  class Use {
   public:
    Use(std::shared_ptr<const void> buffer, std::size_t bytes);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
  };
  static const std::shared_ptr<const void>& Current();
  static std::size_t CurrentBytes();

 private:
  static constexpr std::size_t kMostFree = 16;

  void Return(void* memory);

  Mutex mutex_;
  std::vector<void*> free_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
