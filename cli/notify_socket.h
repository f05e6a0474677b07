// The other end of sd_notify(3): a socket on which child processes say that they are ready.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::cli {

struct Notice {
  pid_t pid = 0;     // who sent it, as the kernel says
  std::string text;  // lines like READY=1

  bool ready() const;
  friend bool operator==(const Notice&, const Notice&) = default;
};

class NotifySocket {
 public:
  // In the abstract namespace: it leaves no file behind.
  static Result<NotifySocket> Open();

  const std::string& address() const { return address_; }  // for $NOTIFY_SOCKET
  int fd() const { return fd_.get(); }                     // readable when a notice is there

  // The next notice; nullopt if there is none now.
  std::optional<Notice> Receive();

 private:
  NotifySocket(UniqueFd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}

  UniqueFd fd_;
  std::string address_;
};

}  // namespace hawser::cli
