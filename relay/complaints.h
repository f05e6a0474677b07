// Log lines about what others send: every one is counted, one a second is written.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/net/router.h"
#include "relay/notice_board.h"

namespace hawser {

// Not thread safe: each thread has its own.
class Complaints {
 public:
  Complaints(std::string port, NoticeBoard& board) : port_(std::move(port)), board_(board) {}

  void Note(const std::string& text);

 private:
  const std::string port_;
  NoticeBoard& board_;
  std::optional<Deadline> last_;
  std::uint64_t unwritten_ = 0;
};

// Answers a request that cannot be granted, and notes it.
void Refuse(Answerer& answerer, const Asker& asker, const Refusal& refusal, Complaints& complaints);

// The refusal for a message that could not be read.
Refusal Unreadable(const Error& why);

// The refusal for a message that has no business on a port.
Refusal Misplaced(const Incoming& message, const std::string& port);

}  // namespace hawser
