#include <fmt/format.h>

#include <algorithm>

#include "cli/journal.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "common/journal/inspect.h"

namespace hawser::cli {
namespace {

std::string Range(std::uint64_t first, std::uint64_t count) {
  return count == 0 ? "-" : fmt::format("{} - {}", first, first + count - 1);
}

void ShowTable(const std::string& folder, const std::vector<SegmentInfo>& segments) {
  Table table({{"SEGMENT"},
               {"RECORDS"},
               {"GROUPS"},
               {"USED", true},
               {"ON DISK", true},
               {"FIRST GROUP AT"},
               {"PROBLEM"}},
              StdoutHasColour());
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) {
    records += segment.records;
    bytes += segment.file_bytes;
    table.Add({{segment.name},
               {Range(segment.first_sequence().value, segment.records)},
               {Range(segment.first_group().value, segment.groups)},
               {HumanBytes(segment.used_bytes)},
               {HumanBytes(segment.file_bytes)},
               {segment.first_time ? IsoTime(*segment.first_time) : "-"},
               {Printable(segment.problem), Colour::kBad}});
  }
  fmt::print("journal {} in {}\n\n{}\n{} in {}, {}\n",
             segments.empty() ? "?" : segments.front().journal.Hex(), Printable(folder), table.Text(),
             Counted(records, "record"), Counted(segments.size(), "segment"), HumanBytes(bytes));
}

Json ToJson(const SegmentInfo& segment) {
  Json json{{"name", Utf8(segment.name)},       {"first_sequence", segment.first_sequence().value},
            {"records", segment.records},       {"first_group", segment.first_group().value},
            {"groups", segment.groups},         {"used_bytes", segment.used_bytes},
            {"file_bytes", segment.file_bytes}, {"created", IsoTime(segment.created)}};
  json["first_time"] = segment.first_time ? Json(IsoTime(*segment.first_time)) : Json();
  if (!segment.problem.empty()) json["problem"] = Utf8(segment.problem);
  return json;
}

void ShowJson(const std::string& folder, const std::vector<SegmentInfo>& segments) {
  Json list = Json::array();
  for (const auto& segment : segments) list.push_back(ToJson(segment));
  PrintJson({{"folder", Utf8(folder)},
             {"journal", segments.empty() ? Json() : Json(segments.front().journal.Hex())},
             {"segments", list}});
}

}  // namespace

Result<Exit> RunJournalList(const Session& session, const JournalOptions& options) {
  HAWSER_ASSIGN(const std::string folder, JournalFolder(session, options));
  const auto segments = ListJournal(folder);
  if (!segments) return CannotDo(segments.error(), "'hawser journal check' says more");
  session.json ? ShowJson(folder, *segments) : ShowTable(folder, *segments);
  const bool sound = std::all_of(segments->begin(), segments->end(),
                                 [](const SegmentInfo& segment) { return segment.problem.empty(); });
  return sound ? Exit::kDone : Exit::kNo;
}

}  // namespace hawser::cli
