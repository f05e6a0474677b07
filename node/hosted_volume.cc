#include "node/hosted_volume.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/crash_point.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "fuse_primary/recovery.h"
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
  hosted->file_ids_path_ = folder + "/file_ids";
  hosted->volume_ = std::make_unique<Volume>(std::move(store));
  return hosted;
}

Status HostedVolume::BecomePrimary(NetContext& context, Shipper& shipper, const Welcome& welcome,
                                   Generation generation, const std::atomic<bool>* cancel) {
  HAWSER_ASSIGN(const auto checkpoint, ReadCheckpoint(checkpoint_path_));
  Progress from = checkpoint ? checkpoint->progress : Progress{};
  if (from.position.group == Group(0)) from.position.journal = welcome.head.position.journal;
  const bool redo = checkpoint ? !checkpoint->clean : !volume_->store().is_new();
  // From here on the store may run ahead of its checkpoint: it isn't clean any more, also if this start is
  // cut off.
  if (checkpoint && checkpoint->clean)
    HAWSER_TRY(hawser::WriteCheckpoint(checkpoint_path_, {checkpoint->progress, false}));
  const auto began = SteadyClock::now();
  HAWSER_ASSIGN(const PrimaryRecovery recovery, RecoverPrimary(context, control_endpoint_, shipper.node(),
                                                               *volume_, from, welcome.head, redo, cancel));
  const std::chrono::duration<double> took = SteadyClock::now() - began;
  if (redo || recovery.records > 0) {
    log::info("{}: {} from {} to {}: {} records in {:.2f} s", name().value,
              redo ? "redone after an unclean end" : "applied", from.position.Text(),
              recovery.to.position.Text(), recovery.records, took.count());
  }
  funnel_ = std::make_shared<Funnel>(*volume_, shipper, config_, generation, file_ids_path_, recovery.to);
  HAWSER_TRY(TakeRole(funnel_));
  HAWSER_TRY(WriteCheckpoint(false));
  if (!checkpoint && recovery.records == 0) HAWSER_TRY(funnel_->JournalRoot());
  return {};
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
  {
    const MutexLock lock(mutex_);
    if (flush_failure_ || funnel_->applied().Get() == checkpoint_) return {};
  }
  return WriteCheckpoint(false);
}

// The position is taken before the flush, so that all of it is flushed.
Status HostedVolume::WriteCheckpoint(bool clean) {
  if (const auto failed = flush_failure()) return *failed;
  const Progress applied = funnel_->applied().Get();
  if (auto flushed = volume_->store().Flush(); !flushed) {
    // What the disk has of it nobody knows, and asking again would only seem to succeed: the old checkpoint
    // stays, and the next start redoes from there.
    const MutexLock lock(mutex_);
    flush_failure_ = flushed.error();
    return flushed;
  }
  CrashPoint("primary.store_synced");
  HAWSER_TRY(hawser::WriteCheckpoint(checkpoint_path_, {applied, clean}));
  const MutexLock lock(mutex_);
  checkpoint_ = applied;
  return {};
}

void HostedVolume::HeadKnown(const Progress& head) {
  if (funnel_ == nullptr) return;
  AppliedMark& applied = funnel_->applied();
  if (head.position.journal == applied.Get().position.journal) applied.Known(head);
}

std::optional<Error> HostedVolume::flush_failure() const {
  const MutexLock lock(mutex_);
  return flush_failure_;
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
  const MutexLock lock(mutex_);
  report.checkpoint = checkpoint_;
  if (flush_failure_ && report.problem.empty()) {
    report.problem = fmt::format(
        "{}; what is acknowledged is on the relay. Mend the disk, then start this node again: it "
        "redoes from {}",
        flush_failure_->Text(), checkpoint_.position.Text());
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
  return WriteCheckpoint(funnel_->applied().idle() && !funnel_->trouble());
}

}  // namespace hawser
