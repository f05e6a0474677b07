// hawser promote NODE: it becomes the primary, by plan or because the present one is gone.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/promotion_view.h"
#include "common/base/random.h"
#include "common/config/suggest.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

constexpr auto kPromotionPollInterval = std::chrono::milliseconds(50);
// What is with the relay's disk when time is up is waited for so long.
constexpr auto kSettlePatience = std::chrono::seconds(5);

struct PromoteOptions {
  std::string node;
  std::vector<std::string> volumes;
  std::string timeout = "30s";
};

Status CheckVolumes(const Config& config, const NodeConfig& node, const PromoteOptions& options) {
  std::vector<std::string> known;
  for (const auto& [name, volume] : config.volumes) known.push_back(name.value);
  for (const std::string& name : options.volumes) {
    if (!config.volumes.contains(VolumeName(name)))
      return Usage(config.path + ": no volume '" + name + "'" + Suggestion(name, known));
    if (!node.volumes.contains(VolumeName(name)))
      return Usage(fmt::format("{}: node {} holds no copy of volume {}; promote a node that does",
                               config.path, options.node, name));
  }
  return {};
}

// Until it is settled, or a while after `deadline`. A relay that was heard of once may be away in between: it
// goes on when it is back.
Result<Promotion> Await(Client& client, const PromoteOptions& options, std::uint64_t id, Deadline deadline) {
  std::vector<VolumeName> volumes;
  for (const std::string& name : options.volumes) volumes.emplace_back(name);
  std::optional<Promotion> last;
  ProgressLine line;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    const auto now =
        client.Promote(NodeName(options.node), id, volumes, std::max(left, std::chrono::milliseconds(0)));
    if (!now && !last) return now;
    if (now) {
      last = *now;
      if (last->settled) return *last;
      line.Show(last->progress);
    } else {
      line.Show("the relay does not answer");
    }
    if (SteadyClock::now() >= deadline + kSettlePatience) {
      if (!now)
        return CannotDo(
            fmt::format("{}; it isn't known what became of the promotion: 'hawser status' shows who "
                        "is primary once the relay answers",
                        now.error().message));
      return *last;
    }
    std::this_thread::sleep_for(kPromotionPollInterval);
  }
}

Result<Exit> RunPromote(const Session& session, const PromoteOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(const NodeConfig* node, FindNode(config, options.node));
  HAWSER_TRY(CheckVolumes(config, *node, options));
  const auto begin = SteadyClock::now();
  Client client(config);
  HAWSER_ASSIGN(const Promotion promotion,
                Await(client, options, RandomNumber(), begin + *ParseDuration(options.timeout)));
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  const Json json = PromotionJson(promotion, options.node, seconds);
  if (!session.json) fmt::print("{}", PromotionTable(promotion, options.node, StdoutHasColour()));
  if (!promotion.settled)
    return SayNo(session, json,
                 fmt::format("the promotion of node {} is not over after {}: {}", options.node,
                             HumanSeconds(seconds), promotion.progress),
                 "'hawser status' shows who is primary");
  if (!promotion.problem.empty()) return SayNo(session, json, promotion.problem, "");
  if (session.json) {
    PrintJson(json);
    return Exit::kDone;
  }
  fmt::print("{}\n", Printable(PromotionDone(promotion, options.node, seconds)));
  if (!promotion.progress.empty()) fmt::print("{}\n", Printable(promotion.progress));
  return Exit::kDone;
}

}  // namespace

void AddPromote(CLI::App& app, Session& session) {
  auto options = std::make_shared<PromoteOptions>();
  CLI::App* command = AddCommand(
      app, session, "promote", "Make a node the primary, by plan or because the present one is gone",
      "  hawser promote charlie          of all volumes that it has copies of\n"
      "  hawser promote charlie docs     of this one only\n"
      "  hawser promote alpha            and home again, once alpha is back and live\n"
      "\n"
      "If the present primary answers (planned), it begins no more changes and finishes those under way,\n"
      "and charlie applies what it still lacks; then it is charlie's turn, and the old mounts are "
      "read-only.\n"
      "What isn't there by --timeout is taken back, and the old primary goes on. If it doesn't answer\n"
      "(failover), it is fenced: nothing that it may still send is taken. Either way nothing that was\n"
      "acknowledged is lost: the relay has it, and charlie takes changes once it has applied it.\n"
      "\n"
      "If no volumes are named, and only some of their primaries answer, those that don't are replaced.\n"
      "\n"
      "It goes on in the relay, also if this command is interrupted. The relay has to answer.");
  AddJsonOption(*command, session);
  command->add_option("node", options->node, "The node's name in the config")->type_name("NODE")->required();
  command->add_option("volumes", options->volumes, "Only these volumes")->type_name("VOLUME");
  AddDurationOption(*command, "--timeout", options->timeout, "How long it may take (30s)");
  Handle(command, session, options, RunPromote);
}

}  // namespace hawser::cli
