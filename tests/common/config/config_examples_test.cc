// Every file in config/ that people start from is valid.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/config/config.h"

namespace hawser {
namespace {

std::vector<std::string> Examples() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(HAWSER_EXAMPLES)) {
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

}  // namespace
}  // namespace hawser
