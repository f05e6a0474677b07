#include "node/hosted_volume.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/state_folder.h"
#include "fuse_secondary/secondary_role.h"
#include "volume/mount/mount_folder.h"
#include "volume/mount/switch_role.h"
#include "volume/mount/unavailable_role.h"
#include "volume/store/store_owner.h"

namespace hawser {

namespace {

// How long calls in flight may take to end by themselves when the volume is stopped or changes its role.
constexpr auto kDrainPatience = std::chrono::seconds(5);

// A store under its own mount would be read through itself.
Status CheckApart(const std::string& store, const std::string& mount) {
  std::error_code problem;
  const auto real_store = std::filesystem::canonical(store, problem);
  if (problem) return Error{problem.value(), "cannot use the store '" + store + "'"};
  const std::filesystem::path folder(mount);
  auto real_mount = std::filesystem::weakly_canonical(folder, problem);
  // A dead mount can't be looked at.
  if (problem)
    real_mount = std::filesystem::weakly_canonical(folder.parent_path(), problem) / folder.filename();
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

// Who isn't root, or has a filesystem that can't, gets a mount all the same.
void GuardMountFolder(const std::string& path) {
  if (::geteuid() != 0) return;
  if (const Status kept = KeepUnwritable(path); !kept)
    log::info("programs that write to '{}' while nothing is mounted write below the mount: {}", path,
              kept.error().Text());
}

// A store that isn't its checkpoint's: says where the checkpoint is, and the way out, too.
Error AboutCheckpoint(const Error& error, const std::string& checkpoint, const NodeName& self,
                      const VolumeName& volume) {
  if (error.code != ESTALE) return error;
  return {
      error.code,
      fmt::format("{} (the checkpoint: '{}'). If it is meant to be new and empty, start once with 'hawser "
                  "mount {} --new-store {}': then all is replayed from the journal, or the volume needs a "
                  "sync",
                  error.message, checkpoint, self.value, volume.value)};
}

}  // namespace

HostedVolume::HostedVolume(const Config& config, const NodeName& self, const VolumeName& name)
    : group_(config.group),
      self_(self),
      control_endpoint_(config.relay.ControlEndpoint()),
      config_(config.volumes.at(name)),
      replica_(config.nodes.at(self).volumes.at(name)),
      operations_{replica_.uid, replica_.gid, replica_.xattrs},
      folder_(StateFolder(config.nodes.at(self).state).Volume(name)),
      checkpoint_path_(StateFolder(config.nodes.at(self).state).Checkpoint(name)),
      checkpoint_(checkpoint_path_),
      machine_(self, {name, config_.primary, Generation(0)}) {}

Result<std::unique_ptr<HostedVolume>> HostedVolume::Open(const Config& config, const NodeName& self,
                                                         const VolumeName& name, bool new_store) {
  std::unique_ptr<HostedVolume> hosted(new HostedVolume(config, self, name));
  const ReplicaConfig& replica = hosted->replica_;
  HAWSER_TRY(CheckMountFolder(replica.mount, replica.nonempty));
  HAWSER_TRY(CheckApart(replica.store, replica.mount));
  HAWSER_TRY(MakeDirectories(hosted->folder_));
  HAWSER_ASSIGN(auto store, new_store ? hosted->OpenNewStore(name) : hosted->OpenStore(name));
  GuardMountFolder(replica.mount);  // before the relay is waited for
  hosted->volume_ = std::make_unique<Volume>(std::move(store));
  return hosted;
}

// The one that the checkpoint is of; else nothing is touched.
Result<std::unique_ptr<Store>> HostedVolume::OpenStore(const VolumeName& name) const {
  HAWSER_ASSIGN(const auto checkpoint, checkpoint_.Read());
  StoreOptions options{replica_.store, group_, name};
  options.has_checkpoint = checkpoint.has_value();
  auto store = Store::Open(options);
  if (!store) return AboutCheckpoint(store.error(), checkpoint_path_, self_, name);
  HAWSER_ASSIGN(const StoreMarks marks, (*store)->Marks());
  const Status right = CheckMarks(checkpoint, marks, name, replica_.store);
  if (!right) return AboutCheckpoint(right.error(), checkpoint_path_, self_, name);
  return store;
}

// A start that is cut off in between leaves an empty store that is refused, and may be said to be new again.
Result<std::unique_ptr<Store>> HostedVolume::OpenNewStore(const VolumeName& name) {
  HAWSER_ASSIGN(auto store, Store::Open({replica_.store, group_, name}));
  HAWSER_ASSIGN(const bool empty, store->IsEmpty());
  if (!empty) {
    return Error{ENOTEMPTY,
                 fmt::format("the store '{}' of volume {} is said to be new, but holds files; start "
                             "without --new-store, or give it an empty folder",
                             replica_.store, name.value)};
  }
  log::warn("{}: its store is new; what it holds comes from the journal from now on", name.value);
  HAWSER_TRY(checkpoint_.Forget());
  return store;
}

// ---- the role

void HostedVolume::Learn(const RoleFact& fact) {
  std::optional<StopChanges> stop;
  std::shared_ptr<PrimaryRole> primary;
  {
    const MutexLock lock(mutex_);
    stop = machine_.Take(fact);
    primary = primary_;
  }
  if (!stop) return;
  log::warn("{}: takes no more changes here: {}", name().value, stop->error.message);
  if (primary != nullptr) primary->StopChanges(stop->error);
}

bool HostedVolume::needs_relay() const {
  const MutexLock lock(mutex_);
  return machine_.NeedsRelay();
}

VolumeFact HostedVolume::known() const {
  const MutexLock lock(mutex_);
  return machine_.known();
}

bool HostedVolume::secondary() const {
  const MutexLock lock(mutex_);
  return machine_.secondary();
}

std::optional<RoleChange> HostedVolume::Due() const {
  const MutexLock lock(mutex_);
  return machine_.Due();
}

std::optional<RoleMachine::Trouble> HostedVolume::trouble() const {
  const MutexLock lock(mutex_);
  return machine_.trouble();
}

// Whether the store is what the journal says, as far as the primary's records are settled.
bool HostedVolume::in_order() const {
  const auto trouble = this->trouble();
  return !trouble || trouble->state != ReplicaState::kDiverged;
}

std::shared_ptr<PrimaryRole> HostedVolume::primary() const {
  const MutexLock lock(mutex_);
  return primary_;
}

Result<Progress> HostedVolume::CleanAt() const {
  HAWSER_ASSIGN(const auto checkpoint, checkpoint_.Read());
  if (checkpoint && checkpoint->clean) return checkpoint->progress;
  return Error{EIO,
               "its copy could not be flushed and checkpointed; mend the disk of its store or of the "
               "state folder, or start this node again: then it is brought on from the relay's journal"};
}

// The funnel is ready before the mount's calls go to it: what it journals by itself, and the checkpoint which
// says that callers change the store from now on, come before them.
Status HostedVolume::Become(const BecomePrimary& primary, NetContext& context, Shipper& shipper,
                            const Welcome& welcome, StartWatch& watch) {
  const PrimaryRole::Parts parts{*volume_, config_, checkpoint_, group_, context, control_endpoint_, shipper};
  const auto learn = [this](const Setback& setback) { Learn(setback); };
  HAWSER_ASSIGN(std::shared_ptr<PrimaryRole> role,
                PrimaryRole::Begin(parts, welcome, primary.generation, learn, watch));
  Status begun = role->Open(watch);
  if (begun) begun = TakeRole(role->calls());
  if (!begun) {
    (void)role->End(true);
    return begun;
  }
  std::optional<StopChanges> stop;
  {
    const MutexLock lock(mutex_);
    primary_ = role;
    stop = machine_.Began(primary);
  }
  if (stop) role->StopChanges(stop->error);
  return {};
}

// What isn't settled, and what the store has refused, keeps the last checkpoint from being clean: all is
// redone then, from the relay's journal.
Status HostedVolume::Become(const BecomeSecondary& secondary) {
  if (const auto role = primary()) {
    if (const Status ended = role->End(in_order()); !ended)
      log::error("{}: {}", name().value, ended.error().Text());
  }
  HAWSER_TRY(TakeRole(std::make_shared<SecondaryRole>()));
  refusing_ = isolated_ = false;
  const MutexLock lock(mutex_);
  primary_.reset();
  left_out_.reset();
  (void)machine_.Began(secondary);
  return {};
}

Status HostedVolume::LeaveOut(const Error& why) {
  log::error("{}; its mount answers no call, and the node's other volumes are served", why.message);
  HAWSER_TRY(TakeRole(std::make_shared<UnavailableRole>(Error{ENODATA, why.message})));
  const VolumeReport report = ReportCheckpoint(ReplicaRole::kPrimary, ReplicaState::kNeedsSync, why.message);
  const MutexLock lock(mutex_);
  left_out_ = report;
  machine_.LeftOut();
  return {};
}

Status HostedVolume::ShowOrRefuse(const std::string& why_not) {
  const bool refuse = !why_not.empty();
  if (refusing_ == refuse) return {};
  const std::string why =
      fmt::format("the mount of {} answers no call, for the copy {}", name().value, why_not);
  if (refuse) log::error("{}", why);
  HAWSER_TRY(refuse ? TakeRole(std::make_shared<UnavailableRole>(Error{ENODATA, why}))
                    : TakeRole(std::make_shared<SecondaryRole>()));
  refusing_ = refuse;
  return {};
}

Status HostedVolume::TakeRole(std::shared_ptr<Role> role) {
  return SwitchRole(*volume_, session().get(), std::move(role), SteadyClock::now() + kDrainPatience);
}

// In trouble it takes no more changes, and nobody knows how far the store is: the last checkpoint stands.
Status HostedVolume::KeepCheckpoint() {
  const auto role = primary();
  return role == nullptr || trouble() ? Status() : role->KeepCheckpoint();
}

void HostedVolume::HeadKnown(const Progress& head) {
  const auto role = primary();
  if (role != nullptr && !trouble()) role->HeadKnown(head);
}

void HostedVolume::HoldFor(std::uint64_t attempt) {
  if (const auto role = primary()) role->HoldFor(attempt);
}

void HostedVolume::Isolate(bool isolated) {
  const auto role = primary();
  if (role == nullptr || config_.isolated_reads == IsolatedReads::kServe) return;
  if (std::exchange(isolated_, isolated) == isolated) return;
  role->Isolate(isolated);
  if (isolated) {
    log::warn("{}: answers no call until the relay is heard again: another node may be primary by now",
              name().value);
    if (const auto session = this->session()) session->ForgetAll();
  } else {
    log::info("{}: answers calls again", name().value);
  }
}

std::optional<VolumeReport> HostedVolume::Report() const {
  std::shared_ptr<PrimaryRole> role;
  std::optional<RoleMachine::Trouble> trouble;
  {
    const MutexLock lock(mutex_);
    if (left_out_) return left_out_;
    if (primary_ == nullptr) return std::nullopt;
    role = primary_;
    trouble = machine_.trouble();
  }
  VolumeReport report{name(), ReplicaRole::kPrimary, ReplicaState::kLive, {}, {}, {}};
  if (trouble) {
    report.state = trouble->state;
    report.problem = trouble->error.message;
  }
  role->Report(report);
  return report;
}

VolumeReport HostedVolume::ReportStart(ReplicaRole role, const std::string& why) const {
  return ReportCheckpoint(role, ReplicaState::kCatchingUp, why);
}

// Of a volume whose store nobody speaks for: it is as far as its checkpoint says.
VolumeReport HostedVolume::ReportCheckpoint(ReplicaRole role, ReplicaState state, std::string problem) const {
  VolumeReport report{name(), role, state, {}, {}, std::move(problem)};
  const auto checkpoint = checkpoint_.Read();
  if (checkpoint && *checkpoint) report.applied = report.checkpoint = (*checkpoint)->progress;
  return report;
}

// ---- the mount

Status HostedVolume::Mount() {
  // Somebody may have written there meanwhile.
  HAWSER_TRY(CheckMountFolder(replica_.mount, replica_.nonempty));
  SessionOptions options;
  options.mount = replica_.mount;
  options.name = FullName(group_, name());
  options.allow_other = replica_.allow_other.value_or(::geteuid() == 0);
  HAWSER_ASSIGN(std::shared_ptr<Session> session, Session::Mount(*volume_, operations_, options));
  {
    // Before calls are served: nothing that replay has to tell is lost.
    const MutexLock lock(mutex_);
    session_ = session;
  }
  if (!volume_->roles().role()->writable()) session->LookWritable(false);
  HAWSER_TRY(session->Begin());
  log::info("{}: mounted at {} as {}", name().value, replica_.mount,
            TextOf(secondary() ? ReplicaRole::kSecondary : ReplicaRole::kPrimary));
  return {};
}

void HostedVolume::Invalidate(const Stale& stale) {
  if (const auto session = this->session()) session->Invalidate(stale);
}

bool HostedVolume::mount_ended() const {
  const auto session = this->session();
  return session != nullptr && session->ended();
}

void HostedVolume::ReportMount(VolumeReport& report) const {
  const auto session = this->session();
  if (session == nullptr || !session->gone()) return;
  report.state = Worse(report.state, ReplicaState::kUnmounted);
  if (!report.problem.empty()) report.problem += "; ";
  report.problem += fmt::format(
      "programs don't see the mount at '{}' any more: somebody has unmounted it or "
      "mounted over it; start the node again",
      replica_.mount);
}

std::shared_ptr<Session> HostedVolume::session() const {
  const MutexLock lock(mutex_);
  return session_;
}

Status HostedVolume::Stop() {
  std::shared_ptr<Session> session;
  {
    const MutexLock lock(mutex_);
    session = std::move(session_);
  }
  if (session != nullptr && !session->Drain(SteadyClock::now() + kDrainPatience))
    log::warn("{}: calls in flight don't end by themselves; they get an error", name().value);
  if (const auto role = volume_->roles().role()) role->End();
  session.reset();
  Learn(Stopped{});
  const auto primary = this->primary();
  return primary != nullptr ? primary->End(in_order()) : Status();
}

}  // namespace hawser
