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
#include "common/base/random.h"
#include "common/base/state_folder.h"
#include "common/config/agreement.h"
#include "common/config/primaries.h"
#include "common/net/heartbeat.h"
#include "fuse_primary/known_head.h"
#include "fuse_primary/verdict.h"
#include "node/hello.h"
#include "node/incarnation.h"
#include "node/known_roles.h"
#include "node/orders.h"
#include "node/relay_news.h"
#include "node/reporter.h"
#include "node/roles.h"
#include "node/start_report.h"
#include "node/start_watch.h"
#include "node/state_lock.h"

namespace hawser {

namespace {

constexpr auto kFirstHello = std::chrono::seconds(2);
// A node that was started without the relay says hello by its reporter, which mustn't wait for long.
constexpr auto kLaterHello = std::chrono::milliseconds(500);

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
    HAWSER_TRY(roles_.Open(new_stores_));
    HAWSER_ASSIGN(hello_.incarnation, OwnIncarnation(StateFolder(own_.state).Incarnation()));
    HAWSER_TRY(known_.Open(StateFolder(own_.state).KnownHead()));
    HAWSER_ASSIGN(const auto welcome, AskRelay());
    ReportStart();
    HAWSER_TRY(roles_.Begin(welcome, watch_));
    HAWSER_TRY(roles_.Mount());
    reporter_.reset();
    reporter_ = std::make_unique<Reporter>(
        context_, config_.relay.ControlEndpoint(),
        Reporter::Calls{[this] { return SayHelloLater(), MakeReport(); },
                        [this](const auto& overview, auto asked) { Heard(overview, asked); },
                        [this](const Refusal& refusal) { Refused(refusal); },
                        [this](bool answered) { SayNews(answered); }});
    return {};
  }

  Status Stop() override {
    const Status stopped = roles_.Stop();
    reporter_.reset();
    SayWhatIsUnderWay();
    roles_.Clear();
    state_lock_.Reset();
    return stopped;
  }

  bool ended() const override { return roles_.ended(); }
  std::vector<std::string> mounts() const override { return roles_.mounts(); }

 private:
  Result<Welcome> SayHello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
    if (ended_) return Error{ESTALE, "another process serves this node"};
    Hello hello = hello_;
    hello.take_over = hello_.take_over && session_ == 0;
    hello.known = known_.Get().position;
    HAWSER_ASSIGN(Welcome welcome,
                  hawser::SayHello(context_, config_.relay.WriteEndpoint(), hello, deadline, cancel));
    known_.Hear(welcome.head);
    known_.HearRun(welcome.run);
    if (session_.exchange(welcome.session) != 0) return welcome;
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

  // Who is primary of what. If the relay doesn't answer and no volume needs it, it isn't waited for: nullopt.
  // Nor if it has lost what this node was told is durable: a copy is then shown as it stands.
  Result<std::optional<Welcome>> AskRelay() {
    HAWSER_ASSIGN(const auto known, ReadKnownRoles(StateFolder(own_.state).Roles()));
    roles_.Remember(known);
    const bool needs_relay = roles_.needs_relay();
    auto welcome = SayHello(SteadyClock::now() + kFirstHello, watch_.cancel());
    if (!welcome && welcome.error().code == ETIMEDOUT) {
      log::warn("the relay doesn't let this node begin: {}; {}", welcome.error().message,
                needs_relay ? "waiting for it, since this node is primary (start it by: hawser relay)"
                            : "going on with what was received");
      if (!needs_relay) return SayWherePrimariesDiffer(known), std::optional<Welcome>();
      welcome = SayHello(std::nullopt, watch_.cancel());
    }
    if (!welcome && welcome.error().code == ENODATA && !needs_relay) {
      log::error("{}; going on with what was received", welcome.error().message);
      return std::optional<Welcome>();
    }
    if (!welcome) return std::move(welcome).error();
    (void)relay_news_.Reported(true, SteadyClock::now());  // no thread reports yet
    return std::optional(*std::move(welcome));
  }

  // In the reporter's thread, of a node that was started without the relay. Until then it reports without a
  // session, so that its state can be seen.
  void SayHelloLater() {
    if (session_ != 0 || ended_) return;
    const auto welcome = SayHello(SteadyClock::now() + kLaterHello, nullptr);
    if (!welcome && welcome.error().code != ETIMEDOUT) Complain(welcome.error().message);
  }

  // Until the mounts answer. The relay's run is heard of, too: without it nothing is journaled.
  void ReportStart() {
    reporter_ = std::make_unique<Reporter>(
        context_, config_.relay.ControlEndpoint(),
        Reporter::Calls{[this] {
                          return StartReport({sender(), hello_.config, {}, {}}, roles_.volumes(), watch_);
                        },
                        [this](const Overview& overview, SteadyClock::time_point) {
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
    const auto copies = roles_.Copies();
    report.orders = orders_.Settled(copies && copies->stands, copies ? AppliedBy(*copies) : Progress{});
    roles_.Report(report);
    report.from = sender();  // with what was heard of just now
    return report;
  }

  void Heard(const Overview& overview, SteadyClock::time_point asked) {
    if (!complaint_.empty()) log::info("the relay takes this node's word again");
    complaint_.clear();
    known_.Hear(overview.head);
    known_.HearRun(overview.run);
    orders_.Take(overview.orders, [this](OrderKind kind) { return roles_.Pause(kind == OrderKind::kPause); });
    if (const Status kept = WriteKnownRoles(StateFolder(own_.state).Roles(), overview.volumes); !kept)
      log::warn("who is primary can't be kept in the state folder: {}", kept.error().Text());
    roles_.Heard(overview, asked);
  }

  // At a stop: what becomes of changes that the relay hasn't answered.
  void SayWhatIsUnderWay() const {
    const auto shipper = roles_.shipper();
    const std::size_t count = shipper == nullptr ? 0 : shipper->records();
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
    if (const auto shipper = roles_.shipper())
      say(relay_news_.Waiting({shipper->records(), shipper->answered(), shipper->refused()}, now));
  }

  // The relay doesn't take this node's word. If it has lost what it acknowledged, it is as good as no relay:
  // nothing is written until it has it again. If this session has been ended, nothing is received, applied or
  // counted as applied any more.
  void Refused(const Refusal& refusal) {
    if (const auto setback = SetbackOf(Judge(refusal, {}, {}))) roles_.Suffer(*setback);
    Complain(refusal.text);
    if (refusal.code != RefusalCode::kOldSession || ended_.exchange(true)) return;
    roles_.Halt();
    log::error("this process follows no more; what its mounts show stays as it is");
  }

  // Once for the same.
  void Complain(const std::string& text) {
    if (text != complaint_) log::error("{}", text);
    complaint_ = text;
  }

  Sender sender() const { return {config_.group, name_, session_, known_.Get().position}; }

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
  std::atomic<bool> ended_{false};         // the session: another process has one
  Roles roles_{{config_, name_, context_, known_,
                [this](std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
                  return SayHello(deadline, cancel);
                },
                [this] { return sender(); }}};
  Orders orders_;  // the reporter's thread
  std::unique_ptr<Reporter> reporter_;
  // The reporter's thread's.
  RelayNews relay_news_{config_.relay.ControlEndpoint(), /*heard=*/true};
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
