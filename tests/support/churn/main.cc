// hawser-churn FOLDER...: seeded random file system calls by many threads. Exit code 0: done, 1: something
// failed, 2: wrong use, 3: could not start.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "tests/support/churn/churn.h"

int main(int argc, char** argv) {
  hawser::test::ChurnOptions options;
  options.seed = std::random_device{}();
  CLI::App app("Random file system calls by many threads, from a seed that is printed.", "hawser-churn");
  app.add_option("folders", options.folders, "Where; thread t works in folder t modulo their number")
      ->required();
  app.add_option("--seed", options.seed, "Replays the operations of this seed (default: random)");
  app.add_option("--threads", options.threads, "")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds, "Ends after; 0: no limit")->capture_default_str();
  app.add_option("--operations", options.operations, "Ends after so many of each thread; 0: no limit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  umask(022);
  std::printf("seed %llu, %u threads\n", static_cast<unsigned long long>(options.seed), options.threads);
  std::fflush(stdout);
  const auto report = hawser::test::RunChurn(options);
  if (!report) {
    std::fprintf(stderr, "hawser-churn: %s\n", report.error().Text().c_str());
    return 3;
  }
  std::printf("%s", report->Text().c_str());
  return report->failures.empty() ? 0 : 1;
}
