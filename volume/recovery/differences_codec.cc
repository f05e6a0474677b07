// Differences on disk: [version, [path, sequence, why, record, payload, repeatable, nameless, absent], ...]
#include "common/record/codec.h"
#include "common/record/pack.h"
#include "volume/recovery/differences.h"

namespace hawser {

Buffer Differences::Encode() const {
  Packer out;
  out.Array(1 + entries_.size()).Uint(2);
  for (const Difference& entry : entries_) {
    out.Array(8).Text(entry.path.text()).Uint(entry.sequence.value).Text(entry.why);
    out.Binary(EncodeRecord(entry.record)).Binary(entry.payload);
    out.Bool(entry.repeatable).Bool(entry.nameless).Bool(entry.absent);
  }
  return out.Finish();
}

Result<Differences> Differences::Decode(Bytes bytes) {
  Unpacker in(bytes);
  Differences differences;
  std::size_t left = in.Array("differences");
  if (in.Uint("version") != 2) in.Fail("version", "is unknown");
  for (; left > 1 && !in.failed(); --left) {
    in.Array("difference", 8);
    Difference& entry = differences.entries_.emplace_back();
    auto path = StorePath::Parse(in.Text("path"));
    entry.sequence = Sequence(in.Uint("sequence"));
    entry.why = in.Text("why");
    auto record = DecodeRecord(in.Binary("record"));
    const Bytes payload = in.Binary("payload");
    entry.payload.assign(payload.begin(), payload.end());
    entry.repeatable = in.Bool("repeatable");
    entry.nameless = in.Bool("nameless");
    entry.absent = in.Bool("absent");
    if (in.failed()) break;
    if (!path || !record) return Error{EBADMSG, "the list of what differs can't be understood"};
    entry.path = *std::move(path);
    entry.record = *std::move(record);
  }
  if (const Status read = in.Finish(); !read)
    return Error{EBADMSG, "the list of what differs can't be understood: " + read.error().message};
  return differences;
}

}  // namespace hawser
