#include "common/journal/cut.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/base/files.h"
#include "common/journal/format.h"
#include "common/journal/segment_reader.h"
#include "common/record/pack_position.h"

namespace hawser {

namespace {

std::string MarkPath(const std::string& folder) { return fmt::format("{}/{}", folder, kCutName); }

// Makes all that `segment` holds behind its offset zeros.
Status EraseRest(const SegmentReader& segment, Disk& disk) {
  const std::string& path = segment.path();
  HAWSER_ASSIGN(const UniqueFd fd, OpenFile(path, O_RDWR));
  HAWSER_ASSIGN(const std::uint64_t end, segment.FileBytes());
  HAWSER_TRY(disk.WriteZeros(fd.get(), segment.offset(), end, path));
  return disk.Flush(fd.get(), path);
}

// The segment that holds the position, read up to it.
Result<SegmentReader> Find(const std::string& folder, const std::vector<Group>& groups,
                           const Position& position) {
  const auto behind = std::upper_bound(groups.begin(), groups.end(), position.group);
  // A segment that begins right after the position goes too, unless it is the only one.
  const Group first = behind == groups.begin() ? groups.front() : *std::prev(behind);
  HAWSER_ASSIGN(SegmentReader segment, SegmentReader::Open(folder, first));
  while (segment.at().position.group < position.group) {
    HAWSER_ASSIGN(const auto header, segment.Skip());
    if (!header) break;
  }
  if (segment.at().position == position) return segment;
  return segment.DamageAt(
      fmt::format("the journal was to be cut after {}, which is not there", position.Text()));
}

Result<CutJournal> Cut(const std::string& folder, const Position& position, Disk& disk) {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder));
  HAWSER_ASSIGN(const SegmentReader segment, Find(folder, groups, position));
  const Group kept = segment.header().first_group();
  for (auto group = groups.rbegin(); group != groups.rend() && *group > kept; ++group)
    HAWSER_TRY(disk.Remove(folder + "/" + SegmentName(*group)));
  HAWSER_TRY(EraseRest(segment, disk));
  HAWSER_TRY(disk.FlushFolder(folder));
  HAWSER_TRY(disk.Remove(MarkPath(folder)));
  HAWSER_TRY(disk.FlushFolder(folder));
  HAWSER_ASSIGN(const std::uint64_t bytes, segment.FileBytes());
  return CutJournal{kept, segment.offset(), bytes, segment.at()};
}

}  // namespace

Result<CutJournal> CutBehind(const std::string& folder, const Position& position, Disk& disk) {
  Packer mark;
  Pack(mark, position);
  HAWSER_TRY(WriteFileAtomically(MarkPath(folder), std::string(AsText(mark.Finish()))));
  return Cut(folder, position, disk);
}

Result<std::optional<CutJournal>> FinishCut(const std::string& folder, Disk& disk) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(MarkPath(folder)));
  if (!content) return std::optional<CutJournal>();
  Unpacker in(AsBytes(*content));
  const Position position = UnpackPosition(in, "position");
  if (auto read = in.Finish(); !read)
    return Error{EBADMSG, fmt::format("damaged file '{}': {}", MarkPath(folder), read.error().message)};
  HAWSER_ASSIGN(CutJournal cut, Cut(folder, position, disk));
  return std::optional(std::move(cut));
}

}  // namespace hawser
