#include "tests/support/free_ports.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unique_fd.h"

namespace hawser::test {
namespace {

bool IsFree(std::uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::vector<std::uint16_t> FreePorts(std::size_t count) {
  std::vector<std::uint16_t> ports;
  auto port = static_cast<std::uint16_t>(15000 + getpid() * 7 % 15000);
  for (; ports.size() < count; ++port)
    if (IsFree(port)) ports.push_back(port);
  return ports;
}

}  // namespace hawser::test
