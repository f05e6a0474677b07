// Plays the kernel on the other end of a FUSE session's socket: one packet a request, one a reply.
#pragma once

#include <linux/fuse.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/unique_fd.h"

namespace hawser::test {

class FakeKernel {
 public:
  // `session_end` receives the session's end of the socket pair.
  explicit FakeKernel(UniqueFd& session_end);

  struct Reply {
    int error = 0;  // errno, positive
    Buffer body;

    template <class T>
    T As() const {
      T value{};
      std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
      return value;
    }
  };

  // Greets the filesystem; it must be the first request.
  Reply Init();
  // Sends a request of `opcode` on `node` with `body` and waits for its reply.
  Reply Call(fuse_opcode opcode, std::uint64_t node, Bytes body);
  // The halves of Call, for many at once: replies come in any order.
  std::uint64_t Send(fuse_opcode opcode, std::uint64_t node, Bytes body);
  struct Received {
    std::uint64_t unique;  // as Send has returned it
    Reply reply;
  };
  Received Receive();
  // Takes what the filesystem has told without being asked, until now, also ahead of replies. No reply may be
  // on its way.
  struct Notice {
    fuse_notify_code code;
    std::uint64_t node;    // of an entry: its parent
    std::string name;      // of an entry
    bool expired = false;  // an entry that is to be looked up again, and isn't taken away
    friend bool operator==(const Notice&, const Notice&) = default;
  };
  std::vector<Notice> TakeNotices();
  // Sends raw bytes as they are.
  void SendRaw(Bytes bytes);

  // Bodies that are a struct and strings, each ended by NUL.
  template <class T>
  static Buffer Body(const T& head, const std::vector<std::string>& names = {}) {
    Buffer bytes(sizeof head);
    std::memcpy(bytes.data(), &head, sizeof head);
    return With(std::move(bytes), names);
  }
  static Buffer Names(const std::vector<std::string>& names) { return With({}, names); }

 private:
  static Buffer With(Buffer bytes, const std::vector<std::string>& names);
  static Notice NoticeIn(Bytes packet);

  UniqueFd socket_;
  std::uint64_t unique_ = 0;
  std::vector<Notice> notices_;  // that came ahead of replies
};

}  // namespace hawser::test
