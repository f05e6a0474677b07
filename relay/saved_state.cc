#include "relay/saved_state.h"

#include <fmt/format.h>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "common/record/codec.h"
#include "common/record/digest.h"
#include "common/record/pack_position.h"

// The file: 16 bytes XXH3-128 of what follows, then msgpack [version, head, [fact...], [milestone...]]. A
// fact is a record header as bin.

namespace hawser {

namespace {

constexpr std::uint64_t kStateVersion = 3;

Digest DigestOf(Bytes bytes) {
  Digester digester;
  digester.Add(bytes);
  return digester.Finish();
}

Buffer EncodeState(const SavedState& state) {
  Packer out;
  out.Array(4).Uint(kStateVersion);
  Pack(out, state.sequencer.head);
  const std::vector<Record> facts = state.sequencer.Facts();
  out.Array(facts.size());
  for (const Record& fact : facts) out.Binary(EncodeRecord(fact));
  out.Array(state.milestones.size());
  for (const Progress& milestone : state.milestones) Pack(out, milestone);
  return out.Finish();
}

void ReadFact(Unpacker& in, SequencerState& state) {
  const Bytes header = in.Binary("fact");
  if (in.failed()) return;
  if (const auto fact = DecodeRecord(header)) return state.Enter(*fact, {});
  in.Fail("fact", "isn't a record");
}

Result<SavedState> DecodeState(Bytes bytes) {
  SavedState state;
  Unpacker in(bytes);
  in.Array("state", 4);
  const auto version = in.Uint("version");
  if (!in.failed() && version != kStateVersion)
    return Error{EBADMSG, fmt::format("it has version {}, not {}", version, kStateVersion)};
  state.sequencer.head = UnpackProgress(in, "head");
  for (std::size_t left = in.Array("facts"); left > 0 && !in.failed(); --left) ReadFact(in, state.sequencer);
  for (std::size_t left = in.Array("milestones"); left > 0 && !in.failed(); --left)
    state.milestones.push_back(UnpackProgress(in, "milestone"));
  HAWSER_TRY(in.Finish());
  return state;
}

}  // namespace

Status SaveState(const std::string& folder, const SavedState& state) {
  const Buffer bytes = EncodeState(state);
  std::string content(AsText(DigestOf(bytes).bytes));
  content += AsText(bytes);
  return WriteFileAtomically(SavedStatePath(folder), content);
}

Result<SavedState> LoadState(const std::string& folder) {
  HAWSER_ASSIGN(const std::string content, ReadFile(SavedStatePath(folder)));
  const Bytes bytes = AsBytes(content);
  constexpr std::size_t kDigestBytes = sizeof(Digest::bytes);
  if (bytes.size() < kDigestBytes ||
      AsText(DigestOf(bytes.subspan(kDigestBytes)).bytes) != AsText(bytes.first(kDigestBytes)))
    return Error{EBADMSG, "damaged file '" + SavedStatePath(folder) + "'"};
  auto state = DecodeState(bytes.subspan(kDigestBytes));
  if (!state)
    return Error{EBADMSG, "unreadable file '" + SavedStatePath(folder) + "': " + state.error().message};
  return state;
}

}  // namespace hawser
