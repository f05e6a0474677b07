#include "cli/journal.h"
#include "cli/output.h"
#include "cli/record_line.h"
#include "common/journal/inspect.h"

namespace hawser::cli {
namespace {

Result<RecordFilter> MakeFilter(const JournalShowOptions& options) {
  if (options.from && options.to && *options.from > *options.to) {
    return Usage("journal show: --from is behind --to; swap them");
  }
  RecordFilter filter;
  if (options.from) filter.from = Sequence(*options.from);
  if (options.to) filter.to = Sequence(*options.to);
  if (!options.volume.empty()) filter.volume = VolumeName(options.volume);
  if (options.path.empty()) return filter;
  // As the mount shows it: a leading '/' is the volume's root, a trailing one is a folder's.
  std::string_view text = options.path;
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto path = StorePath::Parse(text);
  if (!path) return Usage("journal show: --path: " + path.error().message + "; write it as in the mount");
  filter.below = *path;
  return filter;
}

}  // namespace

Result<Exit> RunJournalShow(const Session& session, const JournalShowOptions& options) {
  HAWSER_ASSIGN(const RecordFilter filter, MakeFilter(options));
  HAWSER_ASSIGN(const std::string folder, JournalFolder(session, options.which));
  const std::uint64_t limit = options.limit.value_or(UINT64_MAX);
  if (limit == 0) return Exit::kDone;
  std::uint64_t left = limit;
  const Status shown = ShowJournal(folder, filter, [&](const ShownRecord& record) {
    session.json ? PrintRecordAsJson(record) : PrintRecord(record);
    return --left > 0;
  });
  std::fflush(stdout);
  if (shown && left == limit)
    PrintError("no record of the journal in '" + folder + "' is one of those asked for",
               "'hawser journal list' shows what is there");
  if (shown) return Exit::kDone;
  const bool is_gone = shown.error().code == ENODATA;
  return CannotDo(shown.error(), is_gone ? "begin later, 'hawser journal list' shows what is there"
                                         : "'hawser journal check' says more");
}

}  // namespace hawser::cli
