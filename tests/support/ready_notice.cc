#include "tests/support/ready_notice.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace hawser::test {

Result<ReadyNotice> ReadyNotice::Listen(const std::string& name) {
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_path = name.starts_with("/");
  if (name.size() + 1 >= sizeof address.sun_path)
    return Error{ENAMETOOLONG, "cannot listen for notices at " + name};
  std::memcpy(address.sun_path + (is_path ? 0 : 1), name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return ErrnoError("cannot listen for notices at " + name);
  // Whoever runs as another user is ready, too.
  if (is_path && chmod(name.c_str(), 0666) != 0) return ErrnoError("cannot open to others", name);
  return ReadyNotice(std::move(fd), (is_path ? "" : "@") + name);
}

bool ReadyNotice::Received() {
  pollfd ready{socket_.get(), POLLIN, 0};
  if (poll(&ready, 1, 0) <= 0) return false;
  char text[512];
  const ssize_t size = recv(socket_.get(), text, sizeof text, 0);
  return size > 0 &&
         std::string_view(text, static_cast<std::size_t>(size)).find("READY=1") != std::string_view::npos;
}

}  // namespace hawser::test
