// The reader behind reader.h: walks from segment to segment.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/journal/reader.h"
#include "common/journal/segment_reader.h"

namespace hawser {

class FileJournalReader : public JournalReader {
 public:
  // Goes on where `segment` is.
  FileJournalReader(std::string folder, SegmentReader segment)
      : folder_(std::move(folder)), segment_(std::move(segment)) {}

  Result<std::optional<Frame>> Next(Group last) override;
  Result<Buffer> NextBytes(Group last, std::uint64_t max_bytes) override;
  const Progress& at() const override { return segment_.at(); }

  // Where the frame that Next() returned stands, for messages.
  const std::string& segment_path() const { return segment_.path(); }

 private:
  Result<std::optional<Frame>> TryNext(Group last);
  // To the segment that begins after at(); false if there is none.
  Result<bool> EnterNextSegment();
  // No frame could be read though `last` is beyond at(): that is the end, or an error.
  Status CheckEnd(Group last);

  const std::string folder_;
  SegmentReader segment_;
};

}  // namespace hawser
