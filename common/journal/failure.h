// Why a journal did not do what it was asked. Who holds a journal decides by the kind; the text is for a
// person.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/base/result.h"

namespace hawser {

enum class JournalFailure : std::uint8_t {
  kNoRoom,  // nothing was written: the journal is as it was, and the same can be appended when there is room
  kNoDescriptors,  // the same, for want of a file descriptor: that passes by itself
  kFailed,  // what was asked may be done or not; nothing more is done until the journal is opened again
  kFenced,  // another process has taken the journal over: nothing more of this one will enter it
};

// As Status, with the kind of failure.
class [[nodiscard]] JournalStatus {
 public:
  JournalStatus() = default;
  JournalStatus(JournalFailure why, Error error) : failure_(std::pair(why, std::move(error))) {}

  explicit operator bool() const { return !failure_; }
  // Of a failure.
  JournalFailure why() const { return failure_->first; }
  const Error& error() const& { return failure_->second; }
  Error&& error() && { return std::move(failure_->second); }

  // For those to whom all failures are one.
  operator Status() const { return failure_ ? Status(failure_->second) : Status(); }

 private:
  std::optional<std::pair<JournalFailure, Error>> failure_;
};

}  // namespace hawser
