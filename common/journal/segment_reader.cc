#include "common/journal/segment_reader.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/base/files.h"
#include "common/journal/little_endian.h"

namespace hawser {

namespace {

constexpr std::size_t kSlotHeadBytes = kStampBytes + kFrameHeaderBytes;
constexpr std::uint64_t kScanBytes = kMiB;
constexpr std::uint64_t kUsualTableBytes = 32 * kSizeEntryBytes;

std::string PathOf(const std::string& folder, Group first) { return folder + "/" + SegmentName(first); }

bool MayBeginSlot(Bytes bytes) {
  return bytes.size() >= kSlotHeadBytes &&
         LittleEndianReader(bytes.data() + kStampBytes).Get<std::uint32_t>() == kFrameMagic;
}

}  // namespace

SegmentReader::SegmentReader(FileWindow window, SegmentHeader header)
    : window_(std::move(window)), header_(header), at_(header.before) {}

Result<SegmentReader> SegmentReader::Open(const std::string& folder, Group first) {
  const std::string path = PathOf(folder, first);
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDONLY));
  FileWindow window(std::move(fd), path);
  HAWSER_ASSIGN(const Bytes bytes, window.Get(0, kSegmentHeaderBytes, 0));
  auto header = DecodeSegmentHeader(bytes);
  if (!header) {
    return Error{header.error().code, fmt::format("journal segment '{}': {}", path, header.error().message)};
  }
  if (header->first_group() != first) {
    return Error{EBADMSG, fmt::format("journal segment '{}': its header is that of group {}", path,
                                      header->first_group().value)};
  }
  return SegmentReader(std::move(window), *header);
}

Result<std::optional<Frame>> SegmentReader::Next(std::uint64_t ahead) {
  const bool from_memory = window_.Holds(offset_);
  HAWSER_ASSIGN(auto frame, TryNext(ahead));
  if (frame || !from_memory) return frame;
  // What was read ahead may be older than the frame.
  window_.Forget();
  return TryNext(ahead);
}

Result<std::optional<Frame>> SegmentReader::TryNext(std::uint64_t ahead) {
  HAWSER_ASSIGN(const auto header, FrontAt(offset_, ahead, obstacle_));
  if (!header) return std::optional<Frame>();
  HAWSER_ASSIGN(const Bytes slot, window_.Get(offset_, kStampBytes + header->frame_bytes(), ahead));
  auto frame = ParseFrame(slot.subspan(std::min(kStampBytes, slot.size())));
  if (!frame) {
    obstacle_ = frame.error().message;
    return std::optional<Frame>();
  }
  if (!Accept(slot, frame->header)) return std::optional<Frame>();
  frame_bytes_ = slot.subspan(kStampBytes);
  return std::optional<Frame>(*std::move(frame));
}

Result<std::optional<std::uint64_t>> SegmentReader::PeekFrameBytes() {
  std::string why_not;
  HAWSER_ASSIGN(const auto header, FrontAt(offset_, kUsualTableBytes, why_not));
  if (!header) return std::optional<std::uint64_t>();
  return std::optional(header->frame_bytes());
}

Result<std::optional<FrameHeader>> SegmentReader::Skip() {
  window_.Forget();
  HAWSER_ASSIGN(const auto header, FrontAt(offset_, kUsualTableBytes, obstacle_));
  if (!header) return header;
  HAWSER_ASSIGN(const std::uint64_t file_bytes, window_.FileBytes());
  if (offset_ + kStampBytes + header->frame_bytes() > file_bytes) {
    obstacle_ = "the file ends in a frame";
    return std::optional<FrameHeader>();
  }
  HAWSER_ASSIGN(const Bytes head, window_.Get(offset_, kSlotHeadBytes, 0));
  if (!Accept(head, *header)) return std::optional<FrameHeader>();
  return header;
}

Result<std::optional<FrameHeader>> SegmentReader::FrontAt(std::uint64_t offset, std::uint64_t ahead,
                                                          std::string& why_not) {
  why_not.clear();
  const auto nothing = [&](const std::string& why) {
    why_not = why;
    return std::optional<FrameHeader>();
  };
  HAWSER_ASSIGN(const Bytes head, window_.Get(offset, kSlotHeadBytes, ahead));
  if (IsAllZeros(head)) return std::optional<FrameHeader>();
  if (head.size() < kSlotHeadBytes) return nothing("the file ends in the header of a frame");
  const auto front_bytes = FrontBytes(head.subspan(kStampBytes));
  if (!front_bytes) return nothing(front_bytes.error().message);
  HAWSER_ASSIGN(const Bytes front, window_.Get(offset, kStampBytes + *front_bytes, ahead));
  const auto header = DecodeFront(front.subspan(kStampBytes));
  if (!header) return nothing(header.error().message);
  return std::optional<FrameHeader>(*header);
}

bool SegmentReader::Accept(Bytes slot, const FrameHeader& header) {
  const auto stamp = DecodeStamp(slot, offset_, header.digest);
  if (!stamp) {
    obstacle_ = "the stamp of a frame does not fit it";
    return false;
  }
  if (auto follows = CheckFollows(at_, header); !follows) {
    obstacle_ = follows.error().message;
    return false;
  }
  last_stamp_ = *stamp;
  at_ = header.progress();
  offset_ = NextSlot(offset_, header.frame_bytes());
  return true;
}

Result<Tail> SegmentReader::ExamineTail() {
  Tail tail;
  HAWSER_ASSIGN(tail.end, FindEnd());
  if (tail.end == offset_) return tail;
  tail.what = obstacle_.empty() ? "zeros where a frame should be" : obstacle_;
  HAWSER_ASSIGN(const auto proof, FindFlushedFrame(tail.end));
  tail.kind = proof ? Tail::Kind::kDamaged : Tail::Kind::kTorn;
  if (proof) tail.what += ", but " + *proof;
  return tail;
}

Result<std::uint64_t> SegmentReader::FindEnd() {
  window_.Forget();
  std::uint64_t end = offset_;
  for (std::uint64_t at = offset_;; at += kScanBytes) {
    HAWSER_ASSIGN(const Bytes bytes, window_.Get(at, kScanBytes, 0));
    if (!IsAllZeros(bytes)) {
      const auto last =
          std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte b) { return b != std::byte{0}; });
      end = at + static_cast<std::uint64_t>(bytes.rend() - last);
    }
    if (bytes.size() < kScanBytes) return end;
  }
}

Result<std::optional<std::string>> SegmentReader::FindFlushedFrame(std::uint64_t end) {
  std::uint64_t at = offset_;
  while (at < end) {
    window_.Forget();
    HAWSER_ASSIGN(Bytes bytes, window_.Get(at, kScanBytes + kSlotHeadBytes, 0));
    const std::uint64_t scanned = std::min<std::uint64_t>(kScanBytes, bytes.size());
    std::vector<std::uint64_t> candidates;
    for (std::uint64_t i = 0; i < scanned; i += kSlotAlignment)
      if (MayBeginSlot(bytes.subspan(i))) candidates.push_back(at + i);
    for (const std::uint64_t candidate : candidates) {
      HAWSER_ASSIGN(auto proof, ProofOfDamage(candidate));
      if (proof) return proof;
    }
    at += kScanBytes;
  }
  return std::optional<std::string>();
}

Result<std::optional<std::string>> SegmentReader::ProofOfDamage(std::uint64_t offset) {
  std::string why_not;
  HAWSER_ASSIGN(const auto header, FrontAt(offset, 0, why_not));
  if (!header) return std::optional<std::string>();
  // At offset_ itself: a whole frame that only does not follow.
  const bool is_next = offset == offset_;
  const bool is_later = header->journal == at_.position.journal && header->group > at_.position.group;
  if (!is_next && !is_later) return std::optional<std::string>();

  HAWSER_ASSIGN(const Bytes slot, window_.Get(offset, kStampBytes + header->frame_bytes(), 0));
  if (!ParseFrame(slot.subspan(std::min(kStampBytes, slot.size())))) return std::optional<std::string>();
  const auto stamp = DecodeStamp(slot, offset, header->digest);
  // Written before the bytes at offset_ were flushed: a power cut may keep the one without the other. Without
  // a stamp of its own it proves nothing: a torn tail was being cut, and the zeros ended within the stamp.
  if (!is_next && (!stamp || stamp->flushed <= offset_)) return std::optional<std::string>();
  if (is_next) return std::optional(fmt::format("group {} is whole there", header->group.value));
  return std::optional(fmt::format("group {} is whole behind it, at offset {}", header->group.value, offset));
}

Error SegmentReader::DamageAt(const std::string& what) const {
  return {EBADMSG, fmt::format("journal segment '{}' is damaged at offset {}, behind {}: {}", path(), offset_,
                               at_.position.Text(), what)};
}

Result<bool> IsUnfinishedSegment(const std::string& folder, Group first) {
  const std::string path = PathOf(folder, first);
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDONLY));
  FileWindow window(std::move(fd), path);
  HAWSER_ASSIGN(Bytes bytes, window.Get(0, kSegmentHeaderBytes, 0));
  const auto header = DecodeSegmentHeader(bytes);
  if (header || header.error().code != EBADMSG) return false;
  for (std::uint64_t at = kSegmentHeaderBytes;; at += kScanBytes) {
    HAWSER_ASSIGN(bytes, window.Get(at, kScanBytes, 0));
    if (!IsAllZeros(bytes)) return false;
    if (bytes.size() < kScanBytes) return true;
  }
}

std::string TextInFull(const Position& position) {
  return fmt::format("{} with digest {} in journal {}", position.Text(), position.digest.Hex(),
                     position.journal.Hex());
}

}  // namespace hawser
