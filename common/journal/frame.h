// A frame: one write group in a journal, and on the stream, in the same bytes. docs/JOURNAL_FORMAT.md.
//
//   front:   FrameHeader (fixed size, little endian), then for each record: u32 header bytes, u32 payload
//   bytes records: header, payload, header, payload, ...
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/record/position.h"

namespace hawser {

struct FrameHeader {
  std::uint32_t count = 0;         // records; at least 1
  std::uint64_t record_bytes = 0;  // bytes after the front
  Group group;
  Sequence first_sequence;
  std::uint64_t journal_bytes = 0;  // frame bytes from the journal's beginning to the end of this frame
  Timestamp time;                   // when the group was cut
  JournalId journal;
  Digest previous;  // digest of the frame before; zero for the first
  Digest digest;    // of the front up to here, the size table and the records

  Sequence last_sequence() const { return Sequence(first_sequence.value + count - 1); }
  std::uint64_t frame_bytes() const;  // front and records
  Progress progress() const;          // the state after this group
};

// One record of a frame, as bytes that somebody else owns.
struct Entry {
  Bytes header;
  Bytes payload;
};

// A frame as the parts whose concatenation it is: the front (owned) and the records (not owned).
struct Frame {
  FrameHeader header;
  Buffer front;
  std::vector<Entry> entries;
};

// The frame that follows `previous` in its journal, with the digest computed. At least one entry.
Frame MakeFrame(const Progress& previous, Timestamp time, std::vector<Entry> entries);

// How long the front that begins with these bytes is. EBADMSG if they cannot begin a frame. Needs
// kFrameHeaderBytes.
Result<std::size_t> FrontBytes(Bytes beginning);

// Decodes a front of exactly that length; EBADMSG if it isn't one. The digest is not checked.
Result<FrameHeader> DecodeFront(Bytes front);

// A whole frame in contiguous memory (may be followed by more; header.frame_bytes() says where it ends),
// digest checked. The entries point into `bytes`. EBADMSG with what is wrong.
Result<Frame> ParseFrame(Bytes bytes);

// As ParseFrame, but the digest is taken for right: for bytes that a reader (reader.h) has just checked.
Result<Frame> SplitFrame(Bytes bytes);

// As ParseFrame for a front and the records' parts (concatenated: header, payload, ...; empty payloads may be
// left out), as the stream carries them.
Result<Frame> ParseFrameParts(Bytes front, std::span<const Bytes> parts);

// EBADMSG, saying what differs, unless `frame` is the one that comes right after `previous`.
Status CheckFollows(const Progress& previous, const FrameHeader& frame);

}  // namespace hawser
