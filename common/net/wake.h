// Wakes a thread that waits on sockets: an eventfd, which can be polled beside them.
#pragma once

#include "common/base/unique_fd.h"

namespace hawser {

class Wake {
 public:
  Wake();  // aborts the process if the kernel gives no descriptor

  // Any thread. The waiting thread wakes at once, or the next time it would wait.
  void Notify() const;
  // The waiting thread, after waking.
  void Clear() const;

  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace hawser
