// The records that a primary's store lacks before it serves, from the relay's journal.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "common/net/context.h"
#include "common/net/requester.h"
#include "volume/recovery/run_recovery.h"

namespace hawser {

// The request for what is wanted, and what was wanted from the relay's answer to it. Errors as RecordSource
// says; EIO for a refusal; EPROTO if it isn't an answer to that, EIO if the relay can't read its journal.
// The simulation uses both.
Pull PullFor(const Sender& from, const Recovery::Want& want, std::uint64_t max_bytes);
Result<ReplayBatch> BatchFrom(const Incoming& answer, const Recovery::Want& want,
                              const std::vector<VolumeName>& volumes);

// Asks until the relay answers, or until `cancel` (ECANCELED).
class RelaySource : public RecordSource {
 public:
  // `volumes` outlives it.
  RelaySource(NetContext& context, const std::string& control_endpoint, Sender from,
              const std::vector<VolumeName>& volumes, const std::atomic<bool>* cancel)
      : requester_(context, control_endpoint), from_(std::move(from)), volumes_(volumes), cancel_(cancel) {}

  Result<ReplayBatch> Next(const Recovery::Want& want) override;

 private:
  Requester requester_;
  const Sender from_;
  const std::vector<VolumeName>& volumes_;
  const std::atomic<bool>* cancel_;
};

}  // namespace hawser
