// hawser wait: until the secondaries have applied all that was acknowledged before the call.
#include <fmt/format.h>

#include <optional>
#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/status_view.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

// How often is asked, and how long a relay may be away in the middle (a restart) when no --timeout is given.
constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr auto kRelayAwayPatience = std::chrono::seconds(10);

struct WaitOptions {
  std::string node;
  std::string timeout;
};

// Where the nodes that are waited for stand against the head of the call.
class Race {
 public:
  Race(std::uint64_t head, std::vector<std::string> nodes) : head_(head), names_(std::move(nodes)) {}

  void Update(const StatusView& status) {
    runners_.clear();
    for (const auto& name : names_) {
      NodeView unknown;
      unknown.name = name;
      const NodeView* node = status.Find(name);
      runners_.push_back(node != nullptr ? *node : unknown);
    }
  }

  bool IsBehind(const NodeView& node) const { return !node.applied || *node.applied < head_; }

  // It won't get there by itself, however long one waits.
  bool IsStuck(const NodeView& node) const {
    return NeedsHelp(node.state) || (node.state == ReplicaState::kPaused && IsBehind(node));
  }

  bool Over() const {
    for (const auto& node : runners_) {
      if (NeedsHelp(node.state) || IsBehind(node)) return false;
    }
    return true;
  }

  const NodeView* Stuck() const {  // the first
    for (const auto& node : runners_) {
      if (IsStuck(node)) return &node;
    }
    return nullptr;
  }

  // "charlie by 120 records (catching_up), dora by an unknown number of records (unknown)"
  std::string Behind() const {
    std::string text;
    for (const auto& node : runners_) {
      if (!IsBehind(node)) continue;
      text += fmt::format("{}{} by {} ({})", text.empty() ? "" : ", ", node.name, DistanceOf(node),
                          TextOf(node.state));
    }
    return text;
  }

  std::string Names() const { return fmt::format("{}", fmt::join(names_, ", ")); }

  Json ToJson() const {
    Json nodes = Json::object();
    for (const auto& node : runners_) {
      nodes[node.name] = {{"state", TextOf(node.state)},
                          {"behind", node.applied ? Json(Behind(*node.applied)) : Json()},
                          {"applied", node.applied ? Json(*node.applied) : Json()}};
    }
    return {{"head", head_}, {"reached", Over()}, {"nodes", nodes}};
  }

 private:
  std::uint64_t Behind(std::uint64_t applied) const { return applied < head_ ? head_ - applied : 0; }

  std::string DistanceOf(const NodeView& node) const {
    if (!node.applied) return "an unknown number of records";
    const std::uint64_t records = Behind(*node.applied);
    return Counted(records, "record");
  }

  std::uint64_t head_;
  std::vector<std::string> names_;
  std::vector<NodeView> runners_;
};

Result<Exit> Win(const Session& session, const Race& race, std::uint64_t head, SteadyClock::duration taken) {
  const double seconds = std::chrono::duration<double>(taken).count();
  if (session.json) {
    auto json = race.ToJson();
    json["seconds"] = seconds;
    PrintJson(json);
  } else {
    fmt::print("{}: applied everything up to record {}, after {:.1f} s\n", race.Names(), Grouped(head),
               seconds);
  }
  return Exit::kDone;
}

// The status, asked again while the relay is away but may be back before `deadline` (nullopt: before its
// patience ends).
Result<Json> Ask(Client& client, std::optional<Deadline> deadline) {
  const Deadline end = deadline.value_or(SteadyClock::now() + kRelayAwayPatience);
  for (;;) {
    auto status = client.Status();
    if (status || SteadyClock::now() >= end) return status;
  }
}

Result<Exit> RunWait(const Session& session, const WaitOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  if (!options.node.empty()) HAWSER_TRY(FindNode(config, options.node));
  const auto begin = SteadyClock::now();
  std::optional<Deadline> deadline;
  if (!options.timeout.empty()) deadline = begin + *ParseDuration(options.timeout);

  Client client(config);
  HAWSER_ASSIGN(auto status, client.Status());
  const auto head = ReadStatus(status, config).head;
  if (!head)
    return CannotDo("the relay at " + config.relay.ControlEndpoint() + " does not say its head; see its log");
  auto nodes = options.node.empty() ? Secondaries(status, config) : std::vector<std::string>{options.node};
  if (nodes.empty())
    return Usage(config.path + ": there is no secondary to wait for; name a node with --node");

  Race race(*head, std::move(nodes));
  for (;;) {
    race.Update(ReadStatus(status, config));
    if (race.Over()) return Win(session, race, *head, SteadyClock::now() - begin);
    if (const NodeView* stuck = race.Stuck()) {
      return SayNo(session, race.ToJson(),
                   fmt::format("node {} is {}{}{}", stuck->name, TextOf(stuck->state),
                               stuck->problem.empty() ? "" : ": ", stuck->problem),
                   "it does not get there by itself, see 'hawser status' and its log");
    }
    if (deadline && SteadyClock::now() >= *deadline) {
      return SayNo(
          session, race.ToJson(),
          fmt::format("not everything up to record {} is applied: {} behind", Grouped(*head), race.Behind()),
          "wait longer with --timeout, or see 'hawser status'");
    }
    std::this_thread::sleep_for(kPollInterval);
    auto next = Ask(client, deadline);
    if (!next) return std::move(next).error();
    status = *std::move(next);
  }
}

}  // namespace

void AddWait(CLI::App& app, Session& session) {
  auto options = std::make_shared<WaitOptions>();
  CLI::App* command = AddCommand(
      app, session, "wait", "Wait until the copies have everything acknowledged before the call",
      "  hawser wait                                 all secondaries, however long it takes\n"
      "  hawser wait --timeout 30s || echo too slow  exit code 1 when the time is over\n"
      "  hawser wait --node charlie                  only that one\n"
      "\n"
      "Ends at once with exit code 1 if a node is diverged, needs a sync, or is paused before it is there.");
  AddJsonOption(*command, session);
  command->add_option("--node", options->node, "Wait for this node only")->type_name("NODE");
  AddDurationOption(*command, "--timeout", options->timeout, "How long to wait at most (without: no limit)");
  Handle(command, session, options, RunWait);
}

}  // namespace hawser::cli
