#include "node/node.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <optional>

#include "common/base/descriptors.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/periodic_thread.h"
#include "common/base/random.h"
#include "common/base/state_folder.h"
#include "common/config/agreement.h"
#include "common/config/primaries.h"
#include "common/net/heartbeat.h"
#include "fuse_primary/known_head.h"
#include "fuse_primary/relay_source.h"
#include "fuse_primary/shipper.h"
#include "fuse_primary/verdict.h"
#include "fuse_secondary/replica.h"
#include "node/hello.h"
#include "node/hosted_volume.h"
#include "node/incarnation.h"
#include "node/known_roles.h"
#include "node/orders.h"
#include "node/pause_mark.h"
#include "node/relay_news.h"
#include "node/reporter.h"
#include "node/start_report.h"
#include "node/start_watch.h"
#include "node/state_lock.h"

namespace hawser {

namespace {

constexpr auto kFirstHello = std::chrono::seconds(2);
// A node that was started without the relay says hello by its reporter, which mustn't wait for long.
constexpr auto kLaterHello = std::chrono::milliseconds(500);
constexpr auto kCheckpointInterval = std::chrono::seconds(2);

// "host, process 123, state folder '/var/lib/hawser/demo/alpha'"
std::string Where(const std::string& state) {
  char host[HOST_NAME_MAX + 1] = {};
  if (::gethostname(host, sizeof(host) - 1) != 0) host[0] = '?';
  return fmt::format("{}, process {}, state folder '{}'", host, ::getpid(), state);
}

// As far as the copy that is ahead: one that has stopped for good stays behind.
Progress AppliedBy(const ReplicaReport& copies) {
  Progress applied;
  for (const VolumeReport& copy : copies.volumes) {
    if (copy.applied.position.group > applied.position.group) applied = copy.applied;
  }
  return applied;
}

class NodeProcess : public Node {
 public:
  NodeProcess(const Config& config, const NodeName& name, const StartOptions& options,
              const std::atomic<bool>* cancel)
      : config_(config),
        name_(name),
        own_(config.nodes.at(name)),
        new_stores_(options.new_stores),
        watch_(cancel) {
    hello_.group = config.group;
    hello_.node = name;
    hello_.start = RandomNumber();
    hello_.where = Where(own_.state);
    hello_.config = AgreementOf(config);
    hello_.take_over = options.take_over;
  }
  ~NodeProcess() override {
    if (auto stopped = Stop(); !stopped) log::error("{}", stopped.error().Text());
  }

  Status Begin() {
    ::umask(0);              // records say the final mode
    RaiseDescriptorLimit();  // each open file of each caller takes one
    HAWSER_ASSIGN(state_lock_, LockState(config_, name_));
    for (const auto& [volume, unused] : own_.volumes) {
      HAWSER_ASSIGN(auto hosted, HostedVolume::Open(config_, name_, volume, new_stores_.contains(volume)));
      volumes_.push_back(std::move(hosted));
    }
    HAWSER_ASSIGN(hello_.incarnation, OwnIncarnation(StateFolder(own_.state).Incarnation()));
    HAWSER_TRY(known_.Open(StateFolder(own_.state).KnownHead()));
    HAWSER_TRY(AskRelay());
    ReportStart();
    HAWSER_TRY(BeginRoles());
    for (const auto& hosted : volumes_) HAWSER_TRY(hosted->Mount());
    reporter_.reset();
    reporter_ =
        std::make_unique<Reporter>(context_, config_.relay.ControlEndpoint(),
                                   Reporter::Calls{[this] { return SayHelloLater(), MakeReport(); },
                                                   [this](const Overview& overview) { Heard(overview); },
                                                   [this](const Refusal& refusal) { Refused(refusal); },
                                                   [this](bool answered) { SayNews(answered); }});
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
    SayWhatIsUnderWay();
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
  Result<Welcome> SayHello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
    Hello hello = hello_;
    hello.known = known_.Get().position;
    HAWSER_ASSIGN(Welcome welcome,
                  hawser::SayHello(context_, config_.relay.WriteEndpoint(), hello, deadline, cancel));
    session_ = welcome.session;
    known_.Hear(welcome.head);
    known_.HearRun(welcome.run);
    log::info("the relay has given this start session {}", welcome.session);
    if (!welcome.replaces.empty())
      log::warn("took the place of another process that served this node: {}", welcome.replaces);
    SayWherePrimariesDiffer(welcome.volumes);
    HAWSER_TRY(WriteKnownRoles(StateFolder(own_.state).Roles(), welcome.volumes));
    return welcome;
  }

  void SayWherePrimariesDiffer(const std::vector<VolumeFact>& facts) const {
    for (const VolumeFact& fact : facts) {
      if (const auto note = PrimaryDiffers(config_, fact.volume, fact.primary)) log::warn("{}", *note);
    }
  }

  // Who is primary of what. If the relay doesn't answer and no volume needs it, it isn't waited for. Nor if
  // it has lost what this node was told is durable: a copy is then shown as it stands.
  Status AskRelay() {
    HAWSER_ASSIGN(const auto known, ReadKnownRoles(StateFolder(own_.state).Roles()));
    for (const VolumeFact& fact : known) {
      if (HostedVolume* hosted = Find(fact.volume)) (void)hosted->Learn(LastHeard{fact});
    }
    const bool needs_relay = std::any_of(volumes_.begin(), volumes_.end(),
                                         [](const auto& hosted) { return hosted->needs_relay(); });
    auto welcome = SayHello(SteadyClock::now() + kFirstHello, watch_.cancel());
    if (!welcome && welcome.error().code == ETIMEDOUT) {
      log::warn("the relay doesn't let this node begin: {}; {}", welcome.error().message,
                needs_relay ? "waiting for it, since this node is primary (start it by: hawser relay)"
                            : "going on with what was received");
      if (!needs_relay) return SayWherePrimariesDiffer(known), Status();
      welcome = SayHello(std::nullopt, watch_.cancel());
    }
    if (!welcome && welcome.error().code == ENODATA && !needs_relay) {
      log::error("{}; going on with what was received", welcome.error().message);
      return {};
    }
    if (!welcome) return std::move(welcome).error();
    welcome_ = *std::move(welcome);
    (void)relay_news_.Reported(true, SteadyClock::now());  // no thread reports yet
    shipper_ =
        std::make_unique<Shipper>(context_, config_.relay.WriteEndpoint(), name_, welcome_->session, known_);
    return {};
  }

  // In the reporter's thread, of a node that was started without the relay. Until then it reports without a
  // session, so that its state can be seen.
  void SayHelloLater() {
    if (session_ != 0 || ended_) return;
    const auto welcome = SayHello(SteadyClock::now() + kLaterHello, nullptr);
    if (!welcome && welcome.error().code != ETIMEDOUT) Complain(welcome.error().message);
  }

  Status BeginRoles() {
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
    HAWSER_TRY(StartReplica(secondaries));
    if (replica_ != nullptr) ShowOrRefuse(replica_->Report());
    std::size_t left_out = 0;
    for (const auto& [hosted, primary] : primaries) {
      const Status became = hosted->Become(primary, context_, *shipper_, *welcome_, watch_);
      if (became) continue;
      // One that needs a sync keeps no other from being served.
      if (became.error().code != ENODATA || ++left_out == volumes_.size()) return became;
      HAWSER_TRY(hosted->LeaveOut(became.error()));
    }
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

  Status StartReplica(const std::vector<ReplicaVolume>& secondaries) {
    if (secondaries.empty()) return {};
    watch_.Does("bringing the copies to a whole state");
    ReplicaOptions options;
    options.cancel = watch_.cancel();
    options.paused = IsPaused(StateFolder(own_.state).Paused());
    if (options.paused) log::warn("its copies are paused: they go on after 'hawser resume {}'", name_.value);
    options.sender = [this] { return sender(); };
    options.relays_journal = [this](const std::vector<VolumeName>& copies, const std::atomic<bool>* cancel) {
      return AwaitRelaysJournal(copies, cancel);
    };
    if (welcome_) options.relays_oldest = welcome_->oldest;
    options.on_applied = [this](Volume& volume, const Stale& stale) {
      if (HostedVolume* hosted = Find(volume.name())) hosted->Invalidate(stale);
    };
    HAWSER_ASSIGN(replica_, Replica::Start(context_, config_.relay, name_, own_.state, secondaries, options));
    return {};
  }

  // For copies of which only the relay can say what they may hold.
  Result<RelaysJournal> AwaitRelaysJournal(const std::vector<VolumeName>& copies,
                                           const std::atomic<bool>* cancel) {
    watch_.Does("redoing the copies from the relay's journal");
    if (!welcome_) {
      log::warn("waiting for the relay at {} (start it by: hawser relay)", config_.relay.WriteEndpoint());
      HAWSER_ASSIGN(welcome_, SayHello(std::nullopt, cancel));
    }
    return RelaysJournal{
        {"the relay's journal", welcome_->oldest, welcome_->head},
        std::make_unique<RelaySource>(context_, config_.relay.ControlEndpoint(), sender(), copies, cancel)};
  }

  HostedVolume* Find(const VolumeName& volume) const {
    for (const auto& hosted : volumes_)
      if (hosted->name() == volume) return hosted.get();
    return nullptr;
  }

  // Until the mounts answer. The relay's run is heard of, too: without it nothing is journaled.
  void ReportStart() {
    reporter_ = std::make_unique<Reporter>(
        context_, config_.relay.ControlEndpoint(),
        Reporter::Calls{[this] {
                          return StartReport({sender(), hello_.config, {}, {}}, volumes_, watch_);
                        },
                        [this](const Overview& overview) {
                          known_.Hear(overview.head);
                          known_.HearRun(overview.run);
                        },
                        [this](const Refusal& refusal) { Complain(refusal.text); },
                        [this](bool answered) {
                          SayNews(answered);
                          if (const auto line = watch_.News(SteadyClock::now())) log::Say(*line);
                        }},
        kReportInterval);
  }

  Report MakeReport() {
    Report report{{}, hello_.config, {}, {}};
    ReplicaReport secondaries = replica_ != nullptr ? replica_->Report() : ReplicaReport();
    report.orders = orders_.Settled(secondaries.stands, AppliedBy(secondaries));
    if (replica_ != nullptr) {
      ShowOrRefuse(secondaries);
      report.received = secondaries.received;
      report.volumes = std::move(secondaries.volumes);
      known_.Hear(secondaries.received);
      known_.Hear(secondaries.head);
    }
    for (const auto& hosted : volumes_) {
      if (!hosted->primary() && !hosted->left_out()) continue;
      report.volumes.push_back(hosted->Report());
      if (replica_ == nullptr && hosted->primary()) report.received = report.volumes.back().applied;
    }
    for (VolumeReport& volume : report.volumes) {
      if (const HostedVolume* hosted = Find(volume.volume)) hosted->ReportMount(volume);
    }
    report.from = sender();  // with what was heard of just now
    return report;
  }

  std::string BeginOrder(OrderKind kind) {
    if (replica_ == nullptr) return "it holds no copy: it is primary of all its volumes";
    const bool pause = kind == OrderKind::kPause;
    if (const Status kept = MarkPaused(StateFolder(own_.state).Paused(), pause); !kept)
      return kept.error().Text();
    replica_->SetPaused(pause);
    log::info("{}", pause ? "its copies are to pause at the next group boundary" : "its copies go on");
    return {};
  }

  void ShowOrRefuse(const ReplicaReport& copies) const {
    for (const VolumeReport& copy : copies.volumes) {
      HostedVolume* hosted = Find(copy.volume);
      if (hosted == nullptr) continue;
      const auto unshown = copies.unshown.find(copy.volume);
      const std::string why = unshown == copies.unshown.end() ? "" : unshown->second;
      if (const Status done = hosted->ShowOrRefuse(why); !done)
        log::error("{}: {}", copy.volume.value, done.error().Text());
    }
  }

  // First who is primary: the head may hold what another one has written.
  void Heard(const Overview& overview) {
    if (!complaint_.empty()) log::info("the relay takes this node's word again");
    complaint_.clear();
    known_.Hear(overview.head);
    known_.HearRun(overview.run);
    orders_.Take(overview.orders, [this](OrderKind kind) { return BeginOrder(kind); });
    for (const VolumeFact& fact : overview.volumes) {
      if (HostedVolume* hosted = Find(fact.volume)) (void)hosted->Learn(RelaySays{fact});
    }
    for (const auto& hosted : volumes_) hosted->HeadKnown(overview.head);
  }

  // At a stop: what becomes of changes that the relay hasn't answered.
  void SayWhatIsUnderWay() const {
    const std::size_t count = shipper_ == nullptr ? 0 : shipper_->records();
    if (count == 0) return;
    log::warn(
        "{} under way to the relay at this stop, and the callers got an error: what has reached the relay's "
        "journal takes place all the same, here at the next start; the rest never does",
        count == 1 ? "1 change was" : fmt::format("{} changes were", count));
  }

  void SayNews(bool answered) {
    const Deadline now = SteadyClock::now();
    const auto say = [](const std::optional<log::Line>& line) {
      if (line) log::Say(*line);
    };
    say(relay_news_.Reported(answered, now));
    if (shipper_ == nullptr) return;
    say(relay_news_.Waiting({shipper_->records(), shipper_->answered(), shipper_->refused()}, now));
  }

  // The relay doesn't take this node's word. If it has lost what it acknowledged, it is as good as no relay:
  // nothing is written until it has it again. If this session has been ended, nothing is received, applied or
  // counted as applied any more.
  void Refused(const Refusal& refusal) {
    if (const auto setback = SetbackOf(Judge(refusal, {}, {}))) {
      for (const auto& hosted : volumes_) (void)hosted->Learn(*setback);
    }
    Complain(refusal.text);
    if (refusal.code != RefusalCode::kOldSession || std::exchange(ended_, true)) return;
    if (replica_ != nullptr) replica_->Halt();
    log::error("this process follows no more; what its mounts show stays as it is");
  }

  // Once for the same.
  void Complain(const std::string& text) {
    if (text != complaint_) log::error("{}", text);
    complaint_ = text;
  }

  Sender sender() const { return {config_.group, name_, session_, known_.Get().position}; }

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
  const std::set<VolumeName> new_stores_;
  StartWatch watch_;
  UniqueFd state_lock_;
  NetContext context_;
  Hello hello_;
  KnownHead known_;
  std::atomic<std::uint64_t> session_{0};  // 0: the relay has given none yet
  std::unique_ptr<Shipper> shipper_;       // null without a session
  std::optional<Welcome> welcome_;
  std::vector<std::unique_ptr<HostedVolume>> volumes_;
  std::unique_ptr<Replica> replica_;
  Orders orders_;  // the reporter's thread
  std::unique_ptr<Reporter> reporter_;
  std::optional<PeriodicThread> checkpointer_;
  // The reporter's thread's.
  RelayNews relay_news_{config_.relay.ControlEndpoint(), /*heard=*/true};
  bool ended_ = false;  // the session: another process has one
  std::string complaint_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::Start(const Config& config, const NodeName& name,
                                          const StartOptions& options, const std::atomic<bool>* cancel) {
  if (!config.nodes.contains(name)) {
    std::string known;
    for (const auto& [node, unused] : config.nodes) known += (known.empty() ? "" : ", ") + node.value;
    return Error{EINVAL, fmt::format("there is no node '{}' in {}; its nodes are: {}", name.value,
                                     config.path, known)};
  }
  auto node = std::make_unique<NodeProcess>(config, name, options, cancel);
  HAWSER_TRY(node->Begin());
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace hawser
