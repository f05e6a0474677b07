#include "fuse_primary/verdict.h"

#include <fmt/format.h>

namespace hawser {

namespace {

using Meaning = Verdict::Meaning;

Verdict JudgeAck(const Ack& ack, const JournalId& journal, Group known) {
  const JournalId& written = ack.group.position.journal;
  const Group group = ack.group.position.group;
  if (written == journal && group > known) return {};
  if (written == journal) {
    Error error{
        EIO, fmt::format("the relay's journal has gone back: it writes group {} again, though group {} was "
                         "acknowledged before; stop this node, and restore the relay's journal folder",
                         group.value, known.value)};
    return {Meaning::kOtherJournal, std::move(error), false};
  }
  // Going on would make a history that no replica shares.
  Error error{EIO, fmt::format("the relay now writes journal {}, not {} that this store follows; stop this "
                               "node, and restore the relay's journal folder",
                               written.Hex(), journal.Hex())};
  return {Meaning::kOtherJournal, std::move(error), false};
}

Verdict JudgeRefusal(const Refusal& refusal) {
  switch (refusal.code) {
    case RefusalCode::kFenced:
    case RefusalCode::kNotPrimary:
      return {Meaning::kFenced, Error{EROFS, refusal.text}, true};
    case RefusalCode::kOldSession:
      return {Meaning::kFenced, Error{EROFS, refusal.text}, false};
    default:
      return {Meaning::kRefused, Error{ToErrno(refusal.code), refusal.text}, true};
  }
}

}  // namespace

Verdict Judge(const Answer& answer, const JournalId& journal, Group known) {
  if (const auto* ack = std::get_if<Ack>(&answer)) return JudgeAck(*ack, journal, known);
  return JudgeRefusal(std::get<Refusal>(answer));
}

std::optional<Setback> SetbackOf(const Verdict& verdict) {
  switch (verdict.meaning) {
    case Meaning::kJournaled:
    case Meaning::kRefused:
      return std::nullopt;
    case Meaning::kFenced:
      return Setback{Setback::Kind::kFenced, verdict.error};
    case Meaning::kOtherJournal:
      return Setback{Setback::Kind::kDiverged, verdict.error};
  }
  return std::nullopt;
}

}  // namespace hawser
