#include "tests/support/group_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace hawser::test {
namespace {

std::string More(const GroupConfig::Keys& keys) {
  std::string text;
  for (const auto& [key, value] : keys) text += fmt::format(", {}: {}", key, value);
  return text;
}

}  // namespace

const std::string& PrimaryOf(const std::string& volume) {
  return kPrimaries.at(volume == kVolumes.at(0) ? 0 : 1);
}

std::vector<std::string> GroupConfig::nodes() const {
  std::vector<std::string> all = kPrimaries;
  all.insert(all.end(), secondaries.begin(), secondaries.end());
  return all;
}

bool GroupConfig::Holds(const std::string& node, const std::string& volume) const {
  return node == PrimaryOf(volume) || std::ranges::find(secondaries, node) != secondaries.end();
}

// As a person makes them: other users, too, may go there.
void GroupConfig::MakeFolders() const {
  for (const std::string& node : nodes()) {
    for (const std::string& volume : kVolumes) {
      if (!Holds(node, volume)) continue;
      std::filesystem::create_directories(store(node, volume));
      std::filesystem::create_directories(mount(node, volume));
    }
  }
}

std::string GroupConfig::Text() const {
  std::string text = fmt::format(
      "group: {}\nrelay: {{ address: {}, ports: {{ write: {}, stream: {}, control: {} }}, journal: {}{} }}\n",
      group, address, write, stream, control, journal, More(relay_keys));
  text += "volumes:\n";
  for (const std::string& volume : kVolumes)
    text += fmt::format("  {}: {{ primary: {}{} }}\n", volume, PrimaryOf(volume), More(volume_keys));
  text += more + "nodes:\n";
  for (const std::string& node : nodes()) {
    text += fmt::format("  {}:\n    state: {}\n    volumes:\n", node, state(node));
    for (const std::string& volume : kVolumes) {
      if (Holds(node, volume))
        text += fmt::format("      {}: {{ store: {}, mount: {}{} }}\n", volume, store(node, volume),
                            mount(node, volume), More(replica_keys));
    }
  }
  return text;
}

}  // namespace hawser::test
