#include "fuse_secondary/remedy_search.h"

#include "common/base/log.h"
#include "volume/recovery/replay_batch.h"

namespace hawser {

namespace {

constexpr std::uint64_t kBatchBytes = kMiB;
constexpr std::uint64_t kFarthest = 64 * kMiB;

}  // namespace

bool RemedySearch::Find(Sequence refused, const Progress& at, Group last) {
  if (!remedied_.contains(refused)) Look(at, last);
  return remedied_.contains(refused);
}

void RemedySearch::Look(const Progress& at, Group last) {
  if (reader_ == nullptr || reader_->at().position.group < at.position.group) {
    auto reader = journal_.OpenReader(at.position);
    if (!reader) return log::warn("can't look for a remedy: {}", reader.error().Text());
    reader_ = *std::move(reader);
    std::erase_if(remedied_, [&](Sequence sequence) { return sequence <= at.position.sequence; });
  }
  while (reader_->at().position.group < last && reader_->at().journal_bytes < at.journal_bytes + kFarthest) {
    const auto batch = ReadBatch(*reader_, last, kBatchBytes, volumes_);
    if (!batch) {
      log::warn("can't look for a remedy: {}", batch.error().Text());
      reader_.reset();
      return;
    }
    if (batch->groups.empty()) return;
    for (const ReplayGroup& group : batch->groups) {
      for (const ReplayRecord& record : group.records) {
        if (record.record.remedy && record.record.remedy->last)
          remedied_.insert(record.record.remedy->refused);
      }
    }
  }
}

}  // namespace hawser
