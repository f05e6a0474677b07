#include "node/node.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <optional>

#include "common/base/descriptors.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/periodic_thread.h"
#include "common/base/state_folder.h"
#include "fuse_primary/hello.h"
#include "fuse_primary/shipper.h"
#include "fuse_secondary/replica.h"
#include "node/hosted_volume.h"
#include "node/known_roles.h"
#include "node/reporter.h"
#include "node/session_number.h"

namespace hawser {

namespace {

constexpr auto kFirstHello = std::chrono::seconds(2);
constexpr auto kCheckpointInterval = std::chrono::seconds(2);

class NodeProcess : public Node {
 public:
  NodeProcess(const Config& config, const NodeName& name)
      : config_(config), name_(name), own_(config.nodes.at(name)) {}
  ~NodeProcess() override {
    if (auto stopped = Stop(); !stopped) log::error("{}", stopped.error().Text());
  }

  Status Begin(const std::atomic<bool>* cancel) {
    ::umask(0);              // records say the final mode
    RaiseDescriptorLimit();  // each open file of each caller takes one
    HAWSER_TRY(LockState());
    for (const auto& [volume, unused] : own_.volumes) {
      HAWSER_ASSIGN(auto hosted, HostedVolume::Open(config_, name_, volume));
      volumes_.push_back(std::move(hosted));
    }
    HAWSER_ASSIGN(session_, NextSessionNumber(StateFolder(own_.state).Session()));
    shipper_ = std::make_unique<Shipper>(context_, config_.relay.WriteEndpoint(), name_, session_);
    HAWSER_TRY(AskRelay(cancel));
    HAWSER_TRY(BeginRoles(cancel));
    for (const auto& hosted : volumes_) HAWSER_TRY(hosted->Mount());
    reporter_ = std::make_unique<Reporter>(
        context_, config_.relay.ControlEndpoint(), [this] { return MakeReport(); },
        [this](const Overview& overview) { Heard(overview); });
    checkpointer_.emplace(kCheckpointInterval, [this] { KeepCheckpoints(); });
    return {};
  }

  Status Stop() override {
    Status first;
    const auto note = [&first](Status status) {
      if (!status && first) first = std::move(status);
    };
    checkpointer_.reset();
    for (const auto& hosted : volumes_) note(hosted->Stop());
    if (replica_ != nullptr) note(replica_->Stop());
    reporter_.reset();
    replica_.reset();
    volumes_.clear();
    shipper_.reset();
    state_lock_.Reset();
    return first;
  }

  bool ended() const override {
    return std::all_of(volumes_.begin(), volumes_.end(),
                       [](const auto& hosted) { return hosted->mount_ended(); });
  }

  std::vector<std::string> mounts() const override {
    std::vector<std::string> paths;
    for (const auto& hosted : volumes_) paths.push_back(hosted->mount_path());
    return paths;
  }

 private:
  Status LockState() {
    HAWSER_TRY(MakeDirectories(own_.state));
    HAWSER_ASSIGN(state_lock_, OpenFile(StateFolder(own_.state).Lock(), O_RDWR | O_CREAT));
    if (::flock(state_lock_.get(), LOCK_EX | LOCK_NB) != 0)
      return Error{
          EBUSY,
          fmt::format("node {} runs already (its state folder '{}' is in use); stop that process first",
                      name_.value, own_.state)};
    return {};
  }

  Result<Welcome> SayHello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
    return hawser::SayHello(context_, config_.relay.WriteEndpoint(), {name_, session_}, deadline, cancel);
  }

  // Who is primary of what. If the relay doesn't answer and no volume needs it, it isn't waited for.
  Status AskRelay(const std::atomic<bool>* cancel) {
    const std::string path = StateFolder(own_.state).Roles();
    HAWSER_ASSIGN(const auto known, ReadKnownRoles(path));
    for (const VolumeFact& fact : known) {
      if (HostedVolume* hosted = Find(fact.volume)) (void)hosted->Learn(LastHeard{fact});
    }
    auto welcome = SayHello(SteadyClock::now() + kFirstHello, cancel);
    if (!welcome && welcome.error().code == ETIMEDOUT) {
      const bool needs_relay = std::any_of(volumes_.begin(), volumes_.end(),
                                           [](const auto& hosted) { return hosted->needs_relay(); });
      log::warn("the relay at {} doesn't answer; {}", config_.relay.WriteEndpoint(),
                needs_relay ? "waiting for it, since this node is primary (start it by: hawser relay)"
                            : "showing the last state that was received");
      if (!needs_relay) return {};
      welcome = SayHello(std::nullopt, cancel);
    }
    if (!welcome) return std::move(welcome).error();
    if (welcome->group != config_.group)
      return Error{
          EINVAL, fmt::format("the relay at {} serves group {} and not {}; correct the address or the config",
                              config_.relay.WriteEndpoint(), welcome->group, config_.group)};
    welcome_ = *std::move(welcome);
    return WriteKnownRoles(path, welcome_->volumes);
  }

  Status BeginRoles(const std::atomic<bool>* cancel) {
    std::vector<ReplicaVolume> secondaries;
    std::vector<std::pair<HostedVolume*, BecomePrimary>> primaries;
    for (const auto& hosted : volumes_) {
      const auto action = hosted->Learn(WhatTheRelaySays(*hosted));
      if (!action) continue;
      if (const auto* secondary = std::get_if<BecomeSecondary>(&*action)) {
        HAWSER_TRY(hosted->Become(*secondary));
        secondaries.push_back({&hosted->volume(), hosted->checkpoint_path()});
      }
      if (const auto* primary = std::get_if<BecomePrimary>(&*action))
        primaries.emplace_back(hosted.get(), *primary);
    }
    HAWSER_TRY(StartReplica(secondaries, cancel));
    for (const auto& [hosted, primary] : primaries)
      HAWSER_TRY(hosted->Become(primary, context_, *shipper_, *welcome_, cancel));
    return {};
  }

  // A volume that the relay doesn't mention has the primary that was known before.
  RoleFact WhatTheRelaySays(const HostedVolume& hosted) const {
    if (!welcome_) return RelayIsSilent{};
    for (const VolumeFact& fact : welcome_->volumes) {
      if (fact.volume == hosted.name()) return RelaySays{fact};
    }
    return RelaySays{hosted.known()};
  }

  Status StartReplica(const std::vector<ReplicaVolume>& secondaries, const std::atomic<bool>* cancel) {
    if (secondaries.empty()) return {};
    ReplicaOptions options;
    options.cancel = cancel;
    options.on_applied = [this](Volume& volume, const std::vector<NodeId>& stale) {
      if (HostedVolume* hosted = Find(volume.name())) hosted->Invalidate(stale);
    };
    HAWSER_ASSIGN(replica_, Replica::Start(context_, config_.relay, name_, own_.state, secondaries, options));
    return {};
  }

  HostedVolume* Find(const VolumeName& volume) const {
    for (const auto& hosted : volumes_)
      if (hosted->name() == volume) return hosted.get();
    return nullptr;
  }

  Report MakeReport() const {
    Report report{name_, session_, {}, {}};
    if (replica_ != nullptr) {
      ReplicaReport secondaries = replica_->Report();
      report.received = secondaries.received;
      report.volumes = std::move(secondaries.volumes);
    }
    for (const auto& hosted : volumes_) {
      if (!hosted->primary()) continue;
      report.volumes.push_back(hosted->Report());
      if (replica_ == nullptr) report.received = report.volumes.back().applied;
    }
    return report;
  }

  void Heard(const Overview& overview) {
    for (const auto& hosted : volumes_) hosted->HeadKnown(overview.head);
    for (const VolumeFact& fact : overview.volumes) {
      if (HostedVolume* hosted = Find(fact.volume)) (void)hosted->Learn(RelaySays{fact});
    }
  }

  void KeepCheckpoints() {
    for (const auto& hosted : volumes_) {
      if (!hosted->primary()) continue;
      if (auto written = hosted->KeepCheckpoint(); !written)
        log::error("{}: {}", hosted->name().value, written.error().Text());
    }
  }

  const Config config_;
  const NodeName name_;
  const NodeConfig own_;
  UniqueFd state_lock_;
  NetContext context_;
  std::uint64_t session_ = 0;
  std::unique_ptr<Shipper> shipper_;
  std::optional<Welcome> welcome_;
  std::vector<std::unique_ptr<HostedVolume>> volumes_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Reporter> reporter_;
  std::optional<PeriodicThread> checkpointer_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::Start(const Config& config, const NodeName& name,
                                          const std::atomic<bool>* cancel) {
  if (!config.nodes.contains(name)) {
    std::string known;
    for (const auto& [node, unused] : config.nodes) known += (known.empty() ? "" : ", ") + node.value;
    return Error{EINVAL, fmt::format("there is no node '{}' in {}; its nodes are: {}", name.value,
                                     config.path, known)};
  }
  auto node = std::make_unique<NodeProcess>(config, name);
  HAWSER_TRY(node->Begin(cancel));
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace hawser
