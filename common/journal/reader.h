// Reads a journal's frames in order from its files: beside a running Journal, or with nothing running.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/journal/frame.h"

namespace hawser {

// As `last`: all that is there. Only with nothing running: a torn tail then is the end, not damage.
inline constexpr Group kAllGroups{UINT64_MAX};

// Not thread safe. Each reader has its own descriptor; memory is bounded by the largest frame.
class JournalReader {
 public:
  virtual ~JournalReader() = default;

  // The next frame with a group <= `last`, digest and chain checked; nullopt when there is none (yet: a later
  // call may find one). Beside a running journal `last` must be durable. The entries point into the reader's
  // buffer and are valid until the next call. EBADMSG names segment and offset of damage.
  virtual Result<std::optional<Frame>> Next(Group last) = 0;

  // As the bytes of whole frames, up to max_bytes of them but at least one frame; empty when there is none.
  // For serving catch-up without decoding records. Checked like Next.
  virtual Result<Buffer> NextBytes(Group last, std::uint64_t max_bytes) = 0;

  // The state after the last frame read.
  virtual const Progress& at() const = 0;
};

// For inspection with nothing running, of a journal in files. Who has a journal open asks that (journal.h,
// OpenReader: the same positions and errors).
Result<std::unique_ptr<JournalReader>> OpenJournalReader(const std::string& folder, const Position& after);

}  // namespace hawser
