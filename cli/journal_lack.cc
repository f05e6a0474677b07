// hawser journal lack: what a replica does not have of a journal.
#include <fmt/format.h>

#include <algorithm>

#include "cli/journal.h"
#include "cli/output.h"
#include "cli/record_line.h"
#include "cli/replica_folder.h"
#include "common/journal/inspect.h"
#include "common/journal/reader.h"

namespace hawser::cli {
namespace {

struct Tally {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // of payloads

  void Add(std::uint64_t payload) {
    ++records;
    bytes += payload;
  }
};

struct Lack {
  Tally all;
  std::uint64_t groups = 0;
  std::map<std::string, Tally> volumes;
  Group last_group;
};

enum class Relation { kBehind, kAhead, kDiffers };

// The positions from which records may be lacking.
std::vector<Progress> Positions(const ReplicaStand& replica) {
  if (!replica.journal.empty()) return {replica.end};
  std::vector<Progress> positions;
  for (const auto& [volume, progress] : replica.checkpoints) positions.push_back(progress);
  return positions;
}

Progress Lowest(const ReplicaStand& replica) {
  const auto positions = Positions(replica);
  return *std::ranges::min_element(positions, {}, [](const Progress& p) { return p.position.group; });
}

// Whether `journal` holds `position` with that digest. ENODATA: it no longer reaches back to it.
Result<bool> Holds(const std::string& journal, const Position& position) {
  const auto reader = OpenJournalReader(journal, position.group == Group{} ? Position{} : position);
  if (!reader && reader.error().code == ESTALE) return false;
  if (!reader) return reader.error();
  if (position.group != Group{} || (*reader)->at().position.group == Group{}) return true;
  return Error{ENODATA, fmt::format("the journal in '{}' begins after {}, and the replica holds nothing yet",
                                    journal, (*reader)->at().position.Text())};
}

// How one position of the replica lies to the journal, which ends at `end`.
Result<Relation> RelationOf(const ReplicaStand& replica, const Progress& at, const std::string& journal,
                            const Progress& end) {
  const bool other = at.position.group != Group{} && at.position.journal != end.position.journal;
  if (other) return Relation::kDiffers;
  if (at.position.group <= end.position.group) {
    HAWSER_ASSIGN(const bool holds, Holds(journal, at.position));
    return holds ? Relation::kBehind : Relation::kDiffers;
  }
  // The replica's own journal tells whether it came by where the other one ends.
  if (replica.journal.empty()) return Relation::kAhead;
  const auto holds = Holds(replica.journal, end.position);
  if (!holds && holds.error().code == ENODATA) return Relation::kAhead;
  if (!holds) return holds.error();
  return *holds ? Relation::kAhead : Relation::kDiffers;
}

// The last write group that both journals hold alike; nullopt if there is none to be seen.
Result<std::optional<Position>> LastCommon(const std::string& a, const std::string& b) {
  HAWSER_ASSIGN(const auto one, OpenJournalReader(a, Position{}));
  HAWSER_ASSIGN(const auto other, OpenJournalReader(b, Position{}));
  std::optional<Position> common;
  for (;;) {
    const Position& left = one->at().position;
    const Position& right = other->at().position;
    if (left.group == right.group) {
      if (left != right) return common;
      common = left;
    }
    JournalReader& behind = left.group <= right.group ? *one : *other;
    HAWSER_ASSIGN(const auto frame, behind.Next(kAllGroups));
    if (!frame) return common;
  }
}

Exit SayDiffers(const Session& session, const ReplicaStand& replica, const std::string& journal,
                const Progress& end) {
  std::string what =
      fmt::format("'{}' holds another history than the journal in '{}'", replica.name, journal);
  Json json{{"differs", true}};
  const Progress at = Lowest(replica);
  if (at.position.journal != end.position.journal) {
    what += fmt::format(": it was made from journal {}, this is {}", at.position.journal.Hex(),
                        end.position.journal.Hex());
  } else if (!replica.journal.empty()) {
    const auto common = LastCommon(replica.journal, journal);
    if (common && *common) {
      what += fmt::format(": they are the same up to {} and part there", (*common)->Text());
      json["same_up_to"] = (*common)->sequence.value;
    }
  }
  json["error"] = what;
  PrintError(what, "no records of the one may be applied on the other; the replica has to be copied anew");
  if (session.json) PrintJsonLine(json);
  return Exit::kNo;
}

// Whether the replica lacks this record.
bool IsLacked(const ReplicaStand& replica, const ShownRecord& record) {
  if (record.record.volume.value.empty()) return false;  // of the relay's own, and of no volume
  if (!replica.journal.empty()) return record.sequence > replica.end.position.sequence;
  const auto held = replica.checkpoints.find(record.record.volume);
  return held != replica.checkpoints.end() && record.sequence > held->second.position.sequence;
}

Result<Lack> List(const ReplicaStand& replica, const std::string& journal, std::uint64_t limit, bool json) {
  Lack lack;
  RecordFilter filter;
  filter.from = Next(Lowest(replica).position.sequence);
  HAWSER_TRY(ShowJournal(journal, filter, [&](const ShownRecord& record) {
    if (!IsLacked(replica, record)) return true;
    if (lack.all.records < limit) json ? PrintRecordAsJson(record) : PrintRecord(record);
    lack.all.Add(record.payload.size());
    lack.volumes[record.record.volume.value].Add(record.payload.size());
    if (record.group > lack.last_group) ++lack.groups;
    lack.last_group = record.group;
    return true;
  }));
  return lack;
}

void ShowJson(const ReplicaStand& replica, const std::string& journal, const Progress& end,
              const Lack& lack) {
  const auto of = [](const Tally& count) {
    return Json{{"records", count.records}, {"payload_bytes", count.bytes}};
  };
  Json lacks = of(lack.all);
  lacks["groups"] = lack.groups;
  lacks["volumes"] = Json::object();
  for (const auto& [volume, count] : lack.volumes) lacks["volumes"][volume] = of(count);
  PrintJsonLine({{"replica", Utf8(replica.name)},
                 {"by", replica.journal.empty() ? "checkpoint" : "journal"},
                 {"at", Lowest(replica).position.sequence.value},
                 {"journal", Utf8(journal)},
                 {"end", end.position.sequence.value},
                 {"lacks", lacks}});
}

void ShowText(const ReplicaStand& replica, const std::string& journal, const Progress& end,
              const Lack& lack) {
  if (lack.all.records > 0) fmt::print("\n");
  const Position at = Lowest(replica).position;
  fmt::print("{} stands at {}{}; the journal in '{}' ends at {}\n", Printable(replica.name), at.Text(),
             replica.journal.empty() ? " for certain (a checkpoint: its stores may hold more)" : "",
             Printable(journal), end.position.Text());
  if (lack.all.records == 0) {
    fmt::print("it lacks nothing{}\n", at.group > end.position.group ? ": it is ahead of this journal" : "");
    return;
  }
  fmt::print("it lacks {} in {}, {} of data\n\n", Counted(lack.all.records, "record"),
             Counted(lack.groups, "write group"), HumanBytes(lack.all.bytes));
  Table table({{"VOLUME"}, {"RECORDS", true}, {"DATA", true}}, StdoutHasColour());
  for (const auto& [volume, count] : lack.volumes)
    table.Add({{Printable(volume)}, {Grouped(count.records)}, {HumanBytes(count.bytes)}});
  fmt::print("{}", table.Text());
}

Error NotTold(const Error& error) {
  return CannotDo(error, error.code == ENODATA
                             ? "what the replica lacks can't be listed from here, and it needs a sync"
                             : "'hawser journal check' says more");
}

Result<std::string> JournalToCompare(const Session& session, const std::string& text) {
  if (text.empty()) return JournalFolder(session, {});
  HAWSER_ASSIGN(ReplicaStand stand, ReadReplica(session, text));
  if (stand.journal.empty())
    return CannotDo("'" + text + "' keeps no journal; name a journal's folder, or a secondary");
  return stand.journal;
}

}  // namespace

Result<Exit> RunJournalLack(const Session& session, const JournalLackOptions& options) {
  HAWSER_ASSIGN(const ReplicaStand replica, ReadReplica(session, options.replica));
  HAWSER_ASSIGN(const std::string journal, JournalToCompare(session, options.journal));
  const auto segments = ListJournal(journal);
  if (!segments) return NotTold(segments.error());
  const Progress end = segments->back().end;
  for (const Progress& at : Positions(replica)) {
    const auto relation = RelationOf(replica, at, journal, end);
    if (!relation) return NotTold(relation.error());
    if (*relation == Relation::kDiffers) return SayDiffers(session, replica, journal, end);
  }
  const auto lack = List(replica, journal, options.limit.value_or(UINT64_MAX), session.json);
  if (!lack) return NotTold(lack.error());
  session.json ? ShowJson(replica, journal, end, *lack) : ShowText(replica, journal, end, *lack);
  std::fflush(stdout);
  return lack->all.records == 0 ? Exit::kDone : Exit::kNo;
}

}  // namespace hawser::cli
