#include "common/journal/frame.h"

#include <fmt/format.h>

#include <cassert>
#include <optional>

#include "common/journal/format.h"
#include "common/journal/little_endian.h"

namespace hawser {

namespace {

Error NotAFrame(std::string why) { return {EBADMSG, "not a valid frame: " + std::move(why)}; }

struct Sizes {
  std::uint32_t header;
  std::uint32_t payload;
};

Sizes SizesAt(Bytes front, std::size_t index) {
  LittleEndianReader in(front.data() + kFrameHeaderBytes + index * kSizeEntryBytes);
  const auto header = in.Get<std::uint32_t>();
  return {header, in.Get<std::uint32_t>()};
}

// Everything but the digest, and the size table.
Buffer EncodeFront(const FrameHeader& header, const std::vector<Entry>& entries) {
  Buffer front(kFrameHeaderBytes + entries.size() * kSizeEntryBytes);
  LittleEndianWriter out(front.data());
  out.Put(kFrameMagic).Put(kFrameVersion).Put(static_cast<std::uint16_t>(kFrameHeaderBytes));
  out.Put(header.count).Put(std::uint32_t{0});
  out.Put(header.record_bytes)
      .Put(header.group.value)
      .Put(header.first_sequence.value)
      .Put(header.journal_bytes);
  out.Put(static_cast<std::uint64_t>(header.time.nanoseconds))
      .Put(header.journal.bytes)
      .Put(header.previous.bytes);
  LittleEndianWriter table(front.data() + kFrameHeaderBytes);
  for (const Entry& entry : entries) {
    table.Put(static_cast<std::uint32_t>(entry.header.size()));
    table.Put(static_cast<std::uint32_t>(entry.payload.size()));
  }
  return front;
}

Digest DigestOf(const Frame& frame) {
  const Bytes front = frame.front;
  Digester digester;
  digester.Add(front.first(kFrameDigestOffset));
  digester.Add(front.subspan(kFrameHeaderBytes));
  for (const Entry& entry : frame.entries) {
    digester.Add(entry.header);
    digester.Add(entry.payload);
  }
  return digester.Finish();
}

Result<Frame> WithDigestChecked(Frame frame) {
  const Digest digest = DigestOf(frame);
  if (digest != frame.header.digest) {
    return NotAFrame(fmt::format("group {} has digest {}, but its bytes give {}", frame.header.group.value,
                                 frame.header.digest.Hex(), digest.Hex()));
  }
  return frame;
}

// Hands out a run of parts, each asked for with its exact size.
class PartTaker {
 public:
  explicit PartTaker(std::span<const Bytes> parts) : parts_(parts) {}

  std::optional<Bytes> Take(std::size_t size) {
    if (size == 0) return Bytes{};
    SkipEmpty();
    if (parts_.empty() || parts_.front().size() != size) return std::nullopt;
    const Bytes part = parts_.front();
    parts_ = parts_.subspan(1);
    return part;
  }
  bool AtEnd() {
    SkipEmpty();
    return parts_.empty();
  }

 private:
  void SkipEmpty() {
    while (!parts_.empty() && parts_.front().empty()) parts_ = parts_.subspan(1);
  }

  std::span<const Bytes> parts_;
};

}  // namespace

std::uint64_t FrameHeader::frame_bytes() const {
  return kFrameHeaderBytes + count * std::uint64_t{kSizeEntryBytes} + record_bytes;
}

Progress FrameHeader::progress() const {
  return {Position{journal, last_sequence(), group, digest}, journal_bytes, time};
}

Frame MakeFrame(const Progress& previous, Timestamp time, std::vector<Entry> entries) {
  assert(!entries.empty() && entries.size() <= kMaxFrameRecords);
  Frame frame;
  FrameHeader& header = frame.header;
  header.count = static_cast<std::uint32_t>(entries.size());
  for (const Entry& entry : entries) header.record_bytes += entry.header.size() + entry.payload.size();
  header.group = Next(previous.position.group);
  header.first_sequence = Next(previous.position.sequence);
  header.journal_bytes = previous.journal_bytes + header.frame_bytes();
  header.time = time;
  header.journal = previous.position.journal;
  header.previous = previous.position.digest;
  frame.entries = std::move(entries);
  frame.front = EncodeFront(header, frame.entries);
  header.digest = DigestOf(frame);
  LittleEndianWriter(frame.front.data() + kFrameDigestOffset).Put(header.digest.bytes);
  return frame;
}

Result<std::size_t> FrontBytes(Bytes beginning) {
  if (beginning.size() < kFrameHeaderBytes) return NotAFrame("it ends in the header");
  LittleEndianReader in(beginning.data());
  if (in.Get<std::uint32_t>() != kFrameMagic) return NotAFrame("it does not begin with the frame magic");
  const auto version = in.Get<std::uint16_t>();
  const auto header_bytes = in.Get<std::uint16_t>();
  if (version != kFrameVersion || header_bytes != kFrameHeaderBytes) {
    return NotAFrame(fmt::format("version {} with a header of {} bytes, but this program reads version {}",
                                 version, header_bytes, kFrameVersion));
  }
  const auto count = in.Get<std::uint32_t>();
  if (count == 0 || count > kMaxFrameRecords)
    return NotAFrame(fmt::format("{} records, not 1 to {}", count, kMaxFrameRecords));
  if (in.Get<std::uint32_t>() != 0) return NotAFrame("a reserved field is set");
  return kFrameHeaderBytes + count * kSizeEntryBytes;
}

Result<FrameHeader> DecodeFront(Bytes front) {
  HAWSER_ASSIGN(const std::size_t front_bytes, FrontBytes(front));
  if (front.size() != front_bytes) {
    return NotAFrame(fmt::format("a front of {} bytes where {} belong to it", front.size(), front_bytes));
  }
  FrameHeader header;
  LittleEndianReader in(front.data() + 8);
  header.count = in.Get<std::uint32_t>();
  in.Get<std::uint32_t>();
  header.record_bytes = in.Get<std::uint64_t>();
  header.group = Group(in.Get<std::uint64_t>());
  header.first_sequence = Sequence(in.Get<std::uint64_t>());
  header.journal_bytes = in.Get<std::uint64_t>();
  header.time.nanoseconds = static_cast<std::int64_t>(in.Get<std::uint64_t>());
  in.Get(header.journal.bytes);
  in.Get(header.previous.bytes);
  in.Get(header.digest.bytes);

  std::uint64_t record_bytes = 0;
  for (std::size_t i = 0; i < header.count; ++i) {
    const Sizes sizes = SizesAt(front, i);
    if (sizes.header == 0 || sizes.header > kMaxRecordHeaderBytes || sizes.payload > kMaxFramePayloadBytes) {
      return NotAFrame(fmt::format("record {} of {} has impossible sizes ({} and {} bytes)", i + 1,
                                   header.count, sizes.header, sizes.payload));
    }
    record_bytes += sizes.header + std::uint64_t{sizes.payload};
  }
  if (record_bytes != header.record_bytes) {
    return NotAFrame(
        fmt::format("{} record bytes where its size table has {}", header.record_bytes, record_bytes));
  }
  if (header.group.value == 0 || header.first_sequence.value == 0 ||
      header.first_sequence.value > UINT64_MAX - header.count) {
    return NotAFrame("its group or sequence is out of range");
  }
  return header;
}

Result<Frame> ParseFrame(Bytes bytes) {
  HAWSER_ASSIGN(Frame frame, SplitFrame(bytes));
  return WithDigestChecked(std::move(frame));
}

Result<Frame> SplitFrame(Bytes bytes) {
  HAWSER_ASSIGN(const std::size_t front_bytes, FrontBytes(bytes));
  if (bytes.size() < front_bytes) return NotAFrame("it ends in the size table");
  const Bytes front = bytes.first(front_bytes);
  Frame frame;
  HAWSER_ASSIGN(frame.header, DecodeFront(front));
  Bytes rest = bytes.subspan(front_bytes);
  if (rest.size() < frame.header.record_bytes) return NotAFrame("it ends in the records");
  frame.entries.reserve(frame.header.count);
  for (std::size_t i = 0; i < frame.header.count; ++i) {
    const Sizes sizes = SizesAt(front, i);
    frame.entries.push_back({rest.first(sizes.header), rest.subspan(sizes.header, sizes.payload)});
    rest = rest.subspan(std::size_t{sizes.header} + sizes.payload);
  }
  frame.front.assign(front.begin(), front.end());
  return frame;
}

Result<Frame> ParseFrameParts(Bytes front, std::span<const Bytes> parts) {
  Frame frame;
  HAWSER_ASSIGN(frame.header, DecodeFront(front));
  PartTaker taker(parts);
  frame.entries.reserve(frame.header.count);
  for (std::size_t i = 0; i < frame.header.count; ++i) {
    const Sizes sizes = SizesAt(front, i);
    const auto header = taker.Take(sizes.header);
    const auto payload = taker.Take(sizes.payload);
    if (!header || !payload) {
      return NotAFrame(
          fmt::format("the parts of record {} of {} do not fit the size table", i + 1, frame.header.count));
    }
    frame.entries.push_back({*header, *payload});
  }
  if (!taker.AtEnd()) return NotAFrame("there are more parts than records");
  frame.front.assign(front.begin(), front.end());
  return WithDigestChecked(std::move(frame));
}

Status CheckFollows(const Progress& previous, const FrameHeader& frame) {
  const Position& position = previous.position;
  const auto refuse = [&](std::string why) {
    return Error{EBADMSG,
                 fmt::format("group {} does not follow {}: {}", frame.group.value, position.Text(), why)};
  };
  if (frame.journal != position.journal)
    return refuse(fmt::format("it is of journal {}, not {}", frame.journal.Hex(), position.journal.Hex()));
  if (frame.group != Next(position.group))
    return refuse(fmt::format("expected group {}", position.group.value + 1));
  if (frame.first_sequence != Next(position.sequence))
    return refuse(fmt::format("it begins with sequence {}", frame.first_sequence.value));
  if (frame.previous != position.digest) {
    return refuse(
        fmt::format("it continues from digest {}, not {}", frame.previous.Hex(), position.digest.Hex()));
  }
  if (frame.journal_bytes != previous.journal_bytes + frame.frame_bytes()) {
    return refuse(fmt::format("it counts {} bytes of journal, not {}", frame.journal_bytes,
                              previous.journal_bytes + frame.frame_bytes()));
  }
  return {};
}

}  // namespace hawser
