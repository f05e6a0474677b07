#include "common/net/wake.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/base/log.h"

namespace hawser {

Wake::Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_) return;
  log::error("cannot make an eventfd: {}; allow this process more open files", std::strerror(errno));
  std::abort();
}

void Wake::Notify() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the other side is awake.
  static_cast<void>(!::write(fd_.get(), &one, sizeof one));
}

void Wake::Clear() const {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd_.get(), &count, sizeof count));
}

}  // namespace hawser
