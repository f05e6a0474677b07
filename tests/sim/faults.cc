#include "tests/sim/faults.h"

#include <algorithm>

namespace hawser::sim {

const std::vector<FaultInfo>& AllFaults() {
  static const std::vector<FaultInfo> kAll = {
      {Fault::kReplyBeforeFlush, "reply-before-flush",
       "the relay answers, and only then flushes its journal"},
      {Fault::kPublishBeforeFlush, "publish-before-flush",
       "the relay publishes a frame before it is flushed"},
      {Fault::kCutGroupAfterReply, "cut-group-after-reply",
       "the relay answers a record while its write group still takes others in"},
      {Fault::kSkipDedup, "skip-dedup", "the relay takes a resent record for a new one"},
      {Fault::kForgetDedupAtRestart, "forget-dedup-at-restart",
       "a restarted relay doesn't know which records it has already"},
      {Fault::kApplyPastGap, "apply-past-gap",
       "a secondary applies a frame although one before it is missing"},
      {Fault::kSkipGroup, "skip-group", "a secondary now and then leaves a write group out"},
      {Fault::kCheckpointBeforeFlush, "checkpoint-before-flush",
       "a checkpoint is written before the store is flushed"},
      {Fault::kCheckpointPastInFlight, "checkpoint-past-in-flight",
       "a primary's checkpoint takes no notice of calls still in flight"},
      {Fault::kDropViewGate, "drop-view-gate",
       "a secondary's readers aren't kept out while a group is applied"},
      {Fault::kResendWithNewNumber, "resend-with-new-number",
       "a primary resends a record under a new number"},
      {Fault::kSkipConflicts, "skip-conflicts", "a primary doesn't keep conflicting calls apart"},
      {Fault::kSkipRedo, "skip-redo",
       "after a crash a replica believes that its store is as it was checkpointed"},
      {Fault::kAcceptOldGeneration, "accept-old-generation",
       "the relay takes records of a primary that was replaced"},
      {Fault::kTouchStore, "touch-store", "a byte of a secondary's store changes behind its back"},
      {Fault::kRetryFlush, "retry-flush", "a store is flushed once more after a flush has failed"},
      {Fault::kKeepCleanMark, "keep-clean-mark",
       "after an orderly end records are applied before the checkpoint says that it isn't clean any more"},
      {Fault::kHeedLateReports, "heed-late-reports", "the relay believes a late copy of a report"},
      {Fault::kTakeUnknownForSlow, "take-unknown-for-slow",
       "a restarted relay takes it that who has not reported yet has nothing"},
      {Fault::kTakeAppliedForKept, "take-applied-for-kept",
       "the relay keeps its journal from what replicas have applied on, not from their checkpoints"},
      {Fault::kTrustJournal, "trust-journal",
       "the relay doesn't ask whether its journal holds what nodes were told is durable"},
      {Fault::kTrustEndedSession, "trust-ended-session",
       "a node whose session has ended takes the relay's head for its own"},
      {Fault::kCountFileIdsAnew, "count-file-ids-anew", "each start of a node counts its file ids anew"},
      {Fault::kTrustAnyStore, "trust-any-store",
       "a start doesn't ask whether the store is the one that its checkpoint is of"},
      {Fault::kTrustLostJournal, "trust-lost-journal",
       "a copy whose own journal is gone believes that its store is as it was checkpointed"},
      {Fault::kIgnoreSavedState, "ignore-saved-state",
       "the relay doesn't ask whether its journal holds what it had saved"},
      {Fault::kSkipScrub, "skip-scrub", "nobody reads old segments of the relay's journal again"},
      {Fault::kIgnoreCuts, "ignore-cuts", "the relay puts what lies behind a cut into the same write group"},
      {Fault::kTakeAhead, "take-ahead", "the relay takes a batch though what lies ahead of it has not come"},
      {Fault::kTakeDoubtForNo, "take-doubt-for-no",
       "a primary takes it that a relay whose journal has failed doesn't have the record"},
      {Fault::kDropLeftRecords, "drop-left-records",
       "a primary forgets a record whose caller has left, though it is journaled"},
      {Fault::kReuseNumber, "reuse-number",
       "a primary drops a record that is in doubt, and gives its number to the next one"},
      {Fault::kSwapAnswers, "swap-answers", "a primary hands the answers to a batch out in another order"},
      {Fault::kForgetDifference, "forget-difference",
       "a restarted copy doesn't know what its store has refused"},
      {Fault::kStallForEver, "stall-for-ever", "a copy waits for what its store will never take"},
  };
  return kAll;
}

std::optional<Fault> FindFault(std::string_view name) {
  const auto& all = AllFaults();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const FaultInfo& info) { return info.name == name; });
  if (found == all.end()) return std::nullopt;
  return found->fault;
}

}  // namespace hawser::sim
