// Parts of a message that libzmq reads where they lie, and how one learns that it is done with them; for
// common/net's own files.
#pragma once

#include <memory>
#include <span>
#include <zmq.hpp>

#include "common/base/bytes.h"
#include "common/base/mutex.h"

namespace hawser {

// Counts the parts that libzmq still refers to. Parts are made by one thread; libzmq releases them from its
// own.
class ReleaseLatch {
 public:
  // A part that is `bytes`; they must stay until AwaitRelease() has returned.
  zmq::message_t Lend(Bytes bytes);

  // Returns once every part lent has been released. That takes as long as the socket keeps them: close it
  // first, or have the reply.
  void AwaitRelease();

 private:
  static void Release(void* data, void* latch);

  Mutex mutex_;
  CondVar released_;
  std::size_t lent_ HAWSER_GUARDED_BY(mutex_) = 0;
};

// Parts that are `parts`, which belong to `owner`: it is kept until libzmq has released the last of them.
std::vector<zmq::message_t> ShareParts(std::span<const Bytes> parts, std::shared_ptr<const void> owner);

// A part that keeps `buffer`.
zmq::message_t AdoptPart(Buffer buffer);

}  // namespace hawser
