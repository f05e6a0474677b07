#include <fmt/format.h>

#include <optional>

#include "cli/journal.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "common/journal/reader.h"
#include "common/record/codec.h"

namespace hawser::cli {
namespace {

// Which records are shown.
struct Filter {
  const JournalShowOptions& options;
  std::optional<StorePath> path;

  bool Lets(Sequence sequence, const Record& record) const {
    if (sequence.value < options.from || sequence.value > options.to) return false;
    if (!options.volume.empty() && record.volume.value != options.volume) return false;
    return !path || Touches(record, *path);
  }
};

struct Place {
  Sequence sequence;
  const FrameHeader& frame;
};

void PrintLine(const Place& place, const Record& record) {
  fmt::print("{:>10}  group {:<8}  {}  {}  (by {}, generation {})\n", place.sequence.value,
             place.frame.group.value, IsoTime(place.frame.time), Printable(Describe(record)),
             record.origin.node.value, record.generation.value);
}

void PrintLineOfJson(const Place& place, const Record& record, std::size_t payload_bytes) {
  Json json{{"sequence", place.sequence.value},
            {"group", place.frame.group.value},
            {"group_time", IsoTime(place.frame.time)},
            {"text", Utf8(Describe(record))}};
  json.update(ToJson(record, payload_bytes));
  PrintJsonLine(json);
}

// Prints what the filter lets through of one frame, at most `left`; returns how many.
Result<std::uint64_t> ShowFrame(const Session& session, const Frame& frame, const Filter& filter,
                                std::uint64_t left) {
  std::uint64_t shown = 0;
  Sequence sequence = frame.header.first_sequence;
  for (const Entry& entry : frame.entries) {
    if (shown == left) break;
    HAWSER_ASSIGN(const Record record, DecodeRecord(entry.header, entry.payload));
    if (filter.Lets(sequence, record)) {
      ++shown;
      const Place place{sequence, frame.header};
      session.json ? PrintLineOfJson(place, record, entry.payload.size()) : PrintLine(place, record);
    }
    sequence = Next(sequence);
  }
  return shown;
}

Result<Filter> MakeFilter(const JournalShowOptions& options) {
  if (options.from > options.to) return Usage("journal show: --from is behind --to; swap them");
  Filter filter{options, std::nullopt};
  if (options.path.empty()) return filter;
  // As the mount shows it, a leading '/' is the volume's root.
  const auto path =
      StorePath::Parse(std::string_view(options.path).substr(options.path.starts_with('/') ? 1 : 0));
  if (!path)
    return Usage("journal show: --path: " + path.error().message +
                 "; write it relative to the volume's root");
  filter.path = *path;
  return filter;
}

}  // namespace

Result<Exit> RunJournalShow(const Session& session, const JournalShowOptions& options) {
  HAWSER_ASSIGN(const Filter filter, MakeFilter(options));
  HAWSER_ASSIGN(const std::string folder, JournalFolder(session, options.which));
  const auto damaged = [&](const Error& error) { return CannotDo(error, "see 'hawser journal check'"); };
  auto reader = OpenJournalReader(folder, Position{});
  if (!reader) return damaged(reader.error());
  std::uint64_t left = options.limit;
  while (left > 0) {
    auto frame = (*reader)->Next(Group(UINT64_MAX));
    if (!frame) return damaged(frame.error());
    if (!*frame || (*frame)->header.first_sequence.value > options.to) break;
    if ((*frame)->header.last_sequence().value < options.from) continue;
    const auto shown = ShowFrame(session, **frame, filter, left);
    if (!shown) return damaged(shown.error());
    left -= *shown;
  }
  return Exit::kDone;
}

}  // namespace hawser::cli
