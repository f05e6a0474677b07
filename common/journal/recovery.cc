#include "common/journal/recovery.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/files.h"
#include "common/journal/begin.h"
#include "common/journal/cut.h"
#include "common/journal/segment_check.h"

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

// What the headers of two segments, one behind the other, and the size of the first say: whether there may be
// no damage in between.
bool MayConnect(const SegmentEntry& entry, const Progress& next) {
  if (next.position.group <= entry.before.position.group) return false;
  const std::uint64_t groups = next.position.group.value - entry.before.position.group.value;
  const std::uint64_t frames = next.journal_bytes - entry.before.journal_bytes;
  return kSegmentHeaderBytes + frames + groups * kStampBytes <= entry.bytes;
}

// What is wrong between `entry` and the segment that continues from `next`. EBADMSG if their histories have
// parted: somebody has put other segments there, and the order of all that follows isn't known any more.
Result<std::optional<JournalFault>> FaultBetween(const std::string& folder, const SegmentEntry& entry,
                                                 const Progress& next) {
  HAWSER_ASSIGN(SegmentReader reader, SegmentReader::Open(folder, entry.first_group()));
  for (;;) {
    HAWSER_ASSIGN(const auto frame, reader.Skip());
    if (!frame) break;
  }
  HAWSER_ASSIGN(auto fault, FaultBefore(next, reader));
  if (fault && HaveParted(reader, next)) return reader.DamageAt(fault->what);
  return fault;
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

// nullopt: its header is damaged, as `fault` says.
Result<std::optional<SegmentEntry>> EntryOf(const std::string& folder, Group first, const JournalId& journal,
                                            JournalFault& fault) {
  const auto reader = SegmentReader::Open(folder, first);
  if (!reader && IsDamage(reader.error())) {
    fault = {SegmentName(first), 0, reader.error().message, first, {}};
    return std::optional<SegmentEntry>();
  }
  if (!reader) return reader.error();
  const Progress& before = reader->header().before;
  if (before.position.journal != journal) {
    return Error{EBADMSG,
                 fmt::format("journal segment '{}' is of journal {}, but the newest is of journal {}",
                             reader->path(), before.position.journal.Hex(), journal.Hex())};
  }
  HAWSER_ASSIGN(const std::uint64_t bytes, reader->FileBytes());
  return std::optional(SegmentEntry{before, bytes});
}

// The segments before the last, and what is wrong with them: nobody waits until all of them are read, so
// only headers and sizes are looked at, and the frames where these leave a doubt, and right before the last.
Status TakeOlder(const std::string& folder, const std::vector<Group>& groups, const SegmentReader& last,
                 RecoveredJournal& recovered) {
  std::vector<JournalFault>& damage = recovered.report.damage;
  HAWSER_ASSIGN(const auto begin, ReadBegin(folder));
  if (auto missing = MissingBeginning(begin, groups.front())) damage.push_back(*std::move(missing));
  bool linked = false;  // the entry before is of the segment before
  for (const Group group : groups) {
    JournalFault fault;
    HAWSER_ASSIGN(const auto entry, EntryOf(folder, group, last.header().before.position.journal, fault));
    if (entry && linked) {
      const SegmentEntry& before = recovered.segments.back();
      if (group == groups.back() || !MayConnect(before, entry->before)) {
        HAWSER_ASSIGN(auto between, FaultBetween(folder, before, entry->before));
        if (between) damage.push_back(*std::move(between));
      }
    }
    linked = entry.has_value();
    if (entry) {
      recovered.segments.push_back(*entry);
    } else {
      damage.push_back(std::move(fault));
    }
  }
  return {};
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
  HAWSER_TRY(TakeOlder(folder, groups, last, recovered));
  HAWSER_TRY(RecoverLast(last, recovered.report, disk));
  HAWSER_TRY(disk.FlushFolder(folder));
  recovered.report.end = last.at();
  recovered.report.segments = groups.size();
  recovered.offset = last.offset();
  return recovered;
}

}  // namespace hawser
