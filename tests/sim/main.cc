// hawser-sim: runs seeds of the simulation.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/sim/scratch.h"
#include "tests/sim/simulation.h"

namespace hawser::sim {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

void TakeSignal(int signal) { stop_signal = signal; }

struct Options {
  std::optional<std::uint64_t> seed;
  std::string seeds;
  std::string time;
  std::uint64_t steps = RunOptions{}.steps;
  std::string fault;
  bool trace = false;
  bool json = false;
  bool list_faults = false;
  std::string keep;
};

constexpr const char* kFooter =
    R"(Runs primaries, a relay and secondaries in one process, with simulated clock, network and disks, and checks the
invariants I1 to I7 at every step. Everything that happens follows from the seed.

  hawser-sim --seeds 1..1000                 one thousand seeds
  hawser-sim --for 10m --keep failed.txt     fresh seeds for ten minutes; those that fail are written down
  hawser-sim --seed 4711 --trace             one seed, telling all that happens
  hawser-sim --list-faults                   deliberate faults, to see that the checker finds them
  hawser-sim --fault skip-dedup --seeds 1..100

Exit: 0 no seed failed; 1 at least one failed; 2 wrong use; 3 it could not run. With a signal the seed at hand is
finished and the summary printed.)";

std::optional<std::chrono::milliseconds> ParseTime(const std::string& text) {
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0) ++digits;
  if (digits == 0 || digits > 9) return std::nullopt;
  const std::int64_t number = std::stoll(text.substr(0, digits));
  const std::string unit = text.substr(digits);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  return std::nullopt;
}

struct Range {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
};

std::optional<Range> ParseRange(const std::string& text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  try {
    const Range range{std::stoull(text.substr(0, dots)), std::stoull(text.substr(dots + 2))};
    if (range.first > range.last) return std::nullopt;
    return range;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// What was run so far.
class Tally {
 public:
  Tally(const Options& options, std::uint64_t first) : options_(options), first_(first) {}

  void Add(std::uint64_t seed, const RunResult& result) {
    last_ = seed;
    ++seeds_;
    counts_.steps += result.counts.steps;
    counts_.crashes += result.counts.crashes;
    counts_.faults += result.counts.faults;
    counts_.calls += result.counts.calls;
    lost_ += result.calls_lost;
    if (result.violation) failed_.push_back(seed);
  }
  bool failed() const { return !failed_.empty(); }

  std::string Line() const {
    return fmt::format(
        "seeds {} ({}..{}), steps {}, crashes {}, faults injected {}, calls acknowledged {}, calls lost {}, "
        "failed {}, {:.1f} s",
        seeds_, first_, last_, counts_.steps, counts_.crashes, counts_.faults, counts_.calls, lost_,
        failed_.size(), Seconds());
  }
  std::string Json() const {
    const nlohmann::json json = {{"first_seed", first_},
                                 {"last_seed", last_},
                                 {"seeds", seeds_},
                                 {"failed", failed_},
                                 {"steps", counts_.steps},
                                 {"crashes", counts_.crashes},
                                 {"faults_injected", counts_.faults},
                                 {"calls_acknowledged", counts_.calls},
                                 {"calls_lost", lost_},
                                 {"seconds", Seconds()}};
    return json.dump();
  }
  void Print() const { std::cout << (options_.json ? Json() : Line()) << std::endl; }

 private:
  double Seconds() const { return std::chrono::duration<double>(SteadyClock::now() - begun_).count(); }

  const Options& options_;
  const std::uint64_t first_;
  std::uint64_t last_ = 0;
  std::uint64_t seeds_ = 0;
  std::uint64_t lost_ = 0;
  Counts counts_;
  std::vector<std::uint64_t> failed_;
  const Deadline begun_ = SteadyClock::now();
};

void Keep(const Options& options, const RunOptions& run, const Violation& violation) {
  if (options.keep.empty()) return;
  std::ofstream file(options.keep, std::ios::app);
  file << run.seed << '\t' << "--seed " << run.seed << " --steps " << run.steps
       << (options.fault.empty() ? "" : " --fault " + options.fault) << '\t' << violation.invariant << ": "
       << violation.text << '\n';
  if (!file.flush()) std::cerr << "hawser-sim: cannot write to '" << options.keep << "'\n";
}

void RunOne(const Options& options, RunOptions run, Tally& tally) {
  if (options.trace) run.trace = [](const std::string& line) { std::cerr << line << '\n'; };
  const RunResult result = RunSeed(run);
  tally.Add(run.seed, result);
  if (!result.violation) return;
  std::cerr << Explain(run, options.fault);
  Keep(options, run, *result.violation);
}

int RunAll(const Options& options) {
  RunOptions run;
  run.steps = options.steps;
  if (!options.fault.empty()) run.mutations = Mutations(FindFault(options.fault));
  Range range;
  std::optional<Deadline> until;
  if (!options.seeds.empty()) {
    range = *ParseRange(options.seeds);
  } else if (!options.time.empty()) {
    until = SteadyClock::now() + *ParseTime(options.time);
    range.first = options.seed ? *options.seed : static_cast<std::uint64_t>(Now().nanoseconds / 1'000'000);
    range.last = UINT64_MAX;
    std::cerr << "from seed " << range.first << std::endl;
  } else if (options.seed) {
    range = {*options.seed, *options.seed};
  }
  const Scratch scratch;
  run.folder = scratch.path();
  Tally tally(options, range.first);
  Deadline say = SteadyClock::now() + std::chrono::seconds(5);
  for (run.seed = range.first;; ++run.seed) {
    RunOne(options, run, tally);
    if (stop_signal != 0 || run.seed == range.last || (until && SteadyClock::now() >= *until)) break;
    if (SteadyClock::now() < say) continue;
    std::cerr << tally.Line() << std::endl;
    say = SteadyClock::now() + std::chrono::seconds(5);
  }
  tally.Print();
  return tally.failed() ? 1 : 0;
}

int ListFaults() {
  for (const FaultInfo& info : AllFaults()) std::cout << fmt::format("{:<26} {}\n", info.name, info.what);
  return 0;
}

int WrongUse(const std::string& why) {
  std::cerr << "hawser-sim: " << why << "; see hawser-sim --help\n";
  return 2;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("The simulation of Hawser.", "hawser-sim");
  app.footer(kFooter);
  app.add_option("--seed", options.seed, "the seed to run, or with --for the one to begin with");
  app.add_option("--seeds", options.seeds, "A..B: seeds A to B, both included (default 1..100)");
  app.add_option("--for", options.time, "fresh seeds for so long: 500ms, 30s, 10m, 2h");
  app.add_option("--steps", options.steps, "events of trouble before everything is mended")
      ->capture_default_str();
  app.add_option("--fault", options.fault, "with a deliberate fault (--list-faults)");
  app.add_flag("--trace", options.trace, "tell all that happens, on stderr");
  app.add_flag("--json", options.json, "the summary as one JSON object");
  app.add_option("--keep", options.keep, "append a line for each seed that fails to this file");
  app.add_flag("--list-faults", options.list_faults, "the deliberate faults");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  }
  if (options.list_faults) return ListFaults();
  if (!options.seeds.empty() && !ParseRange(options.seeds))
    return WrongUse("--seeds takes A..B, like 1..1000");
  if (!options.time.empty() && !ParseTime(options.time)) return WrongUse("--for takes a time, like 30s");
  if (!options.seeds.empty() && (options.seed || !options.time.empty()))
    return WrongUse("--seeds goes with neither --seed nor --for");
  if (!options.fault.empty() && !FindFault(options.fault))
    return WrongUse("there is no fault '" + options.fault + "', --list-faults shows them");
  std::signal(SIGINT, TakeSignal);
  std::signal(SIGTERM, TakeSignal);
  std::signal(SIGPIPE, TakeSignal);
  spdlog::set_level(spdlog::level::off);
  try {
    return RunAll(options);
  } catch (const std::exception& problem) {
    std::cerr << "hawser-sim: " << problem.what() << '\n';
    return 3;
  }
}

}  // namespace
}  // namespace hawser::sim

int main(int argc, char** argv) { return hawser::sim::Main(argc, argv); }
