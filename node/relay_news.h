// What a node's log says of the relay: that it is silent, that it is back, and that changes wait for it.
// Pure. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/log.h"

namespace hawser {

class RelayNews {
 public:
  // `heard`: whether there was a word of the relay before.
  RelayNews(std::string endpoint, bool heard) : endpoint_(std::move(endpoint)), silent_(!heard) {}

  // A report was answered, in whatever way, or was not. Each change is said once.
  std::optional<log::Line> Reported(bool answered, Deadline now);

  // The changes of all the node's volumes.
  struct Changes {
    std::size_t waiting = 0;     // for the relay's answer
    std::uint64_t answered = 0;  // before those
    std::uint64_t refused = 0;   // since the start, because the relay doesn't answer
  };
  // Said when none was answered for a while or some were refused, then at growing intervals, and when they go
  // on.
  std::optional<log::Line> Waiting(const Changes& changes, Deadline now);

 private:
  const std::string endpoint_;
  bool silent_;
  std::optional<Deadline> heard_;  // last

  std::uint64_t refused_ = 0;  // when last asked
  struct Standstill {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0;  // before it
    Deadline since;
    Deadline say_at;
    bool said = false;
  };
  std::optional<Standstill> standstill_;
};

}  // namespace hawser
