// Frames, as they come from the stream, a pull and a segment: [how][bytes]. Nobody guesses a digest of 128
// bits, so the target may put the right one in: the checks behind it are met too.
#include <algorithm>

#include "common/journal/format.h"
#include "common/journal/frame.h"
#include "common/record/codec.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

constexpr std::uint64_t kSealed = 1;  // of `how`: the digest is made right

Digest DigestOf(Bytes frame) {
  Digester digester;
  digester.Add(frame.first(kFrameDigestOffset));
  digester.Add(frame.subspan(kFrameHeaderBytes));
  return digester.Finish();
}

void Seal(Buffer& bytes) {
  if (bytes.size() < kFrameHeaderBytes) return;
  const auto length = FrontBytes(Bytes(bytes));
  if (!length || *length > bytes.size()) return;
  const auto header = DecodeFront(Bytes(bytes).first(*length));
  if (!header || header->frame_bytes() > bytes.size()) return;
  const Digest digest = DigestOf(Bytes(bytes).first(header->frame_bytes()));
  std::ranges::copy(digest.bytes, bytes.begin() + kFrameDigestOffset);
}

void CheckFrame(const Frame& frame, Bytes bytes) {
  const std::uint64_t length = frame.header.frame_bytes();
  Check(length <= bytes.size(), "a frame lies within its bytes");
  Check(DigestOf(bytes.first(length)) == frame.header.digest, "a frame's digest is that of its bytes");
  Check(frame.entries.size() == frame.header.count && frame.header.count > 0,
        "a frame has as many records as it says");
  Buffer joined = frame.front;
  std::vector<Bytes> parts;
  for (const Entry& entry : frame.entries) {
    joined.insert(joined.end(), entry.header.begin(), entry.header.end());
    joined.insert(joined.end(), entry.payload.begin(), entry.payload.end());
    parts.push_back(entry.header);
    if (!entry.payload.empty()) parts.push_back(entry.payload);
    static_cast<void>(DecodeRecord(entry.header, entry.payload));
  }
  Check(std::ranges::equal(joined, bytes.first(length)), "a frame is the bytes it was read from");
  const auto again = ParseFrameParts(frame.front, parts);
  Check(again && again->header.digest == frame.header.digest, "a frame in parts is the same frame");
}

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  using namespace hawser::fuzz;
  Input input(data, size);
  const std::uint64_t how = input.Number(1);
  const Bytes rest = input.Rest();
  Buffer bytes(rest.begin(), rest.end());
  if ((how & kSealed) != 0) Seal(bytes);
  const auto frame = ParseFrame(bytes);
  if (frame) CheckFrame(*frame, bytes);
  if (!frame) Check(frame.error().code == EBADMSG, "what is no frame is refused with EBADMSG");
  return 0;
}
