// The config file of a group that a test runs: volumes "docs" and "mail", whose primaries are alpha and
// bravo, and secondaries that hold both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hawser::test {

inline const std::vector<std::string> kVolumes = {"docs", "mail"};
inline const std::vector<std::string> kPrimaries = {"alpha", "bravo"};

// "docs" -> "alpha"
const std::string& PrimaryOf(const std::string& volume);

struct GroupConfig {
  using Keys = std::map<std::string, std::string>;
  using Where = std::function<std::string(const std::string& node, const std::string& volume)>;

  std::string group;
  std::string address = "127.0.0.1";
  std::uint16_t write = 0;
  std::uint16_t stream = 0;
  std::uint16_t control = 0;
  std::string journal;
  Keys relay_keys;
  Keys volume_keys;   // of each volume
  Keys replica_keys;  // of each node's volumes
  std::string more;   // lines between the volumes and the nodes
  std::vector<std::string> secondaries;
  std::function<std::string(const std::string& node)> state;
  Where store;
  Where mount;

  std::vector<std::string> nodes() const;  // primaries, then secondaries
  bool Holds(const std::string& node, const std::string& volume) const;
  std::string Text() const;
  // All stores and mount points. Throws std::filesystem::filesystem_error.
  void MakeFolders() const;
};

}  // namespace hawser::test
