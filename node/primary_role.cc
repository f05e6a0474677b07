#include "node/primary_role.h"

#include <chrono>

#include "common/base/log.h"
#include "common/base/periodic_thread.h"
#include "fuse_primary/relay_source.h"
#include "volume/recovery/recoverable_store.h"
#include "volume/recovery/run_recovery.h"

namespace hawser {

namespace {

constexpr auto kLookForEnd = std::chrono::milliseconds(50);

void SayWhatWasDone(const VolumeName& volume, const Recovery& recovery, const Progress& from, bool redo,
                    SteadyClock::duration took) {
  if (!redo && recovery.records() == 0) return;
  log::info("{}: {} from {} to {}: {} records in {:.2f} s", volume.value,
            redo ? "redone after an unclean end" : "applied", from.position.Text(),
            recovery.stands().front().applied.position.Text(), recovery.records(),
            std::chrono::duration<double>(took).count());
}

}  // namespace

Result<std::unique_ptr<PrimaryRole>> PrimaryRole::Begin(const Parts& parts, const Welcome& welcome,
                                                        Generation generation, OnSetback on_setback,
                                                        StartWatch& watch) {
  Volume& volume = parts.volume;
  watch.Does("bringing the store of " + volume.name().value + " to where the relay's journal ends");
  const auto store = Recoverable(volume.store());
  Recovery recovery({{volume.name(), store.get(), &parts.checkpoint}}, RecoverFor::kServing,
                    "primary.redoing");
  HAWSER_TRY(recovery.ReadStands());
  const Progress from = recovery.stands().front().checkpoint;
  const bool redo = recovery.redoes();
  HAWSER_TRY(recovery.Begin({"the relay's journal", welcome.oldest, welcome.head, /*is_relays=*/true}));
  RelaySource source(parts.context, parts.control_endpoint,
                     {parts.group, parts.shipper.node(), parts.shipper.session(), welcome.head.position},
                     recovery.names(), watch.cancel());
  const auto began = SteadyClock::now();
  HAWSER_TRY(RunRecovery(recovery, source, watch.cancel()));
  const VolumeStand& stand = recovery.stands().front();
  if (!stand.active())
    return Error{stand.condition == Condition::kNeedsSync ? ENODATA : ESTALE,
                 "volume " + volume.name().value + ": " + stand.problem};
  SayWhatWasDone(volume.name(), recovery, from, redo, SteadyClock::now() - began);

  // Also when it was journaled by a start that was cut off: once more does no harm.
  const bool first_start = from.position.group == Group{};
  std::unique_ptr<PrimaryRole> role(new PrimaryRole(parts, generation, from, first_start));
  role->funnel_ = std::make_shared<Funnel>(volume, parts.shipper, parts.config, generation, welcome.head,
                                           std::move(on_setback));
  role->refused_ = recovery.refused().entries();
  return role;
}

// What the store has refused comes first: whoever calls is told what is there, and that is what replicas get.
Status PrimaryRole::MakeUp(StartWatch& watch) {
  if (!refused_.empty())
    watch.Does("journaling what the store of " + parts_.volume.name().value +
               " has instead of what it refuses");
  std::optional<Sequence> last;  // a record can stand for two paths
  for (const Difference& entry : std::exchange(refused_, {})) {
    if (std::exchange(last, entry.sequence) == entry.sequence) continue;
    HAWSER_TRY(funnel_->Compensate(entry.record, entry.sequence, entry.why));
  }
  return {};
}

Status PrimaryRole::Open(StartWatch& watch) {
  {
    // Who asks for the end of the start doesn't know of the funnel, in which this waits.
    const PeriodicThread ending(kLookForEnd, [&] {
      if (!watch.GoOn()) funnel_->End();
    });
    const Status journaled = JournalAll(watch);
    HAWSER_TRY(watch.GoOn());
    HAWSER_TRY(journaled);
  }
  opened_ = true;
  return WriteCheckpoint(Beyond::kServed);
}

// The root before the first checkpoint: a start that is cut off in between does it again.
Status PrimaryRole::JournalAll(StartWatch& watch) {
  HAWSER_TRY(MakeUp(watch));
  if (!first_start_) return {};
  watch.Does("journaling the root of " + parts_.volume.name().value);
  return funnel_->JournalRoot();
}

Status PrimaryRole::KeepCheckpoint() {
  if (!checkpoints_.due(funnel_->applied().Get())) return {};
  return WriteCheckpoint(Beyond::kServed);
}

Status PrimaryRole::WriteCheckpoint(Beyond beyond) {
  return FlushAndKeep(checkpoints_, parts_.volume.store(), funnel_->applied().Get(), beyond,
                      "primary.store_synced");
}

void PrimaryRole::HeadKnown(const Progress& head) { funnel_->applied().Known(head); }

void PrimaryRole::Report(VolumeReport& report) const {
  report.generation = generation_;
  report.held_for = funnel_->held_for();
  report.applied = funnel_->applied().Get();
  report.checkpoint = checkpoints_.last();
  report.unanswered = funnel_->unanswered();
  std::string problem = checkpoints_.trouble().value_or("");
  if (const auto failed = checkpoints_.failure())
    problem =
        failed->Text() +
        "; what is acknowledged is on the relay. Mend the disk, then start this node again: it redoes from " +
        report.checkpoint.position.Text();
  if (problem.empty()) return;
  report.state = Worse(report.state, ReplicaState::kStalled);
  if (report.problem.empty()) report.problem = std::move(problem);
}

Status PrimaryRole::End(bool in_order) {
  if (std::exchange(ended_, true)) return {};
  funnel_->End();
  if (!in_order || !opened_) return {};
  // What isn't settled keeps the end from being clean.
  return WriteCheckpoint(funnel_->applied().idle() ? Beyond::kNothing : Beyond::kServed);
}

}  // namespace hawser
