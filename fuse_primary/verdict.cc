#include "fuse_primary/verdict.h"

#include <fmt/format.h>

namespace hawser {

namespace {

using Meaning = Verdict::Meaning;

Verdict JudgeAck(const Ack& ack, const JournalId& journal) {
  const JournalId& written = ack.group.position.journal;
  if (written == journal) return {};
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

Verdict Judge(const Answer& answer, const JournalId& journal) {
  if (const auto* ack = std::get_if<Ack>(&answer)) return JudgeAck(*ack, journal);
  return JudgeRefusal(std::get<Refusal>(answer));
}

}  // namespace hawser
