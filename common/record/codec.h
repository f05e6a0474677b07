// Record headers as bytes: msgpack, versioned. The only format; the same bytes go over the wire, into
// journals and to secondaries. docs/JOURNAL_FORMAT.md describes it; golden bytes in the tests hold it still.
#pragma once

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/record/record.h"

namespace hawser {

inline constexpr std::uint64_t kRecordVersion = 4;
inline constexpr std::size_t kMaxRecordHeaderBytes = 64 * kKiB;

// No node is brought to a longer path than this: so a record with two paths and all else that it may say can
// be encoded, whatever becomes of the node.
inline constexpr std::size_t kMaxPathBytes = 28 * kKiB;
static_assert(2 * kMaxPathBytes + 8 * kKiB <= kMaxRecordHeaderBytes);
inline constexpr std::size_t kMaxPayloadBytes = kMiB;

Buffer EncodeRecord(const Record& record);

// EINVAL, saying which field, for anything but one whole valid record header: unknown version or kind,
// missing, superfluous or mistyped fields, paths that could leave a store, trailing bytes. Never throws.
Result<Record> DecodeRecord(Bytes header);

// DecodeRecord, and that `payload` fits the record.
Result<Record> DecodeRecord(Bytes header, Bytes payload);

}  // namespace hawser
