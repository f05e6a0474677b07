#include "common/journal/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "common/journal/little_endian.h"

namespace hawser {

namespace {

Digest DigestOf(Bytes bytes) {
  Digester digester;
  digester.Add(bytes);
  return digester.Finish();
}

// Ties a stamp to its place and its frame.
std::array<std::byte, 8> StampCheck(Stamp stamp, std::uint64_t offset, const Digest& frame) {
  std::array<std::byte, 32> covered;
  LittleEndianWriter(covered.data()).Put(stamp.flushed).Put(offset).Put(frame.bytes);
  const Digest digest = DigestOf(covered);
  std::array<std::byte, 8> check;
  std::copy_n(digest.bytes.begin(), check.size(), check.begin());
  return check;
}

}  // namespace

std::string SegmentName(Group first) {
  return fmt::format("{:0{}}{}", first.value, kGroupDigits, kSegmentSuffix);
}

std::optional<Group> ParseSegmentName(std::string_view name) {
  if (name.size() != kGroupDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix))
    return std::nullopt;
  Group group;
  const char* const end = name.data() + kGroupDigits;
  const auto [stopped, failed] = std::from_chars(name.data(), end, group.value);
  if (failed != std::errc{} || stopped != end || group.value == 0) return std::nullopt;
  return group;
}

Result<std::vector<Group>> ListSegments(const std::string& folder) {
  std::error_code failed;
  std::vector<Group> found;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (const auto group = ParseSegmentName(entry->path().filename().native())) found.push_back(*group);
  }
  if (failed) return Error{failed.value(), fmt::format("cannot read journal folder '{}'", folder)};
  std::sort(found.begin(), found.end());
  return found;
}

Buffer EncodeSegmentHeader(const SegmentHeader& header) {
  const Progress& before = header.before;
  Buffer bytes(kSegmentHeaderBytes);
  LittleEndianWriter out(bytes.data());
  out.Put(kSegmentMagic).Put(kSegmentVersion).Put(static_cast<std::uint16_t>(kSegmentHeaderBytes));
  out.Put(Next(before.position.group).value)
      .Put(Next(before.position.sequence).value)
      .Put(before.journal_bytes);
  out.Put(static_cast<std::uint64_t>(before.time.nanoseconds));
  out.Put(static_cast<std::uint64_t>(header.created.nanoseconds));
  out.Put(before.position.journal.bytes).Put(before.position.digest.bytes);
  out.Put(DigestOf(Bytes(bytes).first(kSegmentDigestOffset)).bytes);
  return bytes;
}

Result<SegmentHeader> DecodeSegmentHeader(Bytes bytes) {
  const auto refuse = [](const char* why) {
    return Error{EBADMSG, fmt::format("not a whole segment header: {}", why)};
  };
  if (bytes.size() < kSegmentHeaderBytes) return refuse("the file ends in it");
  LittleEndianReader in(bytes.data());
  if (in.Get<std::uint32_t>() != kSegmentMagic) return refuse("it does not begin with the segment magic");
  const auto version = in.Get<std::uint16_t>();
  if (version == 0) return refuse("it ends in the magic");  // no version is
  if (version != kSegmentVersion) {
    return Error{ENOTSUP, fmt::format("a segment of version {}, but this program reads version {}", version,
                                      kSegmentVersion)};
  }
  if (in.Get<std::uint16_t>() != kSegmentHeaderBytes) return refuse("its size is wrong");
  SegmentHeader header;
  Position& position = header.before.position;
  const Group first_group(in.Get<std::uint64_t>());
  const Sequence first_sequence(in.Get<std::uint64_t>());
  header.before.journal_bytes = in.Get<std::uint64_t>();
  header.before.time.nanoseconds = static_cast<std::int64_t>(in.Get<std::uint64_t>());
  header.created.nanoseconds = static_cast<std::int64_t>(in.Get<std::uint64_t>());
  in.Get(position.journal.bytes);
  in.Get(position.digest.bytes);
  Digest digest;
  in.Get(digest.bytes);
  if (digest != DigestOf(bytes.first(kSegmentDigestOffset))) return refuse("its digest does not fit");
  const std::size_t end = kSegmentDigestOffset + digest.bytes.size();
  if (!IsAllZeros(bytes.subspan(end, kSegmentHeaderBytes - end)))
    return refuse("there are bytes behind its digest");
  if (first_group.value == 0 || first_sequence.value == 0)
    return refuse("its group or sequence is out of range");
  position.group = Group(first_group.value - 1);
  position.sequence = Sequence(first_sequence.value - 1);
  return header;
}

std::array<std::byte, kStampBytes> EncodeStamp(Stamp stamp, std::uint64_t offset, const Digest& frame) {
  std::array<std::byte, kStampBytes> bytes;
  LittleEndianWriter(bytes.data()).Put(stamp.flushed).Put(StampCheck(stamp, offset, frame));
  return bytes;
}

std::optional<Stamp> DecodeStamp(Bytes bytes, std::uint64_t offset, const Digest& frame) {
  if (bytes.size() < kStampBytes) return std::nullopt;
  LittleEndianReader in(bytes.data());
  const Stamp stamp{in.Get<std::uint64_t>()};
  std::array<std::byte, 8> check;
  in.Get(check);
  if (check != StampCheck(stamp, offset, frame)) return std::nullopt;
  return stamp;
}

bool IsAllZeros(Bytes bytes) {
  if (bytes.empty()) return true;
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace hawser
