#include "common/journal/segment_writer.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/base/descriptors.h"
#include "common/base/files.h"

namespace hawser {

namespace {

// How far ahead zeros are written, and up to which size of frames: larger ones would double what is written,
// and spend their time on the data anyway.
constexpr std::uint64_t kZeroAhead = kMiB;
constexpr std::uint64_t kSmallFrame = 128 * kKiB;
constexpr std::array<std::byte, 64 * kKiB> kZeros{};

iovec PartOf(Bytes bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

// The parts of a frame; gives its size.
std::uint64_t AddParts(const Frame& frame, std::vector<iovec>& parts) {
  parts.push_back(PartOf(frame.front));
  std::uint64_t bytes = frame.front.size();
  for (const Entry& entry : frame.entries) {
    parts.push_back(PartOf(entry.header));
    if (!entry.payload.empty()) parts.push_back(PartOf(entry.payload));
    bytes += entry.header.size() + entry.payload.size();
  }
  return bytes;
}

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
  // As if it had never been: making its entry durable takes a descriptor too.
  if (!begun && IsNoDescriptor(begun.error())) HAWSER_TRY(disk->Remove(path));
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

Status SegmentWriter::Grow(std::uint64_t bytes) {
  if (Fits(bytes)) return {};
  HAWSER_TRY(disk_->Allocate(fd_.get(), offset_ + bytes, path_));
  bytes_ = offset_ + bytes;
  return {};
}

Status SegmentWriter::Append(std::span<const Frame* const> frames) {
  std::vector<std::array<std::byte, kStampBytes>> stamps;
  stamps.reserve(frames.size());  // parts point into it
  std::vector<iovec> parts;
  std::uint64_t offset = offset_;
  for (const Frame* frame : frames) {
    const std::uint64_t frame_bytes = frame->header.frame_bytes();
    stamps.push_back(EncodeStamp(Stamp{flushed_}, offset, frame->header.digest));
    parts.push_back(PartOf(stamps.back()));
    if (const std::uint64_t bytes = AddParts(*frame, parts); bytes != frame_bytes)
      return Error{EINVAL, fmt::format("group {} has {} bytes, but its frame header says {}",
                                       frame->header.group.value, bytes, frame_bytes)};
    const std::uint64_t next = NextSlot(offset, frame_bytes);
    const std::uint64_t padding = next - offset - kStampBytes - frame_bytes;
    if (padding > 0) parts.push_back(PartOf(Bytes(kZeros).first(padding)));
    offset = next;
  }
  HAWSER_TRY(disk_->Write(fd_.get(), parts, offset_, path_));
  const std::uint64_t written = offset - offset_;
  offset_ = offset;
  return WriteZerosAhead(written);
}

Status SegmentWriter::WriteZerosAhead(std::uint64_t written) {
  if (offset_ <= zeroed_) return {};
  zeroed_ = offset_;
  if (written > kSmallFrame) return {};
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

std::uint64_t SlotBytes(std::span<const Frame* const> frames) {
  std::uint64_t bytes = 0;
  for (const Frame* frame : frames) bytes = NextSlot(bytes, frame->header.frame_bytes());
  return bytes;
}

}  // namespace hawser
