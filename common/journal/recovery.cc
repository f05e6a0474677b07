#include "common/journal/recovery.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/files.h"
#include "common/journal/cut.h"
#include "common/journal/segment_reader.h"

namespace hawser {

namespace {

constexpr std::uint64_t kChunk = kMiB;

// Removes the last segment if its creation was interrupted; true if it did.
Result<bool> RemoveUnfinished(const std::string& folder, const std::vector<Group>& groups,
                              const Progress& start, Disk& disk) {
  HAWSER_ASSIGN(const bool unfinished, IsUnfinishedSegment(folder, groups.back()));
  if (!unfinished) return false;
  const std::string path = folder + "/" + SegmentName(groups.back());
  // Alone, it can only be the first of a new journal. Another one's groups existed, and beginning anew would
  // give their numbers again.
  if (groups.size() == 1 && groups.front() != Next(start.position.group) && groups.front() != Group(1)) {
    return Error{EBADMSG,
                 fmt::format("journal segment '{}' is damaged at offset 0: it has no whole header, and the "
                             "segments before it are gone",
                             path)};
  }
  HAWSER_TRY(disk.Remove(path));
  HAWSER_TRY(disk.FlushFolder(folder));
  return true;
}

// That the segment `last` continues where the one before it ends.
Status CheckConnected(const std::string& folder, Group before, const SegmentReader& last) {
  HAWSER_ASSIGN(SegmentReader reader, SegmentReader::Open(folder, before));
  for (;;) {
    HAWSER_ASSIGN(const auto frame, reader.Skip());
    if (!frame) break;
  }
  const Progress& expected = last.header().before;
  if (reader.at() == expected) return {};
  if (!reader.obstacle().empty()) return reader.DamageAt(reader.obstacle());
  return reader.DamageAt(fmt::format(
      "it ends there with digest {}, but the next segment continues from {} with digest {}",
      reader.at().position.digest.Hex(), expected.position.Text(), expected.position.digest.Hex()));
}

// Writes what the file has from `from` to `to` once more. After a flush that failed, the kernel may hold
// pages as clean that never reached the disk: they would be read as they should be, and be lost at a power
// cut all the same.
Status Rewrite(int fd, std::uint64_t from, std::uint64_t to, const std::string& path, Disk& disk) {
  Buffer buffer(std::min(kChunk, to - from));
  for (std::uint64_t at = from; at < to; at += kChunk) {
    const auto run = std::span(buffer).first(std::min(kChunk, to - at));
    HAWSER_ASSIGN(const std::size_t got, ReadAllAt(fd, run, at, path));
    std::array parts{iovec{run.data(), got}};
    HAWSER_TRY(disk.Write(fd, parts, at, path));
  }
  return {};
}

// Reads the last segment to its end and makes what is whole durable and what is torn zeros.
Status RecoverLast(SegmentReader& reader, RecoveryReport& report, Disk& disk) {
  for (;;) {
    HAWSER_ASSIGN(const auto frame, reader.Next(kReadAhead));
    if (!frame) break;
  }
  HAWSER_ASSIGN(const Tail tail, reader.ExamineTail());
  if (tail.kind == Tail::Kind::kDamaged) {
    Error error = reader.DamageAt(tail.what);
    error.message += "; 'hawser journal check' tells more";
    return error;
  }
  const std::string& path = reader.path();
  HAWSER_ASSIGN(const UniqueFd fd, OpenFile(path, O_RDWR));
  // Without a frame: from the header on.
  HAWSER_TRY(Rewrite(fd.get(), reader.last_stamp().flushed, reader.offset(), path, disk));
  if (tail.kind == Tail::Kind::kTorn) {
    HAWSER_TRY(disk.WriteZeros(fd.get(), reader.offset(), tail.end, path));
    report.torn_bytes = tail.end - reader.offset();
    report.torn_segment = path;
    report.torn_offset = reader.offset();
  }
  return disk.Flush(fd.get(), path);
}

Result<SegmentEntry> EntryOf(const std::string& folder, Group first, const JournalId& journal) {
  HAWSER_ASSIGN(const SegmentReader reader, SegmentReader::Open(folder, first));
  const Progress& before = reader.header().before;
  if (before.position.journal != journal) {
    return Error{EBADMSG,
                 fmt::format("journal segment '{}' is of journal {}, but the newest is of journal {}",
                             reader.path(), before.position.journal.Hex(), journal.Hex())};
  }
  HAWSER_ASSIGN(const std::uint64_t bytes, reader.FileBytes());
  return SegmentEntry{before, bytes};
}

}  // namespace

Result<RecoveredJournal> RecoverJournal(const std::string& folder, const Progress& start, Disk& disk) {
  RecoveredJournal recovered;
  HAWSER_ASSIGN(const auto cut, FinishCut(folder, disk));
  if (cut) recovered.report.cut_after = cut->end.position;
  HAWSER_ASSIGN(std::vector<Group> groups, ListSegments(folder));
  if (groups.empty()) return recovered;
  HAWSER_ASSIGN(const bool removed, RemoveUnfinished(folder, groups, start, disk));
  if (removed) {
    recovered.report.unfinished_segment = folder + "/" + SegmentName(groups.back());
    groups.pop_back();
    if (groups.empty()) return recovered;
  }
  HAWSER_ASSIGN(SegmentReader last, SegmentReader::Open(folder, groups.back()));
  if (groups.size() > 1) HAWSER_TRY(CheckConnected(folder, groups[groups.size() - 2], last));
  for (const Group group : groups) {
    HAWSER_ASSIGN(const SegmentEntry entry, EntryOf(folder, group, last.header().before.position.journal));
    recovered.segments.push_back(entry);
  }
  HAWSER_TRY(RecoverLast(last, recovered.report, disk));
  HAWSER_TRY(disk.FlushFolder(folder));
  recovered.report.end = last.at();
  recovered.report.segments = groups.size();
  recovered.offset = last.offset();
  return recovered;
}

}  // namespace hawser
