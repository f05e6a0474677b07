#include "fuse_secondary/recovery.h"

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

// Where there is none, one begins where the hindmost volume stands; or not yet, if that is nothing: then it
// begins with the relay's, whose id is not known yet.
Status OpenOrBegin(OwnJournal& journal, const std::optional<Progress>& hindmost) {
  HAWSER_ASSIGN(const bool exists, journal.Exists());
  if (exists) return journal.Open({});
  if (!hindmost || hindmost->position.group == Group{}) return {};
  log::warn("the own journal is gone; a new one begins at {}", hindmost->position.Text());
  return journal.Open(*hindmost);
}

RecoveryJournal Known(const OwnJournal& journal) {
  RecoveryJournal known{.name = "the own journal '" + journal.folder() + "'", .oldest = {}, .end = {}};
  if (!journal.is_open()) return known;
  known.oldest = journal.oldest();
  known.end = journal.durable();
  return known;
}

}  // namespace

Result<Recovered> Recover(OwnJournal& journal, std::vector<RecoveryVolume> volumes, std::uint64_t batch_bytes,
                          const std::atomic<bool>* cancel) {
  Recovery recovery(std::move(volumes), RecoverFor::kFollowing, "secondary.redoing");
  HAWSER_TRY(recovery.ReadStands());
  HAWSER_TRY(OpenOrBegin(journal, recovery.hindmost()));
  HAWSER_TRY(recovery.Begin(Known(journal)));
  OwnJournalSource source(journal, batch_bytes, recovery.names());
  HAWSER_TRY(RunRecovery(recovery, source, cancel));
  return Recovered{recovery.next(), recovery.stands()};
}

}  // namespace hawser
