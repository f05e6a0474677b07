#include "node/hosted_volume.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/base/log.h"
#include "fuse_primary/relay_source.h"
#include "fuse_secondary/secondary_role.h"
#include "volume/mount/switch_role.h"

namespace hawser {

namespace {

// How long calls in flight may take to end by themselves when the volume is stopped.
constexpr auto kDrainPatience = std::chrono::seconds(5);

// A store under its own mount would be read through itself.
Status CheckApart(const std::string& store, const std::string& mount) {
  std::error_code problem;
  const auto real_store = std::filesystem::canonical(store, problem);
  if (problem) return Error{problem.value(), "cannot use the store '" + store + "'"};
  const auto real_mount = std::filesystem::weakly_canonical(mount, problem);
  if (problem) return {};  // a dead mount; it is looked at when mounting
  const auto below = [](const std::filesystem::path& inner, const std::filesystem::path& outer) {
    const auto [end, rest] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return end == outer.end();
  };
  if (below(real_store, real_mount) || below(real_mount, real_store)) {
    return Error{
        EINVAL,
        fmt::format("store '{}' and mount '{}' are the same folder or one lies in the other; choose two "
                    "separate folders",
                    store, mount)};
  }
  return {};
}

Status CheckMountFolder(const std::string& mount) {
  HAWSER_TRY(DetachStaleMount(mount));
  std::error_code problem;
  if (!std::filesystem::is_directory(mount, problem))
    return Error{ENOTDIR, "the mount '" + mount + "' is not a folder; create it"};
  return {};
}

}  // namespace

HostedVolume::HostedVolume(const Config& config, const VolumeName& name, const ReplicaConfig& replica)
    : group_(config.group),
      control_endpoint_(config.relay.ControlEndpoint()),
      config_(config.volumes.at(name)),
      replica_(replica),
      operations_{replica.uid, replica.gid, replica.xattrs} {}

Result<std::unique_ptr<HostedVolume>> HostedVolume::Open(const Config& config, const VolumeName& name,
                                                         const ReplicaConfig& replica,
                                                         const std::string& state) {
  std::unique_ptr<HostedVolume> hosted(new HostedVolume(config, name, replica));
  HAWSER_TRY(CheckMountFolder(replica.mount));
  HAWSER_TRY(CheckApart(replica.store, replica.mount));
  HAWSER_ASSIGN(auto store, Store::Open({replica.store, config.group, name}));
  const std::string folder = state + "/" + name.value;
  HAWSER_TRY(MakeDirectories(folder));
  hosted->checkpoint_path_ = folder + "/checkpoint";
  hosted->checkpoint_place_.emplace(hosted->checkpoint_path_);
  hosted->file_ids_path_ = folder + "/file_ids";
  hosted->volume_ = std::make_unique<Volume>(std::move(store));
  return hosted;
}

Status HostedVolume::BecomePrimary(NetContext& context, Shipper& shipper, const Welcome& welcome,
                                   Generation generation, const std::atomic<bool>* cancel) {
  HAWSER_ASSIGN(const bool nothing_yet, BringForward(context, shipper.node(), welcome, cancel));
  funnel_ =
      std::make_shared<Funnel>(*volume_, shipper, config_, generation, file_ids_path_, welcome.head);
  HAWSER_TRY(TakeRole(funnel_));
  // Before the first checkpoint: a start that is cut off in between does it again.
  if (nothing_yet) HAWSER_TRY(funnel_->JournalRoot());
  return WriteCheckpoint(Beyond::kAnything);
}

Result<bool> HostedVolume::BringForward(NetContext& context, const NodeName& node, const Welcome& welcome,
                                        const std::atomic<bool>* cancel) {
  const auto store = Recoverable(volume_->store());
  Recovery recovery({{name(), store.get(), &*checkpoint_place_}}, RecoverFor::kServing, "primary.redoing");
  HAWSER_TRY(recovery.ReadStands());
  const Progress from = recovery.stands().front().checkpoint;
  const bool redo = recovery.redoes();
  HAWSER_TRY(recovery.Begin({"the relay's journal", welcome.oldest, welcome.head}));
  RelaySource source(context, control_endpoint_, node, recovery.names(), cancel);
  const auto began = SteadyClock::now();
  HAWSER_TRY(RunRecovery(recovery, source, cancel));
  const VolumeStand& stand = recovery.stands().front();
  if (!stand.active()) return Error{ESTALE, fmt::format("volume {}: {}", name().value, stand.problem)};
  const std::chrono::duration<double> took = SteadyClock::now() - began;
  if (redo || recovery.records() > 0) {
    log::info("{}: {} from {} to {}: {} records in {:.2f} s", name().value,
              redo ? "redone after an unclean end" : "applied", from.position.Text(),
              stand.applied.position.Text(), recovery.records(), took.count());
  }
  checkpoints_.emplace(*checkpoint_place_, from);
  return from.position.group == Group{} && recovery.records() == 0;
}

Status HostedVolume::BecomeSecondary() { return TakeRole(std::make_shared<SecondaryRole>()); }

Status HostedVolume::TakeRole(std::shared_ptr<Role> role) {
  return SwitchRole(*volume_, session().get(), std::move(role), SteadyClock::now() + kDrainPatience);
}

Status HostedVolume::Mount() {
  SessionOptions options;
  options.mount = replica_.mount;
  options.name = group_ + "/" + name().value;
  options.allow_other = replica_.allow_other.value_or(::geteuid() == 0);
  HAWSER_ASSIGN(auto session, Session::Mount(*volume_, operations_, options));
  const MutexLock lock(mutex_);
  session_ = std::move(session);
  log::info("{}: mounted at {} as {}", name().value, replica_.mount,
            TextOf(primary() ? ReplicaRole::kPrimary : ReplicaRole::kSecondary));
  return {};
}

void HostedVolume::Invalidate(const std::vector<NodeId>& stale) {
  const auto session = this->session();
  if (session == nullptr) return;
  for (const NodeId node : stale) session->Invalidate(node);
}

bool HostedVolume::mount_ended() const {
  const auto session = this->session();
  return session != nullptr && session->ended();
}

Status HostedVolume::KeepCheckpoint() {
  if (!checkpoints_->due(funnel_->applied().Get())) return {};
  return WriteCheckpoint(Beyond::kAnything);
}

Status HostedVolume::WriteCheckpoint(Beyond beyond) {
  return FlushAndKeep(*checkpoints_, volume_->store(), funnel_->applied().Get(), beyond,
                      "primary.store_synced");
}

void HostedVolume::HeadKnown(const Progress& head) {
  if (funnel_ == nullptr) return;
  AppliedMark& applied = funnel_->applied();
  if (head.position.journal == applied.Get().position.journal) applied.Known(head);
}

std::shared_ptr<Session> HostedVolume::session() const {
  const MutexLock lock(mutex_);
  return session_;
}

VolumeReport HostedVolume::Report() const {
  VolumeReport report{name(), ReplicaRole::kPrimary, ReplicaState::kLive, funnel_->applied().Get(), {}, {}};
  if (const auto trouble = funnel_->trouble()) {
    report.state = trouble->state;
    report.problem = trouble->error.message;
  }
  report.checkpoint = checkpoints_->last();
  const auto failed = checkpoints_->failure();
  if (failed && report.problem.empty()) {
    report.problem = fmt::format(
        "{}; what is acknowledged is on the relay. Mend the disk, then start this node again: it "
        "redoes from {}",
        failed->Text(), report.checkpoint.position.Text());
  }
  return report;
}

Status HostedVolume::Stop() {
  std::shared_ptr<Session> session;
  {
    const MutexLock lock(mutex_);
    session = std::move(session_);
  }
  if (session != nullptr && !session->Drain(SteadyClock::now() + kDrainPatience))
    log::warn("{}: calls in flight don't end by themselves; they get an error", name().value);
  if (funnel_ != nullptr) funnel_->End();
  session.reset();
  if (funnel_ == nullptr) return {};
  // What isn't settled keeps it from being clean.
  const bool settled = funnel_->applied().idle() && !funnel_->trouble();
  return WriteCheckpoint(settled ? Beyond::kNothing : Beyond::kAnything);
}

}  // namespace hawser
