// Each `hawser COMMAND` that the documentation, the examples, the scripts or a message of the program names
// exists, with the options that are named behind it; or what stands around it says that it doesn't yet.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>

#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

struct Named {
  std::string where;               // file:line
  std::vector<std::string> words;  // status, or journal lack
  std::vector<std::string> options;
  std::string around;  // the line, and its neighbours
};

std::vector<std::string> TextsOfTheProject() {
  std::vector<std::string> files{HAWSER_SOURCE "/README.md"};
  for (const char* folder : {"docs", "config", "scripts", "cli", "common", "node", "relay", "volume",
                             "fuse_primary", "fuse_secondary"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(HAWSER_SOURCE "/") + folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  return files;
}

std::vector<std::string> LinesOf(const std::string& file) {
  std::vector<std::string> lines;
  std::istringstream text(Content(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// A command begins a line, or stands in quotes, behind a colon or a path, or apart from what is before it.
std::vector<Named> NamedIn(const std::string& file) {
  static const std::regex kCommand(
      R"((?:^[#/ $]*|  +|[`'"=]|: |bin/)hawser(?: -c [^ ]+)? ([a-z]+)(?: ([a-z]+))?([^`'"|;]*))");
  static const std::regex kOption(R"((?:^| )(--[a-z-]+))");
  std::vector<Named> named;
  const std::vector<std::string> lines = LinesOf(file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::sregex_iterator at(lines[i].begin(), lines[i].end(), kCommand), end; at != end; ++at) {
      Named found{file + ":" + std::to_string(i + 1), {(*at)[1]}, {}, lines[i]};
      if (found.words.front() == "journal" && (*at)[2].matched) found.words.push_back((*at)[2]);
      const std::string rest = (*at)[3];
      for (std::sregex_iterator option(rest.begin(), rest.end(), kOption); option != end; ++option)
        found.options.push_back((*option)[1]);
      if (i > 0) found.around += lines[i - 1];
      if (i + 1 < lines.size()) found.around += lines[i + 1];
      named.push_back(std::move(found));
    }
  }
  return named;
}

class NamedCommands : public ProgramTest {
 protected:
  // The help of a command; empty if there is no such command.
  std::string Help(const std::vector<std::string>& words) {
    const auto known = helps_.find(words);
    if (known != helps_.end()) return known->second;
    std::vector<std::string> command = words;
    command.emplace_back("--help");
    const ProgramResult result = Hawser(command);
    std::string usage = "Usage: hawser";
    for (const std::string& word : words) usage += " " + word;
    return helps_[words] = result.out.find(usage + " ") != std::string::npos ? result.out : "";
  }

 private:
  std::map<std::vector<std::string>, std::string> helps_;
};

TEST_F(NamedCommands, ExistOrAreSaidToBePlanned) {
  std::size_t checked = 0;
  for (const std::string& file : TextsOfTheProject()) {
    for (const Named& named : NamedIn(file)) {
      const std::string help = Help(named.words);
      const bool planned =
          named.around.find(" yet") != std::string::npos || named.around.find("lanned") != std::string::npos;
      EXPECT_TRUE(!help.empty() || planned)
          << named.where << ": there is no 'hawser " << named.words.back() << "'";
      ++checked;
      if (help.empty()) continue;
      for (const std::string& option : named.options) EXPECT_THAT(help, HasSubstr(option)) << named.where;
    }
  }
  EXPECT_GT(checked, 40u) << "they aren't found any more";
}

}  // namespace
}  // namespace hawser::test
