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

  // So many changes wait for the relay's answer, and so many were answered before them. Said when none was
  // answered for a while, then at growing intervals, and when they go on.
  std::optional<log::Line> Waiting(std::size_t changes, std::uint64_t answered, Deadline now);

 private:
  const std::string endpoint_;
  bool silent_;
  std::optional<Deadline> heard_;  // last

  struct Standstill {
    std::uint64_t answered = 0;
    Deadline since;
    Deadline say_at;
    bool said = false;
  };
  std::optional<Standstill> standstill_;
};

}  // namespace hawser
