#include "relay/relay_status.h"

#include <fmt/format.h>

#include <utility>

namespace hawser {

namespace {

std::string WhatIsDamaged(const std::vector<JournalFault>& damage) {
  std::string text = "the journal is damaged: " + TextOf(damage.front());
  if (damage.size() > 1) text += fmt::format(" (and {} more places)", damage.size() - 1);
  return text +
         "; all else is served and writers go on. Put the segment back from a copy (the relay finds it by "
         "itself), and look after the disk";
}

std::pair<RelayState, std::string> WorstOf(const RelayEvidence& found) {
  if (!found.journal_failure.empty()) return {RelayState::kJournalFailed, found.journal_failure};
  if (!found.missing.empty()) return {RelayState::kWentBack, found.missing};
  if (found.holds_writers)
    return {RelayState::kHoldingWriters,
            "the journal's filesystem is nearly full and its oldest groups are still needed: make room, or "
            "bring the node that is furthest behind up to date"};
  if (!found.damage.empty()) return {RelayState::kJournalDamaged, WhatIsDamaged(found.damage)};
  return {RelayState::kLive, ""};
}

}  // namespace

RelayStatus Judge(RelayEvidence found) {
  auto [state, problem] = WorstOf(found);
  return {state, std::move(problem), found.journal_bytes, found.refused, std::move(found.damage)};
}

}  // namespace hawser
