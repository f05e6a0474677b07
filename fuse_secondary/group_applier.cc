#include "fuse_secondary/group_applier.h"

#include <map>
#include <optional>

#include "common/base/crash_point.h"
#include "common/record/kinds.h"

namespace hawser {

namespace {

// Below these, waking other threads costs more than it brings.
constexpr std::size_t kParallelChains = 4;
constexpr std::size_t kParallelBytes = 256 * kKiB;

// Records of one file stay in one thread and in order.
std::vector<std::vector<std::size_t>> Chains(const GroupInProgress& progress) {
  std::vector<std::vector<std::size_t>> chains;
  std::map<std::pair<std::size_t, FileId>, std::size_t> by_file;
  for (std::size_t i = 0; i < progress.group->records.size(); ++i) {
    if (progress.done[i]) continue;
    const ReplayRecord& record = progress.group->records[i];
    const FileId file = FileOf(record.record.body);
    if (file == kNoFileId) {
      chains.push_back({i});
      continue;
    }
    const auto [chain, is_new] = by_file.try_emplace({record.volume, file}, chains.size());
    if (is_new) chains.emplace_back();
    chains[chain->second].push_back(i);
  }
  return chains;
}

bool IsSmall(const GroupInProgress& progress, std::size_t chains) {
  return chains < 2 || (chains < kParallelChains && progress.group->bytes < kParallelBytes);
}

}  // namespace

std::vector<GroupFailure> GroupApplier::Apply(GroupInProgress& progress) {
  const auto& records = progress.group->records;
  const auto chains = Chains(progress);
  std::vector<std::optional<Error>> errors(records.size());
  const auto run = [&](std::size_t chain) {
    for (const std::size_t i : chains[chain]) {
      if (Status applied = apply_(records[i], progress.tried[i] != 0); applied) {
        progress.done[i] = 1;
        CrashPoint("secondary.applying");
      } else {
        errors[i] = std::move(applied).error();
        if (progress.tried[i] < 2) ++progress.tried[i];
        return;  // what follows on this file waits for it
      }
    }
  };
  if (IsSmall(progress, chains.size())) {
    for (std::size_t i = 0; i < chains.size(); ++i) run(i);
  } else {
    pool_.Run(chains.size(), run);
  }

  std::vector<GroupFailure> failures;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (errors[i]) failures.push_back({records[i].volume, i, *std::move(errors[i])});
  }
  return failures;
}

}  // namespace hawser
