#include "node/roles.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/state_folder.h"
#include "fuse_primary/relay_source.h"
#include "node/pause_mark.h"

namespace hawser {

namespace {

constexpr auto kCheckpointInterval = std::chrono::seconds(2);
constexpr auto kSettleInterval = std::chrono::milliseconds(20);
// A change of roles asks the relay where its journal ends; if that fails it is tried again after a while.
constexpr auto kHelloPatience = std::chrono::seconds(2);
constexpr auto kTryAgain = std::chrono::seconds(1);

// Whether a copy in this state is the volume, as far as it has got.
bool IsFine(ReplicaState state) {
  switch (state) {
    case ReplicaState::kLive:
    case ReplicaState::kCatchingUp:
    case ReplicaState::kPaused:
    case ReplicaState::kDiffers:
    case ReplicaState::kDisconnected:
      return true;
    case ReplicaState::kSyncing:
    case ReplicaState::kStalled:
    case ReplicaState::kFenced:
    case ReplicaState::kUnmounted:
    case ReplicaState::kNeedsSync:
    case ReplicaState::kDiverged:
    case ReplicaState::kUnknown:
      return false;
  }
  return false;
}

const VolumeReport* FindReport(const ReplicaReport& copies, const VolumeName& volume) {
  const auto found = std::ranges::find(copies.volumes, volume, &VolumeReport::volume);
  return found == copies.volumes.end() ? nullptr : &*found;
}

}  // namespace

Roles::Roles(const Parts& parts) : parts_(parts), own_(parts.config.nodes.at(parts.node)) {}

Roles::~Roles() = default;

// ---- the start

Status Roles::Open(const std::set<VolumeName>& new_stores) {
  for (const auto& [volume, unused] : own_.volumes) {
    HAWSER_ASSIGN(auto hosted,
                  HostedVolume::Open(parts_.config, parts_.node, volume, new_stores.contains(volume)));
    volumes_.push_back(std::move(hosted));
  }
  return {};
}

void Roles::Remember(const std::vector<VolumeFact>& facts) {
  for (const VolumeFact& fact : facts) {
    if (HostedVolume* hosted = Find(fact.volume)) hosted->Learn(LastHeard{fact});
  }
}

bool Roles::needs_relay() const {
  return std::ranges::any_of(volumes_, [](const auto& hosted) { return hosted->needs_relay(); });
}

Status Roles::Begin(const std::optional<Welcome>& welcome, StartWatch& watch) {
  for (const auto& hosted : volumes_) {
    // A volume that the relay doesn't mention has the primary that was known before.
    RoleFact fact = welcome ? RoleFact(RelaySays{hosted->known()}) : RoleFact(RelayIsSilent{});
    if (welcome) {
      const auto said = std::ranges::find(welcome->volumes, hosted->name(), &VolumeFact::volume);
      if (said != welcome->volumes.end()) fact = RelaySays{*said};
    }
    hosted->Learn(fact);
  }
  const std::vector<Change> first = Due();
  for (const Change& change : first) {
    if (std::holds_alternative<BecomeSecondary>(change.to))
      HAWSER_TRY(change.volume->Become(BecomeSecondary{}));
  }
  HAWSER_TRY(BeginReplica(welcome, watch));
  ShowOrRefuse();
  std::size_t left_out = 0;
  for (const Change& change : first) {
    const auto* primary = std::get_if<BecomePrimary>(&change.to);
    if (primary == nullptr) continue;
    const Status became =
        change.volume->Become(*primary, parts_.context, ShipperOf(*welcome), *welcome, watch);
    if (became) continue;
    // One that needs a sync keeps no other from being served.
    if (became.error().code != ENODATA || ++left_out == volumes_.size()) return became;
    HAWSER_TRY(change.volume->LeaveOut(became.error()));
  }
  return {};
}

Status Roles::Mount() {
  heard_ = SteadyClock::now();
  for (const auto& hosted : volumes_) HAWSER_TRY(hosted->Mount());
  checkpointer_.emplace(kCheckpointInterval, [this] { KeepCheckpoints(); });
  changer_.emplace(kSettleInterval, [this] { Settle(); });
  return {};
}

// ---- the replica

Shipper& Roles::ShipperOf(const Welcome& welcome) {
  const MutexLock lock(mutex_);
  if (shipper_ == nullptr)
    shipper_ = std::make_shared<Shipper>(parts_.context, parts_.config.relay.WriteEndpoint(), parts_.node,
                                         welcome.session, parts_.known);
  return *shipper_;
}

Status Roles::BeginReplica(const std::optional<Welcome>& welcome, StartWatch& watch) {
  std::vector<ReplicaVolume> copies;
  for (const auto& hosted : volumes_) {
    if (hosted->secondary()) copies.push_back({&hosted->volume(), hosted->checkpoint_path()});
  }
  if (copies.empty()) return {};
  watch.Does("bringing the copies to a whole state");
  ReplicaOptions options;
  options.cancel = watch.cancel();
  options.paused = IsPaused(StateFolder(own_.state).Paused());
  if (options.paused)
    log::warn("its copies are paused: they go on after 'hawser resume {}'", parts_.node.value);
  options.sender = parts_.sender;
  options.relays_journal = [this, welcome, &watch](const std::vector<VolumeName>& volumes,
                                                   const std::atomic<bool>* cancel) {
    return AwaitRelaysJournal(welcome, watch, volumes, cancel);
  };
  if (welcome) options.relays_oldest = welcome->oldest;
  options.on_applied = [this](Volume& volume, const Stale& stale) {
    if (HostedVolume* hosted = Find(volume.name())) hosted->Invalidate(stale);
  };
  HAWSER_ASSIGN(
      const std::shared_ptr<Replica> begun,
      Replica::Start(parts_.context, parts_.config.relay, parts_.node, own_.state, copies, options));
  bool halted = false;
  {
    const MutexLock lock(mutex_);
    replica_ = begun;
    halted = halted_;
  }
  if (halted) begun->Halt();
  return {};
}

// For copies of which only the relay can say what they may hold.
Result<RelaysJournal> Roles::AwaitRelaysJournal(const std::optional<Welcome>& known, StartWatch& watch,
                                                const std::vector<VolumeName>& copies,
                                                const std::atomic<bool>* cancel) {
  watch.Does("redoing the copies from the relay's journal");
  Welcome welcome;
  if (known) {
    welcome = *known;
  } else {
    log::warn("waiting for the relay at {} (start it by: hawser relay)", parts_.config.relay.WriteEndpoint());
    HAWSER_ASSIGN(welcome, parts_.hello(std::nullopt, cancel));
  }
  return RelaysJournal{{"the relay's journal", welcome.oldest, welcome.head, /*is_relays=*/true},
                       std::make_unique<RelaySource>(parts_.context, parts_.config.relay.ControlEndpoint(),
                                                     parts_.sender(), copies, cancel)};
}

Status Roles::EndReplica() {
  std::shared_ptr<Replica> ending;
  {
    const MutexLock lock(mutex_);
    ending = std::exchange(replica_, nullptr);
  }
  return ending == nullptr ? Status() : ending->Stop();
}

std::shared_ptr<Replica> Roles::replica() const {
  const MutexLock lock(mutex_);
  return replica_;
}

bool Roles::halted() const {
  const MutexLock lock(mutex_);
  return halted_;
}

std::shared_ptr<Shipper> Roles::shipper() const {
  const MutexLock lock(mutex_);
  return shipper_;
}

// ---- while it runs

void Roles::Heard(const Overview& overview, SteadyClock::time_point asked) {
  heard_ = asked;
  for (const VolumeFact& fact : overview.volumes) {
    if (HostedVolume* hosted = Find(fact.volume)) hosted->Learn(RelaySays{fact});
  }
  for (const auto& hosted : volumes_) {
    const auto hold = std::ranges::find(overview.holds, hosted->name(), &Hold::volume);
    hosted->HoldFor(hold == overview.holds.end() ? 0 : hold->attempt);
    hosted->HeadKnown(overview.head);
  }
}

void Roles::Suffer(const Setback& setback) {
  for (const auto& hosted : volumes_) hosted->Learn(setback);
}

void Roles::Halt() {
  std::shared_ptr<Replica> halting;
  {
    const MutexLock lock(mutex_);
    halted_ = true;
    halting = replica_;
  }
  if (halting != nullptr) halting->Halt();
}

std::string Roles::Pause(bool pause) {
  const auto copies = replica();
  if (copies == nullptr) return "it holds no copy: it is primary of all its volumes";
  if (const Status kept = MarkPaused(StateFolder(own_.state).Paused(), pause); !kept)
    return kept.error().Text();
  copies->SetPaused(pause);
  log::info("{}", pause ? "its copies are to pause at the next group boundary" : "its copies go on");
  return {};
}

std::optional<ReplicaReport> Roles::Copies() const {
  const auto copies = replica();
  return copies == nullptr ? std::nullopt : std::optional(copies->Report());
}

void Roles::Report(hawser::Report& report) const {
  const auto copies = Copies();
  if (copies) {
    report.received = copies->received;
    parts_.known.Hear(copies->received);
    parts_.known.Hear(copies->head);
  }
  std::string problem;
  {
    const MutexLock lock(mutex_);
    problem = problem_;
  }
  for (const auto& hosted : volumes_) {
    const VolumeReport* copy = copies ? FindReport(*copies, hosted->name()) : nullptr;
    auto of_volume = hosted->Report();
    if (!of_volume && copy != nullptr) of_volume = *copy;
    if (!of_volume)
      of_volume =
          hosted->ReportStart(ReplicaRole::kSecondary, "its role is being changed: " + changing_.what());
    if (!problem.empty() && hosted->Due()) {
      of_volume->state = Worse(of_volume->state, ReplicaState::kStalled);
      of_volume->problem = problem;
    }
    hosted->ReportMount(*of_volume);
    if (!copies && of_volume->applied.position.group > report.received.position.group)
      report.received = of_volume->applied;
    report.volumes.push_back(*std::move(of_volume));
  }
}

std::vector<std::string> Roles::mounts() const {
  std::vector<std::string> paths;
  for (const auto& hosted : volumes_) paths.push_back(hosted->mount_path());
  return paths;
}

bool Roles::ended() const {
  return std::ranges::all_of(volumes_, [](const auto& hosted) { return hosted->mount_ended(); });
}

void Roles::KeepCheckpoints() {
  for (const auto& hosted : volumes_) {
    if (auto written = hosted->KeepCheckpoint(); !written)
      log::error("{}: {}", hosted->name().value, written.error().Text());
  }
}

// ---- changes

std::vector<Roles::Change> Roles::Due() const {
  std::vector<Change> changes;
  for (const auto& hosted : volumes_) {
    if (auto due = hosted->Due()) changes.push_back({hosted.get(), *std::move(due)});
  }
  return changes;
}

void Roles::Settle() {
  const bool isolated = SteadyClock::now() - heard_.load() > parts_.config.failover.detect;
  for (const auto& hosted : volumes_) hosted->Isolate(isolated);
  ShowOrRefuse();
  const std::vector<Change> due = Due();
  const bool waits = SteadyClock::now() < try_again_ || parts_.sender().session == 0 || halted();
  if ((due.empty() && !replica_due_) || waits) return;
  const Status changed = ChangeRoles(due);
  if (stopping_) return;
  if (!changed) {
    log::error("a change of roles is tried again: {}", changed.error().message);
    try_again_ = SteadyClock::now() + kTryAgain;
  }
  const MutexLock lock(mutex_);
  problem_ = changed ? "" : "its change of role is tried again: " + changed.error().message;
}

// And tells each copy how it stands, on which its role depends.
void Roles::ShowOrRefuse() {
  const auto copies = Copies();
  if (!copies) return;
  for (const VolumeReport& copy : copies->volumes) {
    HostedVolume* hosted = Find(copy.volume);
    if (hosted == nullptr || !hosted->secondary()) continue;
    const auto unshown = copies->unshown.find(copy.volume);
    const bool shown = unshown == copies->unshown.end();
    if (const Status done = hosted->ShowOrRefuse(shown ? "" : unshown->second); !done)
      log::error("{}: {}", copy.volume.value, done.error().Text());
    hosted->Learn(CopyStands{copy.applied.position.sequence, shown && IsFine(copy.state)});
  }
}

// The relay is asked first: without it nothing is ended. What can't be changed stays what it was; the other
// volumes go on all the same.
Status Roles::ChangeRoles(const std::vector<Change>& changes) {
  HAWSER_ASSIGN(const Welcome welcome, parts_.hello(SteadyClock::now() + kHelloPatience, &stopping_));
  checkpointer_.reset();
  if (const Status ended = EndReplica(); !ended)
    log::error("the copies are left unclean: {}", ended.error().Text());
  replica_due_ = true;
  CrashPoint("roles.replica_ended");
  Status first;
  for (const Change& change : changes) {
    if (Status became = Become(change, welcome, changing_); !became && first)
      first = Error{became.error().code, change.volume->name().value + ": " + became.error().Text()};
  }
  CrashPoint("roles.changed");
  const Status begun = BeginReplica(welcome, changing_);
  replica_due_ = !begun;
  if (!begun && first) first = begun;
  checkpointer_.emplace(kCheckpointInterval, [this] { KeepCheckpoints(); });
  return first;
}

Status Roles::Become(const Change& change, const Welcome& welcome, StartWatch& watch) {
  HostedVolume& volume = *change.volume;
  const auto* primary = std::get_if<BecomePrimary>(&change.to);
  if (primary == nullptr) {
    HAWSER_TRY(volume.Become(BecomeSecondary{}));
    log::info("{}: goes on as secondary; {} is primary, in generation {}", volume.name().value,
              volume.known().primary.value, volume.known().generation.value);
    return {};
  }
  // Otherwise it would be redone under the eyes of its readers. It has all that came before its promotion,
  // and nobody else can have written since: what the journal has behind that is of other volumes.
  Welcome here = welcome;
  HAWSER_ASSIGN(here.head, volume.CleanAt());
  HAWSER_TRY(volume.Become(*primary, parts_.context, ShipperOf(welcome), here, watch));
  log::info("{}: is primary now, in generation {}", volume.name().value, primary->generation.value);
  return {};
}

// ---- the end

Status Roles::Stop() {
  stopping_ = true;
  changer_.reset();
  checkpointer_.reset();
  Status first;
  for (const auto& hosted : volumes_) {
    if (Status stopped = hosted->Stop(); !stopped && first) first = std::move(stopped);
  }
  if (const auto ending = replica()) {
    if (Status stopped = ending->Stop(); !stopped && first) first = std::move(stopped);
  }
  return first;
}

void Roles::Clear() {
  std::shared_ptr<Replica> replica;
  std::shared_ptr<Shipper> shipper;
  {
    const MutexLock lock(mutex_);
    replica.swap(replica_);
    shipper.swap(shipper_);
  }
  replica.reset();
  volumes_.clear();  // before the shipper, which their funnels use
}

HostedVolume* Roles::Find(const VolumeName& volume) const {
  for (const auto& hosted : volumes_)
    if (hosted->name() == volume) return hosted.get();
  return nullptr;
}

}  // namespace hawser
