// The config that `hawser init` writes: every key with a comment, for a person to go on from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hawser::cli {

// What a new config is to say.
struct NewConfig {
  std::string group = "demo";
  std::vector<std::string> volumes{"docs"};
  std::string primary = "alpha";
  std::vector<std::string> copies{"charlie"};
  std::string address = "127.0.0.1";
  std::uint16_t port = 7401;  // and the two behind it
  bool lab = false;           // everything runs on one machine: mounts lie apart by node
  std::string folder;         // all folders lie in it; empty: in those of the system, /var/lib, /srv and /mnt
};

// The file's text. Not looked at: whether it is a valid config.
std::string TextOf(const NewConfig& wanted);

}  // namespace hawser::cli
