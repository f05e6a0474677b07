// hawser-tree-compare A B [C...]: compares each further tree with the first. Exit code 0: equal, 1: they
// differ, 2: wrong use, 3: could not compare.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/support/escape.h"
#include "tests/support/tree_compare.h"

namespace {

using hawser::test::CompareReport;
using hawser::test::EscapeBytes;

nlohmann::json ToJson(const std::string& left, const std::string& right, const CompareReport& report) {
  nlohmann::json differences = nlohmann::json::array();
  for (const auto& d : report.differences)
    differences.push_back(
        {{"path", EscapeBytes(d.path)}, {"what", d.what}, {"left", d.left}, {"right", d.right}});
  return {{"left", left},
          {"right", right},
          {"equal", report.equal()},
          {"entries", report.entries},
          {"bytes", report.bytes},
          {"differing", report.differing},
          {"differences", differences}};
}

void Print(const std::string& left, const std::string& right, const CompareReport& report) {
  if (report.equal()) {
    std::printf("equal: %s and %s (%llu names, %llu bytes)\n", left.c_str(), right.c_str(),
                static_cast<unsigned long long>(report.entries),
                static_cast<unsigned long long>(report.bytes));
    return;
  }
  std::printf("DIFFER in %llu places: %s | %s\n%s", static_cast<unsigned long long>(report.differing),
              left.c_str(), right.c_str(), report.Text().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Compares directory trees byte for byte and attribute for attribute.", "hawser-tree-compare");
  std::vector<std::string> trees;
  bool json = false;
  hawser::test::CompareOptions options;
  app.add_option("trees", trees, "Two or more directories; each is compared with the first")
      ->required()
      ->expected(2, -1);
  app.add_flag("--json", json, "Print a JSON array, one element a pair");
  app.add_option("--show", options.keep, "How many differences to print for each pair")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  nlohmann::json all = nlohmann::json::array();
  bool equal = true;
  for (std::size_t i = 1; i < trees.size(); ++i) {
    const auto report = hawser::test::CompareTrees(trees[0], trees[i], options);
    if (!report) {
      std::fprintf(stderr, "hawser-tree-compare: %s | %s: %s\n", trees[0].c_str(), trees[i].c_str(),
                   report.error().Text().c_str());
      return 3;
    }
    equal = equal && report->equal();
    if (json)
      all.push_back(ToJson(trees[0], trees[i], *report));
    else
      Print(trees[0], trees[i], *report);
  }
  if (json) std::printf("%s\n", all.dump(2).c_str());
  return equal ? 0 : 1;
}
