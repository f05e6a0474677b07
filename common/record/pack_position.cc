#include "common/record/pack_position.h"

#include <algorithm>
#include <array>

namespace hawser {

namespace {

std::array<std::byte, 16> Unpack16(Unpacker& in, const char* field) {
  std::array<std::byte, 16> value{};
  const Bytes bytes = in.Binary(field);
  if (in.failed()) return value;
  if (bytes.size() != value.size()) {
    in.Fail(field, "does not have 16 bytes");
  } else {
    std::copy(bytes.begin(), bytes.end(), value.begin());
  }
  return value;
}

}  // namespace

void Pack(Packer& out, const Position& position) {
  out.Array(4).Binary(position.journal.bytes).Uint(position.sequence.value).Uint(position.group.value);
  out.Binary(position.digest.bytes);
}

Position UnpackPosition(Unpacker& in, const char* field) {
  Position position;
  in.Array(field, 4);
  position.journal.bytes = Unpack16(in, "journal");
  position.sequence = Sequence(in.Uint("sequence"));
  position.group = Group(in.Uint("group"));
  position.digest.bytes = Unpack16(in, "digest");
  return position;
}

void Pack(Packer& out, const Progress& progress) {
  out.Array(3);
  Pack(out, progress.position);
  out.Uint(progress.journal_bytes).Int(progress.time.nanoseconds);
}

Progress UnpackProgress(Unpacker& in, const char* field) {
  Progress progress;
  in.Array(field, 3);
  progress.position = UnpackPosition(in, "position");
  progress.journal_bytes = in.Uint("journal_bytes");
  progress.time = Timestamp{in.Int("time")};
  return progress;
}

}  // namespace hawser
