// Appends frames to one segment file.
//
// A flush into a file that grows, or into blocks that are merely allocated, makes the filesystem change its
// metadata each time; a flush into blocks that were written before does not, and costs two thirds. So a
// segment is allocated whole when it is created, and the writer keeps zeros written ahead of its small
// frames. (That is why segments are not recycled: it would gain nothing more, and old frames could be taken
// for new ones.)
#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/journal/disk.h"
#include "common/journal/frame.h"
#include "common/journal/segment.h"

namespace hawser {

// Not thread safe. After an error it must not be used any more.
class SegmentWriter {
 public:
  // Creates the segment: when this returns, an empty segment would survive a power cut. `bytes`: what to
  // allocate.
  static Result<std::unique_ptr<SegmentWriter>> Create(std::shared_ptr<Disk> disk, const std::string& folder,
                                                       const SegmentHeader& header, std::uint64_t bytes);

  // Goes on at `offset` in an existing one, which is made that large; everything before it is on the disk.
  static Result<std::unique_ptr<SegmentWriter>> Resume(std::shared_ptr<Disk> disk, const std::string& path,
                                                       std::uint64_t offset, std::uint64_t bytes);

  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }
  bool empty() const { return offset_ == kSegmentHeaderBytes; }

  // Whether slots of so many bytes (SlotBytes) would stay within the segment.
  bool Fits(std::uint64_t bytes) const { return offset_ + bytes <= bytes_; }

  // Makes room for slots of so many bytes.
  Status Grow(std::uint64_t bytes);

  // In one write.
  Status Append(std::span<const Frame* const> frames);

  // Makes what is appended durable; nothing to do if it is.
  Status Flush();

 private:
  SegmentWriter(std::shared_ptr<Disk> disk, std::string path, UniqueFd fd, std::uint64_t offset,
                std::uint64_t bytes)
      : disk_(std::move(disk)),
        path_(std::move(path)),
        fd_(std::move(fd)),
        offset_(offset),
        flushed_(offset),
        zeroed_(offset),
        bytes_(bytes) {}

  Status WriteZerosAhead(std::uint64_t written);

  std::shared_ptr<Disk> disk_;
  std::string path_;
  UniqueFd fd_;
  std::uint64_t offset_;   // of the next slot
  std::uint64_t flushed_;  // everything before is on the disk; flushed_ <= offset_
  std::uint64_t zeroed_;   // blocks before are written
  std::uint64_t bytes_;    // allocated
};

// What the slots of these frames take in a segment.
std::uint64_t SlotBytes(std::span<const Frame* const> frames);

}  // namespace hawser
