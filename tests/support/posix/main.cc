// hawser-posix DIRECTORY: writes what came of many system calls there. With --against PLAIN it runs in both
// and says what differs. Exit code 0: done or equal, 1: they differ, 2: wrong use, 3: could not run.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/support/posix/runner.h"

namespace {

using hawser::test::posix::Case;
using hawser::test::posix::Transcript;

hawser::Result<Transcript> Run(const std::vector<Case>& cases, const std::string& directory) {
  auto transcript = hawser::test::posix::RunCases(cases, directory);
  if (!transcript) std::fprintf(stderr, "hawser-posix: %s\n", transcript.error().Text().c_str());
  return transcript;
}

void Print(const Transcript& transcript) {
  for (const auto& [name, lines] : transcript)
    for (const std::string& line : lines) std::printf("%s: %s\n", name.c_str(), line.c_str());
}

int PrintMismatches(const Transcript& plain, const Transcript& mount) {
  std::size_t steps = 0;
  for (const auto& [name, lines] : plain) steps += lines.size();
  const auto mismatches = hawser::test::posix::CompareTranscripts(plain, mount);
  for (const auto& mismatch : mismatches)
    std::printf("%s\n  plain: %s\n  here:  %s\n", mismatch.name.c_str(), mismatch.plain.c_str(),
                mismatch.mount.c_str());
  std::printf("%zu cases, %zu steps, %zu differ\n", plain.size(), steps, mismatches.size());
  return mismatches.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  std::string plain;
  std::string only;
  CLI::App app("System calls of all kinds and what comes of them.", "hawser-posix");
  app.add_option("directory", directory, "Where to run")->required()->check(CLI::ExistingDirectory);
  app.add_option("--against", plain, "A plain directory to compare with")->check(CLI::ExistingDirectory);
  app.add_option("--only", only, "Only cases whose name contains this");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  auto cases = hawser::test::posix::AllCases();
  std::erase_if(cases, [&only](const Case& test) { return test.name.find(only) == std::string::npos; });
  const auto here = Run(cases, directory);
  if (!here) return 3;
  if (plain.empty()) {
    Print(*here);
    return 0;
  }
  const auto there = Run(cases, plain);
  return there ? PrintMismatches(*there, *here) : 3;
}
