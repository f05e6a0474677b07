// hawser-bench: measures calls on a directory, and the floor below them. Prints "NAME VALUE" lines;
// scripts/bench puts them side by side.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/measure.h"

namespace {

using namespace hawser::bench;

void Print(const char* name, double rate) { std::printf("%s %.1f\n", name, rate); }

void MeasureCalls(const std::string& folder, std::chrono::milliseconds time) {
  Print("4k_1", RandomWrites(folder, 4096, 1, time));
  Print("4k_4", RandomWrites(folder, 4096, 4, time));
  Print("4k_16", RandomWrites(folder, 4096, 16, time));
  Print("1m_1", SequentialWrites(folder, 1 << 20, 1, time));
  Print("1m_4", SequentialWrites(folder, 1 << 20, 4, time));
  const FileRates files = Files(folder, time);
  Print("create", files.create);
  Print("stat", files.stat);
  Print("rename", files.rename);
  Print("unlink", files.unlink);
}

void MeasureFloor(const std::string& folder, std::chrono::milliseconds time) {
  Print("tcp_4k", TcpRoundTrips(4096, time));
  Print("tcp_1m", TcpRoundTrips(1 << 20, time));
  Print("append_4k", Appends(folder, 4096, time));
  Print("append_1m", Appends(folder, 1 << 20, time));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures calls on a directory, in calls per second.", "hawser-bench");
  std::string what, folder;
  int seconds = 3;
  app.add_option("what", what,
                 "calls: writes, creates, stats... in the folder; floor: what no synchronous "
                 "replication can do without (a TCP round trip; append and fdatasync)")
      ->required()
      ->check(CLI::IsMember({"calls", "floor"}));
  app.add_option("folder", folder, "An empty directory; it is empty again afterwards")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--seconds", seconds, "For each measurement")
      ->capture_default_str()
      ->check(CLI::Range(1, 600));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (what == "calls") {
    MeasureCalls(folder, std::chrono::seconds(seconds));
  } else {
    MeasureFloor(folder, std::chrono::seconds(seconds));
  }
  return 0;
}
