#include "relay/recovery.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/state_folder.h"
#include "common/journal/reader.h"
#include "relay/limits.h"

namespace hawser {

namespace {

// Where replay begins.
struct Beginning {
  SavedState state;
  std::unique_ptr<JournalReader> reader;
};

Result<Beginning> FromOldest(const Journal& journal) {
  Beginning beginning;
  HAWSER_ASSIGN(beginning.reader, journal.OpenReader(Position{}));
  beginning.state.sequencer.head = journal.oldest();
  return beginning;
}

// What the relay saved stood durable in its journal: a journal that doesn't hold it is another one or has
// lost something, and what would be journaled behind it would fork from what others hold.
Error NotInJournal(const Position& saved, const Position& end, const std::string& folder) {
  const std::string what =
      saved.journal != end.journal
          ? fmt::format("it is journal {}, and the relay's was {}", end.journal.Hex(), saved.journal.Hex())
      : saved.sequence > end.sequence
          ? fmt::format("it ends at {}, and the relay had acknowledged {}: {} records are missing",
                        end.Text(), saved.Text(), saved.sequence.value - end.sequence.value)
          : fmt::format("it does not hold {}, which the relay had acknowledged", saved.Text());
  return {EBADMSG,
          fmt::format(
              "the journal in '{}' is not as the relay left it: {}; put the missing segments or the right "
              "journal back. To go on with what is there, and lose the rest, remove '{}': nodes that hold "
              "more than it then refuse to follow",
              folder, what, SavedStatePath(folder))};
}

// nullopt if there is nothing that could be begun with.
Result<std::optional<Beginning>> FromSavedState(const Journal& journal, const std::string& folder) {
  auto state = LoadState(folder);
  if (!state) {
    const bool is_new = journal.durable().position.group.value == 0 && state.error().code == ENOENT;
    if (!is_new)
      log::info("no saved state of the relay to begin with ({}): reading the whole journal",
                state.error().Text());
    return std::optional<Beginning>();
  }
  const Position saved = state->sequencer.head.position;
  auto reader = journal.OpenReader(saved);
  if (!reader) {
    if (reader.error().code == ESTALE) return NotInJournal(saved, journal.durable().position, folder);
    if (reader.error().code != ENODATA) return reader.error();
    log::info("the relay's saved state is older than its journal's beginning ({}): reading the whole journal",
              reader.error().Text());
    return std::optional<Beginning>();
  }
  return std::optional(Beginning{*std::move(state), *std::move(reader)});
}

Result<std::vector<Record>> DecodeAll(const Frame& frame) {
  std::vector<Record> records;
  records.reserve(frame.entries.size());
  for (const Entry& entry : frame.entries) {
    auto record = DecodeRecord(entry.header, entry.payload);
    if (!record)
      return Error{EBADMSG, fmt::format("group {} of the journal holds something that isn't a record: {}",
                                        frame.header.group.value, record.error().message)};
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace

Result<SavedState> Recover(const Journal& journal, const std::string& folder, const Membership& members) {
  const Progress end = journal.durable();
  HAWSER_ASSIGN(auto beginning, FromSavedState(journal, folder));
  if (end.position.group.value == 0) return SavedState{{end, {}, {}}, {}};
  if (!beginning) {
    HAWSER_ASSIGN(beginning, FromOldest(journal));
  }
  std::vector<Progress> milestones = std::move(beginning->state.milestones);
  Sequencer sequencer(members, std::move(beginning->state.sequencer));
  std::uint64_t groups = 0;
  for (;; ++groups) {
    HAWSER_ASSIGN(const std::optional<Frame> frame, beginning->reader->Next(end.position.group));
    if (!frame) break;
    HAWSER_ASSIGN(const std::vector<Record> records, DecodeAll(*frame));
    const Progress before = sequencer.state().head;
    sequencer.Replay(records, frame->header.progress());
    // Whatever came before: this group says all of it.
    if (records == sequencer.state().Facts())
      AddMilestone(milestones, journal.EndAtOrBefore(before.position.group));
  }
  if (sequencer.state().head != end)
    return Error{EBADMSG, fmt::format("the journal in {} ends at {}, but its frames lead to {}", folder,
                                      end.position.Text(), sequencer.state().head.position.Text())};
  ForgetMilestones(milestones, journal.oldest());
  log::info("read {} groups of the journal; the head is {}", groups, end.position.Text());
  return SavedState{sequencer.state(), std::move(milestones)};
}

void AddMilestone(std::vector<Progress>& milestones, const Progress& milestone) {
  if (!milestones.empty() && milestone.position.group <= milestones.back().position.group) return;
  if (milestones.size() >= kMaxMilestones) {
    std::size_t place = 0;
    std::erase_if(milestones, [&place](const Progress&) { return place++ % 2 == 1; });
  }
  milestones.push_back(milestone);
}

void ForgetMilestones(std::vector<Progress>& milestones, const Progress& oldest) {
  std::size_t past = 0;
  while (past < milestones.size() && milestones[past].position.group <= oldest.position.group) ++past;
  if (past > 1)
    milestones.erase(milestones.begin(), milestones.begin() + static_cast<std::ptrdiff_t>(past - 1));
}

}  // namespace hawser
