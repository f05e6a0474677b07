#include "relay/saved_state.h"

#include <fmt/format.h>

#include "common/base/files.h"
#include "common/record/digest.h"
#include "common/record/pack.h"

// The file: 16 bytes XXH3-128 of what follows, then msgpack [version, head, [[volume, primary,
// generation]...], [[node, session, [[lane, number, ack]...]]...], [milestone...]] where head and milestones
// are Head messages and ack an Ack message (common/net/messages.h), as bin.

namespace hawser {

namespace {

constexpr std::uint64_t kStateVersion = 1;

std::string PathIn(const std::string& folder) { return folder + "/sequencer.state"; }

Digest DigestOf(Bytes bytes) {
  Digester digester;
  digester.Add(bytes);
  return digester.Finish();
}

Buffer EncodeState(const SavedState& state) {
  Packer out;
  out.Array(5).Uint(kStateVersion).Binary(Encode(Head{state.sequencer.head}));
  out.Array(state.sequencer.volumes.size());
  for (const auto& [name, volume] : state.sequencer.volumes)
    out.Array(3).Text(name.value).Text(volume.primary.value).Uint(volume.generation.value);
  out.Array(state.sequencer.nodes.size());
  for (const auto& [name, node] : state.sequencer.nodes) {
    out.Array(3).Text(name.value).Uint(node.session).Array(node.lanes.size());
    for (const auto& [number, lane] : node.lanes)
      out.Array(3).Uint(number).Uint(lane.number).Binary(Encode(lane.ack));
  }
  out.Array(state.milestones.size());
  for (const Progress& milestone : state.milestones) out.Binary(Encode(Head{milestone}));
  return out.Finish();
}

Progress ReadProgress(Unpacker& in, const char* field) {
  auto head = Decode<Head>(in.Binary(field));
  if (!head) {
    in.Fail(field, head.error().message);
    return {};
  }
  return head->head;
}

void ReadLane(Unpacker& in, SessionState& node) {
  in.Array("lane", 3);
  LaneState& lane = node.lanes[static_cast<std::uint32_t>(in.Uint("lane.id", UINT32_MAX))];
  lane.number = in.Uint("lane.number");
  if (auto ack = Decode<Ack>(in.Binary("lane.ack"))) {
    lane.ack = *std::move(ack);
  } else {
    in.Fail("lane.ack", ack.error().message);
  }
}

void ReadSequencer(Unpacker& in, SequencerState& state) {
  state.head = ReadProgress(in, "head");
  for (std::size_t left = in.Array("volumes"); left > 0 && !in.failed(); --left) {
    in.Array("volume", 3);
    VolumeState& volume = state.volumes[VolumeName(in.Text("volume.name"))];
    volume.primary = NodeName(in.Text("volume.primary"));
    volume.generation = Generation(in.Uint("volume.generation"));
  }
  for (std::size_t left = in.Array("nodes"); left > 0 && !in.failed(); --left) {
    in.Array("node", 3);
    SessionState& node = state.nodes[NodeName(in.Text("node.name"))];
    node.session = in.Uint("node.session");
    for (std::size_t lanes = in.Array("node.lanes"); lanes > 0 && !in.failed(); --lanes) ReadLane(in, node);
  }
}

Result<SavedState> DecodeState(Bytes bytes) {
  SavedState state;
  Unpacker in(bytes);
  in.Array("state", 5);
  const auto version = in.Uint("version");
  if (!in.failed() && version != kStateVersion)
    return Error{EBADMSG, fmt::format("it has version {}, not {}", version, kStateVersion)};
  ReadSequencer(in, state.sequencer);
  for (std::size_t left = in.Array("milestones"); left > 0 && !in.failed(); --left)
    state.milestones.push_back(ReadProgress(in, "milestone"));
  HAWSER_TRY(in.Finish());
  return state;
}

}  // namespace

Status SaveState(const std::string& folder, const SavedState& state) {
  const Buffer bytes = EncodeState(state);
  std::string content(AsText(DigestOf(bytes).bytes));
  content += AsText(bytes);
  return WriteFileAtomically(PathIn(folder), content);
}

Result<SavedState> LoadState(const std::string& folder) {
  HAWSER_ASSIGN(const std::string content, ReadFile(PathIn(folder)));
  const Bytes bytes = AsBytes(content);
  constexpr std::size_t kDigestBytes = sizeof(Digest::bytes);
  if (bytes.size() < kDigestBytes ||
      AsText(DigestOf(bytes.subspan(kDigestBytes)).bytes) != AsText(bytes.first(kDigestBytes)))
    return Error{EBADMSG, "damaged file '" + PathIn(folder) + "'"};
  auto state = DecodeState(bytes.subspan(kDigestBytes));
  if (!state) return Error{EBADMSG, "unreadable file '" + PathIn(folder) + "': " + state.error().message};
  return state;
}

}  // namespace hawser
