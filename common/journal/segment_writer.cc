#include "common/journal/segment_writer.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/base/files.h"

namespace hawser {

namespace {

// How far ahead zeros are written, and up to which size of frames: larger ones would double what is written,
// and spend their time on the data anyway.
constexpr std::uint64_t kZeroAhead = kMiB;
constexpr std::uint64_t kSmallFrame = 128 * kKiB;
constexpr std::array<std::byte, 64 * kKiB> kZeros{};

iovec PartOf(Bytes bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(std::shared_ptr<Disk> disk,
                                                             const std::string& folder,
                                                             const SegmentHeader& header,
                                                             std::uint64_t bytes) {
  const std::string path = folder + "/" + SegmentName(header.first_group());
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDWR | O_CREAT | O_EXCL));
  // All the room it will need, at once: a full disk shows itself here, where nothing is broken by it.
  if (auto allocated = disk->Allocate(fd.get(), bytes, path); !allocated) {
    static_cast<void>(disk->Remove(path));
    return std::move(allocated).error();
  }
  const Buffer block = EncodeSegmentHeader(header);
  std::array parts{PartOf(block)};
  const auto begun = [&]() -> Status {
    HAWSER_TRY(disk->Write(fd.get(), parts, 0, path));
    HAWSER_TRY(disk->Flush(fd.get(), path));
    return disk->FlushFolder(folder);
  }();
  // A disk that has given the room and then is full has failed.
  if (!begun && IsNoRoom(begun.error())) return Error{EIO, begun.error().Text()};
  HAWSER_TRY(begun);
  return std::unique_ptr<SegmentWriter>(
      new SegmentWriter(std::move(disk), path, std::move(fd), kSegmentHeaderBytes, bytes));
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Resume(std::shared_ptr<Disk> disk,
                                                             const std::string& path, std::uint64_t offset,
                                                             std::uint64_t bytes) {
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDWR));
  HAWSER_TRY(disk->Allocate(fd.get(), bytes, path));
  return std::unique_ptr<SegmentWriter>(
      new SegmentWriter(std::move(disk), path, std::move(fd), offset, bytes));
}

Status SegmentWriter::Grow(std::uint64_t frame_bytes) {
  const std::uint64_t bytes = NextSlot(offset_, frame_bytes);
  if (bytes <= bytes_) return {};
  HAWSER_TRY(disk_->Allocate(fd_.get(), bytes, path_));
  bytes_ = bytes;
  return {};
}

Status SegmentWriter::Append(const Frame& frame) {
  const auto stamp = EncodeStamp(Stamp{flushed_}, offset_, frame.header.digest);
  std::vector<iovec> parts;
  parts.reserve(2 + 2 * frame.entries.size());
  parts.push_back(PartOf(stamp));
  parts.push_back(PartOf(frame.front));
  std::uint64_t bytes = frame.front.size();
  for (const Entry& entry : frame.entries) {
    parts.push_back(PartOf(entry.header));
    if (!entry.payload.empty()) parts.push_back(PartOf(entry.payload));
    bytes += entry.header.size() + entry.payload.size();
  }
  if (bytes != frame.header.frame_bytes()) {
    return Error{EINVAL, fmt::format("group {} has {} bytes, but its frame header says {}",
                                     frame.header.group.value, bytes, frame.header.frame_bytes())};
  }
  HAWSER_TRY(disk_->Write(fd_.get(), parts, offset_, path_));
  offset_ = NextSlot(offset_, bytes);
  return WriteZerosAhead(bytes);
}

Status SegmentWriter::WriteZerosAhead(std::uint64_t frame_bytes) {
  if (offset_ <= zeroed_) return {};
  zeroed_ = offset_;
  if (frame_bytes > kSmallFrame) return {};
  const std::uint64_t end = std::min(offset_ + kZeroAhead, bytes_);
  std::vector<iovec> parts;
  for (std::uint64_t at = offset_; at < end; at += kZeros.size())
    parts.push_back(PartOf(Bytes(kZeros).first(std::min<std::uint64_t>(kZeros.size(), end - at))));
  HAWSER_TRY(disk_->Write(fd_.get(), parts, offset_, path_));
  zeroed_ = std::max(zeroed_, end);
  return {};
}

Status SegmentWriter::Flush() {
  if (flushed_ == offset_) return {};
  HAWSER_TRY(disk_->Flush(fd_.get(), path_));
  flushed_ = offset_;
  return {};
}

}  // namespace hawser
