#include "volume/mount/killpriv.h"

#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "volume/mount/binding.h"

namespace hawser {

namespace {

// The kernel sends nothing else until its greeting is answered, so the first message of a session is that
// answer.
ssize_t Send(int fd, iovec* parts, int count, void* userdata) {
  auto& context = *static_cast<BindingContext*>(userdata);
  if (context.greeted.exchange(true) || count != 2 || parts[1].iov_len != sizeof(fuse_init_out))
    return ::writev(fd, parts, count);
  fuse_init_out greeting;
  std::memcpy(&greeting, parts[1].iov_base, sizeof greeting);
  greeting.flags |= FUSE_HANDLE_KILLPRIV_V2;
  const iovec completed[2] = {parts[0], {&greeting, sizeof greeting}};
  return ::writev(fd, completed, 2);
}

ssize_t Receive(int fd, void* buffer, size_t size, void*) { return ::read(fd, buffer, size); }

}  // namespace

Status AskForKillprivV2(fuse_session* session) {
  static const fuse_custom_io io = {Send, Receive, nullptr, nullptr};
  if (fuse_session_custom_io(session, &io, fuse_session_fd(session)) != 0)
    return Error{EINVAL, "libfuse refused to be read and written through"};
  return {};
}

}  // namespace hawser
