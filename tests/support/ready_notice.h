// Hears what a service tells systemd: READY=1, over $NOTIFY_SOCKET (sd_notify(3)).
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::test {

class ReadyNotice {
 public:
  // Listens at a path, or in the abstract namespace if `name` is none (then only those in the same network
  // namespace can send); nobody else may have it.
  static Result<ReadyNotice> Listen(const std::string& name);

  // The value of NOTIFY_SOCKET for the child.
  const std::string& address() const { return address_; }
  // Whether READY=1 has come by now. Doesn't wait.
  bool Received();

 private:
  ReadyNotice(UniqueFd socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  UniqueFd socket_;
  std::string address_;
};

}  // namespace hawser::test
