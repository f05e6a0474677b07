// Every config that people start from is valid: the files in config/, the blocks of YAML in README and docs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/base/files.h"
#include "common/config/config.h"

namespace hawser {
namespace {

std::vector<std::string> Examples() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(HAWSER_SOURCE "/config")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class ConfigExample : public ::testing::TestWithParam<std::string> {};

TEST_P(ConfigExample, Loads) {
  const auto config = LoadConfig(GetParam());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->group.empty());
}

INSTANTIATE_TEST_SUITE_P(All, ConfigExample, ::testing::ValuesIn(Examples()), [](const auto& file) {
  std::string name = std::filesystem::path(file.param).stem();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

// Each as a file's text that begins with as many empty lines as stand before it, so that errors name its
// line.
std::vector<std::string> YamlBlocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  bool inside = false;
  std::string before;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line); before += '\n') {
    if (!inside && line == "```yaml") {
      blocks.push_back(before + '\n');
      inside = true;
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + '\n';
    }
  }
  return blocks;
}

TEST(ConfigExamples, YamlInTheDocumentationLoads) {
  std::vector<std::string> documents{HAWSER_SOURCE "/README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(HAWSER_SOURCE "/docs"))
    documents.push_back(entry.path());
  std::size_t loaded = 0;
  for (const std::string& document : documents) {
    const auto text = ReadFile(document);
    ASSERT_TRUE(text) << text.error().Text();
    for (const std::string& block : YamlBlocks(*text)) {
      const auto config = ParseConfig(block, document);
      EXPECT_TRUE(config) << config.error().message;
      ++loaded;
    }
  }
  EXPECT_GE(loaded, 1u) << "README.md shows a config";
}

}  // namespace
}  // namespace hawser
