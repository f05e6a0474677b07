#include "relay/recovery.h"

#include <fmt/format.h>

#include "common/base/log.h"
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

Result<Beginning> FromSavedState(const Journal& journal, const std::string& folder) {
  Beginning beginning;
  HAWSER_ASSIGN(beginning.state, LoadState(folder));
  HAWSER_ASSIGN(beginning.reader, journal.OpenReader(beginning.state.sequencer.head.position));
  return beginning;
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
  if (end.position.group.value == 0) return SavedState{{end, {}, {}}, {}};

  auto beginning = FromSavedState(journal, folder);
  if (!beginning) {
    log::info("no saved state of the relay to begin with ({}): reading the whole journal",
              beginning.error().Text());
    beginning = FromOldest(journal);
    if (!beginning) return std::move(beginning).error();
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
