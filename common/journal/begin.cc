#include "common/journal/begin.h"

#include <fmt/format.h>

#include "common/base/files.h"
#include "common/journal/format.h"
#include "common/journal/segment.h"
#include "common/record/pack_position.h"

namespace hawser {

namespace {

std::string BeginPath(const std::string& folder) { return fmt::format("{}/{}", folder, kBeginName); }

}  // namespace

Status WriteBegin(const std::string& folder, const Progress& begin) {
  Packer out;
  Pack(out, begin);
  return WriteFileAtomically(BeginPath(folder), std::string(AsText(out.Finish())));
}

Result<std::optional<Progress>> ReadBegin(const std::string& folder) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(BeginPath(folder)));
  if (!content) return std::optional<Progress>();
  Unpacker in(AsBytes(*content));
  const Progress begin = UnpackProgress(in, "begin");
  if (auto read = in.Finish(); !read)
    return Error{EBADMSG, fmt::format("damaged file '{}': {}", BeginPath(folder), read.error().message)};
  return std::optional(begin);
}

std::optional<JournalFault> MissingBeginning(const std::optional<Progress>& begin, Group oldest) {
  if (!begin || begin->position.group >= oldest) return std::nullopt;
  const Group first = Next(begin->position.group);
  if (first == oldest) return std::nullopt;
  return JournalFault{SegmentName(first), 0, "it is missing, and the journal begins with it", first,
                      Group(oldest.value - 1)};
}

}  // namespace hawser
