#include <fmt/format.h>

#include "cli/journal.h"
#include "cli/output.h"
#include "common/journal/inspect.h"

namespace hawser::cli {
namespace {

Json ToJson(const JournalFault& fault) {
  return {{"segment", Utf8(fault.segment)},
          {"offset", fault.offset},
          {"what", Utf8(fault.what)},
          {"first_group", fault.first.value},
          {"last_group", fault.last.value}};
}

void ShowJson(const std::string& folder, const CheckReport& report) {
  Json json{{"folder", Utf8(folder)},
            {"sound", !report.damage && !report.missing_beginning},
            {"journal", report.journal.Hex()},
            {"segments", report.segments},
            {"groups", report.groups},
            {"records", report.records},
            {"file_bytes", report.file_bytes},
            {"first_sequence", Next(report.oldest.position.sequence).value},
            {"last_sequence", report.end.position.sequence.value}};
  if (report.missing_beginning) json["missing_beginning"] = ToJson(*report.missing_beginning);
  if (report.damage) json["damage"] = ToJson(*report.damage);
  if (report.torn_tail) {
    json["torn_tail"] = ToJson(*report.torn_tail);
    json["torn_bytes"] = report.torn_bytes;
  }
  if (!report.unfinished_segment.empty()) json["unfinished_segment"] = Utf8(report.unfinished_segment);
  PrintJson(json);
}

void ShowText(const CheckReport& report) {
  fmt::print("journal {}: {} in {}, {}, {}\n", report.journal.Hex(), Counted(report.records, "record"),
             Counted(report.groups, "write group"), Counted(report.segments, "segment"),
             HumanBytes(report.file_bytes));
  if (report.records > 0) {
    fmt::print("from record {} to record {}\n", Next(report.oldest.position.sequence).value,
               report.end.position.Text());
  }
  if (report.torn_tail) {
    fmt::print(
        "note: {} bytes of an unfinished write group in {} at {}; nobody was told that it is safe, and it is "
        "cut at the next start\n",
        report.torn_bytes, Printable(report.torn_tail->segment), report.torn_tail->offset);
  }
  if (!report.unfinished_segment.empty()) {
    fmt::print("note: {} was just being created in a crash, and is removed at the next start\n",
               Printable(report.unfinished_segment));
  }
  if (!report.damage && !report.missing_beginning)
    fmt::print("sound: every checksum and the whole chain are right\n");
}

}  // namespace

Result<Exit> RunJournalCheck(const Session& session, const JournalOptions& options) {
  HAWSER_ASSIGN(const std::string folder, JournalFolder(session, options));
  const auto report = CheckJournal(folder);
  if (!report) return CannotDo(report.error(), "correct that and check again");
  session.json ? ShowJson(folder, *report) : ShowText(*report);
  if (report->missing_beginning) {
    PrintError(fmt::format("journal {}: {}", folder, TextOf(*report->missing_beginning)),
               fmt::format("put it back; what begins with record {} is not touched by it",
                           Next(report->oldest.position.sequence).value));
  }
  if (!report->damage) return report->missing_beginning ? Exit::kNo : Exit::kDone;
  PrintError(
      fmt::format("journal {}: damaged in {} at {}: {}", folder, report->damage->segment,
                  report->damage->offset, report->damage->what),
      fmt::format("everything up to record {} is sound; look after the disk, and keep a copy of the folder "
                  "before anything else",
                  report->end.position.sequence.value));
  return Exit::kNo;
}

}  // namespace hawser::cli
