// Deliberate faults: what a broken Hawser would do. Each shows that the checker can fail; they are in the
// simulation only, at the seams between the production code and what is simulated around it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace hawser::sim {

enum class Fault {
  kReplyBeforeFlush,
  kPublishBeforeFlush,
  kCutGroupAfterReply,
  kSkipDedup,
  kForgetDedupAtRestart,
  kApplyPastGap,
  kSkipGroup,
  kCheckpointBeforeFlush,
  kCheckpointPastInFlight,
  kDropViewGate,
  kResendWithNewNumber,
  kSkipConflicts,
  kSkipRedo,
  kAcceptOldGeneration,
  kTouchStore,
  kRetryFlush,
  kTakeDoubtForNo,
  kDropLeftRecords,
  kReuseNumber,
  kSwapAnswers,
  kIgnoreCuts,
  kTakeAhead,
  kKeepCleanMark,
  kHeedLateReports,
  kTakeUnknownForSlow,
  kTakeAppliedForKept,
  kTrustJournal,
  kTrustEndedSession,
  kCountFileIdsAnew,
  kIgnoreSavedState,
  kSkipScrub,
  kTrustAnyStore,
  kTrustLostJournal,
  kForgetDifference,
  kStallForEver,
};

struct FaultInfo {
  Fault fault;
  std::string_view name;  // of --fault
  std::string_view what;
};

const std::vector<FaultInfo>& AllFaults();
std::optional<Fault> FindFault(std::string_view name);

// At most one at a time: each has to be found by itself.
class Mutations {
 public:
  Mutations() = default;
  explicit Mutations(std::optional<Fault> fault) : fault_(fault) {}

  bool Has(Fault fault) const { return fault_ == fault; }
  bool any() const { return fault_.has_value(); }

 private:
  std::optional<Fault> fault_;
};

}  // namespace hawser::sim
