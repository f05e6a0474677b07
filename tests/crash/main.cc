// hawser-crash: trials, one seed after the other. Exit code 0: all held, 1: something didn't, 2: wrong use,
// 3: could not start.
#include <signal.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "common/base/files.h"
#include "common/config/units.h"
#include "tests/crash/trial.h"

namespace hawser::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kMostKept = 5;  // folders of failed trials; of later ones only the seed is told

std::atomic<bool> interrupted = false;

struct Options {
  std::uint64_t seed = std::random_device{}();
  std::uint64_t rounds = 8;
  std::chrono::milliseconds time{0};
  std::vector<std::string> scenarios;
  std::string keep;
  bool json = false;
};

struct Summary {
  Tally tally;
  std::uint64_t first_seed = 0;
  std::uint64_t seeds = 0;
  std::vector<std::uint64_t> failed;
  double seconds = 0;
};

std::string Footer() {
  std::string text =
      "A trial starts a relay, two primaries and two secondaries as processes with real mounts, puts load on "
      "them\n"
      "(appends with fsync, overwrites, renames, links, SQLite in both journal modes, a token that crosses "
      "volumes)\n"
      "and disturbs them, round after round. After each round every acknowledged call must be on every "
      "replica, all\n"
      "stores must be equal, and no process may have needed help.\n\nScenarios:\n";
  for (const Scenario& scenario : Scenarios()) {
    std::string name = scenario.name;
    name.resize(10, ' ');
    text += "  " + name + scenario.what + (scenario.needs_disks ? " (root)" : "") + "\n";
  }
  return text +
         "\nExamples:\n"
         "  hawser-crash                            one trial of 8 rounds, from a seed that is printed\n"
         "  hawser-crash --for 30m --keep failed    fresh seeds for half an hour; failed trials' folders are "
         "kept\n"
         "  hawser-crash --seed 17 --rounds 8       the disturbances of seed 17 again\n"
         "  hawser-crash --scenario kill --scenario link\n"
         "\nThe seed decides which disturbances come, where and for how long; how the processes interleave "
         "is the\n"
         "machine's choice, so a failure may take several runs of its seed.\n";
}

std::vector<Scenario> Chosen(const Options& options) {
  std::vector<Scenario> chosen;
  for (const Scenario& scenario : Scenarios()) {
    const bool named = std::ranges::find(options.scenarios, scenario.name) != options.scenarios.end();
    const bool possible = !scenario.needs_disks || SmallDisk::Available();
    if (named || (options.scenarios.empty() && possible)) chosen.push_back(scenario);
  }
  return chosen;
}

Status RunRounds(Trial& trial, std::uint64_t rounds, const std::vector<Scenario>& scenarios) {
  for (std::uint64_t i = 0; i < rounds && !interrupted; ++i) HAWSER_TRY(trial.Round(scenarios));
  return {};
}

void Keep(Trial& trial, const Options& options, std::uint64_t seed) {
  if (options.keep.empty()) return;
  const std::string folder = options.keep + "/seed-" + std::to_string(seed);
  Status kept = MakeDirectories(options.keep);
  if (kept) kept = trial.Keep(folder);
  std::fprintf(stderr, "%s\n", kept ? ("kept in " + folder).c_str() : kept.error().Text().c_str());
}

// false: the machine can't.
bool RunTrial(std::uint64_t seed, const Options& options, const std::vector<Scenario>& scenarios,
              Summary& summary) {
  const bool disks = std::ranges::any_of(scenarios, [](const Scenario& s) { return s.needs_disks; });
  auto trial = Trial::Start(seed, disks);
  if (!trial) {
    std::fprintf(stderr, "hawser-crash: seed %llu: %s\n", static_cast<unsigned long long>(seed),
                 trial.error().Text().c_str());
    return false;
  }
  const Status held = RunRounds(**trial, options.rounds, scenarios);
  ++summary.seeds;
  summary.tally += (*trial)->tally();
  if (held) return true;
  summary.failed.push_back(seed);
  std::fprintf(
      stderr, "FAILED: seed %llu: %s\nwhat was done:\n%sagain: hawser-crash --seed %llu --rounds %llu%s\n",
      static_cast<unsigned long long>(seed), held.error().Text().c_str(), (*trial)->history().c_str(),
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(options.rounds),
      options.scenarios.empty() ? "" : " and the same scenarios");
  if (summary.failed.size() <= kMostKept) Keep(**trial, options, seed);
  return true;
}

void Progress(const Summary& summary, double seconds) {
  std::fprintf(
      stderr,
      "%5.0f s: %llu seeds, %llu rounds, %llu crashes, %llu calls acknowledged, %llu lost, %zu failed\n",
      seconds, static_cast<unsigned long long>(summary.seeds),
      static_cast<unsigned long long>(summary.tally.rounds),
      static_cast<unsigned long long>(summary.tally.crashes),
      static_cast<unsigned long long>(summary.tally.acknowledged),
      static_cast<unsigned long long>(summary.tally.lost), summary.failed.size());
}

void Print(const Summary& summary, bool as_json) {
  const Tally& tally = summary.tally;
  if (as_json) {
    const nlohmann::ordered_json json = {
        {"first_seed", summary.first_seed}, {"seeds", summary.seeds},
        {"failed", summary.failed},         {"rounds", tally.rounds},
        {"crashes", tally.crashes},         {"faults_injected", tally.faults},
        {"stops_looked_at", tally.stops},   {"calls_acknowledged", tally.acknowledged},
        {"calls_lost", tally.lost},         {"seconds", summary.seconds}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf(
      "seeds %llu (from %llu), rounds %llu, crashes %llu, faults injected %llu, stops looked at %llu, calls "
      "acknowledged %llu, calls lost %llu, failed %zu, %.1f s\n",
      static_cast<unsigned long long>(summary.seeds), static_cast<unsigned long long>(summary.first_seed),
      static_cast<unsigned long long>(tally.rounds), static_cast<unsigned long long>(tally.crashes),
      static_cast<unsigned long long>(tally.faults), static_cast<unsigned long long>(tally.stops),
      static_cast<unsigned long long>(tally.acknowledged), static_cast<unsigned long long>(tally.lost),
      summary.failed.size(), summary.seconds);
}

int Run(const Options& options) {
  const auto scenarios = Chosen(options);
  Summary summary;
  summary.first_seed = options.seed;
  const auto begin = SteadyClock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); };
  bool works = true;
  for (std::uint64_t seed = options.seed; works && !interrupted; ++seed) {
    works = RunTrial(seed, options, scenarios, summary);
    summary.seconds = elapsed();
    Progress(summary, summary.seconds);
    if (SteadyClock::now() >= begin + options.time) break;
  }
  Print(summary, options.json);
  if (!summary.failed.empty()) return 1;
  return works ? 0 : 3;
}

int Main(int argc, char** argv) {
  Options options;
  std::string time;
  CLI::App app(
      "Kills, freezes, cuts off and fills up a group of real processes under load, and checks that nothing "
      "was lost.",
      "hawser-crash");
  app.footer(Footer());
  app.add_option("--seed", options.seed, "Of the first trial; the next ones count on (default: random)")
      ->type_name("N");
  app.add_option("--rounds", options.rounds, "Of each trial")->capture_default_str()->type_name("K");
  app.add_option("--for", time, "Trials of fresh seeds until the time is over: 90s, 30m, 2h")
      ->type_name("TIME");
  app.add_option("--scenario", options.scenarios, "Only this one; may be repeated")->type_name("NAME");
  app.add_option("--keep", options.keep, "Where folders of failed trials go: logs, notes, stores, journals")
      ->type_name("FOLDER");
  app.add_flag("--json", options.json, "The summary as one JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!time.empty()) {
    const auto parsed = ParseDuration(time);
    if (!parsed) {
      std::fprintf(stderr, "hawser-crash: --for %s: %s\n", time.c_str(), parsed.error().Text().c_str());
      return 2;
    }
    options.time = *parsed;
  }
  for (const std::string& name : options.scenarios) {
    if (std::ranges::any_of(Scenarios(), [&](const Scenario& s) { return s.name == name; })) continue;
    std::fprintf(stderr, "hawser-crash: there is no scenario '%s'; --help lists them\n", name.c_str());
    return 2;
  }
  umask(022);
  for (const int end : {SIGINT, SIGTERM}) signal(end, [](int) { interrupted = true; });
  return Run(options);
}

}  // namespace
}  // namespace hawser::test

int main(int argc, char** argv) { return hawser::test::Main(argc, argv); }
