#include "cli/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace hawser::cli {

bool Notice::ready() const { return ("\n" + text + "\n").find("\nREADY=1\n") != std::string::npos; }

Result<NotifySocket> NotifySocket::Open() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ErrnoError("cannot open a socket for the processes' notices");
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return ErrnoError("cannot ask for the senders of notices");
  }
  // Bound with the family alone, the kernel chooses a free abstract name.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) != 0) {
    return ErrnoError("cannot bind a socket for the processes' notices");
  }
  socklen_t length = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return ErrnoError("cannot read the address of the notice socket");
  }
  const std::size_t name = length - offsetof(sockaddr_un, sun_path) - 1;  // without the leading NUL
  return NotifySocket(std::move(fd), "@" + std::string(address.sun_path + 1, name));
}

std::optional<Notice> NotifySocket::Receive() {
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  if (length < 0) return std::nullopt;
  Notice notice{0, std::string(text.data(), static_cast<std::size_t>(length))};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    notice.pid = sender.pid;
  }
  return notice;
}

}  // namespace hawser::cli
