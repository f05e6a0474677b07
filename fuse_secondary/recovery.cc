#include "fuse_secondary/recovery.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/journal/reader.h"
#include "volume/recovery/run_recovery.h"

namespace hawser {

namespace {

class OwnJournalSource : public RecordSource {
 public:
  OwnJournalSource(OwnJournal& journal, std::uint64_t batch_bytes, const std::vector<VolumeName>& volumes)
      : journal_(journal), batch_bytes_(batch_bytes), volumes_(volumes) {}

  Result<ReplayBatch> Next(const Recovery::Want& want) override {
    if (reader_ == nullptr || reader_->at().position != want.after.position) {
      HAWSER_ASSIGN(reader_, journal_.OpenReader(want.after.position));
    }
    return ReadBatch(*reader_, want.last, batch_bytes_, volumes_);
  }

 private:
  OwnJournal& journal_;
  const std::uint64_t batch_bytes_;
  const std::vector<VolumeName>& volumes_;
  std::unique_ptr<JournalReader> reader_;
};

RecoveryJournal Known(const OwnJournal& journal) {
  RecoveryJournal known{.name = "the own journal '" + journal.folder() + "'", .oldest = {}, .end = {}};
  if (!journal.is_open()) return known;
  known.oldest = journal.oldest();
  known.end = journal.durable();
  return known;
}

Status RecoverFromRelay(CopyRecovery& copies, const CopyRecoveryCalls& calls,
                        const std::atomic<bool>* cancel) {
  if (copies.needs_relay()) {
    log::info(
        "the end before was unclean, and the own journal doesn't have all that a store may hold since: the "
        "copies are redone from the relay's before they are shown");
  } else {
    log::info("the own journal begins after where a volume stands: the copies are brought on by the relay's");
  }
  Recovery& core = copies.core();
  HAWSER_ASSIGN(const RelaysJournal relays, calls.relays_journal(core.names(), cancel));
  HAWSER_TRY(copies.BeginFromRelay(relays.known));
  HAWSER_TRY(RunRecovery(core, *relays.source, cancel));
  for (std::size_t i = 0; i < core.stands().size(); ++i) {
    if (core.stands()[i].active()) HAWSER_TRY(calls.checkpoint(i, core.stands()[i]));
  }
  return {};
}

}  // namespace

CopyRecovery::CopyRecovery(OwnJournal& journal, std::vector<RecoveryVolume> volumes)
    : journal_(journal), core_(std::move(volumes), RecoverFor::kFollowing, "secondary.redoing") {}

Status CopyRecovery::Open() {
  HAWSER_TRY(core_.ReadStands());
  HAWSER_ASSIGN(const bool exists, journal_.Exists());
  if (exists && !journal_.is_open()) HAWSER_TRY(journal_.Open({}));
  needs_relay_ = !core_.IsProvenBy(Known(journal_));
  return {};
}

bool CopyRecovery::GainsFromRelay(const Progress& oldest) const {
  return journal_.is_open() && core_.StandingBefore(oldest) < core_.StandingBefore(journal_.oldest());
}

// Where there is none, or one that ends before all volumes, one begins where the hindmost of them stands: a
// node that was primary of all it has received nothing meanwhile. Or not yet, if that is nothing: then it
// begins with the relay's, whose id is not known yet.
Status CopyRecovery::RecoverFromOwn(std::uint64_t batch_bytes, const std::atomic<bool>* cancel) {
  const auto hindmost = core_.hindmost();
  const Group end = journal_.is_open() ? journal_.durable().position.group : Group{};
  if (hindmost && hindmost->position.group > end && !needs_relay_) {
    log::info("the own journal begins at {}, where the copies stand", hindmost->position.Text());
    HAWSER_TRY(journal_.BeginAnew(*hindmost));
  }
  HAWSER_TRY(core_.Begin(Known(journal_)));
  Begun();
  OwnJournalSource source(journal_, batch_bytes, core_.names());
  return RunRecovery(core_, source, cancel);
}

Status CopyRecovery::BeginFromRelay(RecoveryJournal relays) {
  from_relay_ = true;
  HAWSER_TRY(core_.Begin(std::move(relays)));
  Begun();
  return {};
}

Result<Recovered> CopyRecovery::Waiting(const Error& error) const {
  const RecoveryVolume* volume = core_.waits_for();
  if (volume == nullptr) return error;
  const std::string problem = fmt::format(
      "after an unclean end the copies wait for volume {}, whose store '{}' does not take a record: {}; make "
      "room or mend it, the redo then goes on by itself",
      volume->name.value, volume->path, error.Text());
  Recovered waiting{{}, begun_, true};
  for (VolumeStand& stand : waiting.volumes) {
    if (!stand.active()) continue;
    stand.condition = Condition::kStalled;
    stand.problem = problem;
    stand.whole = false;
  }
  return waiting;
}

Result<Recovered> CopyRecovery::End() {
  Recovered recovered{core_.next(), core_.stands()};
  if (!from_relay_) return recovered;
  for (VolumeStand& stand : recovered.volumes) {
    if (stand.active()) stand.checkpoint = stand.applied;
  }
  log::info("the own journal begins anew at {}", recovered.begin.position.Text());
  HAWSER_TRY(journal_.BeginAnew(recovered.begin));
  return recovered;
}

Result<Recovered> RecoverCopies(OwnJournal& journal, std::vector<RecoveryVolume> volumes,
                                std::uint64_t batch_bytes, const CopyRecoveryCalls& calls,
                                const std::atomic<bool>* cancel) {
  CopyRecovery copies(journal, std::move(volumes));
  HAWSER_TRY(copies.Open());
  const bool wanted =
      copies.needs_relay() || (calls.relays_oldest && copies.GainsFromRelay(*calls.relays_oldest));
  const bool from_relay = wanted && calls.relays_journal;
  const Status done =
      from_relay ? RecoverFromRelay(copies, calls, cancel) : copies.RecoverFromOwn(batch_bytes, cancel);
  return done ? copies.End() : copies.Waiting(done.error());
}

}  // namespace hawser
