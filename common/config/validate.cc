#include "common/config/validate.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/base/state_folder.h"
#include "common/config/folders.h"

namespace hawser {
namespace {

template <class Map>
std::vector<std::string> NamesIn(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name.value);
  return names;
}

Status CheckPorts(const Config& config, const Source& source) {
  struct NamedPort {
    const char* name;
    std::uint16_t port;
  };
  const std::array<NamedPort, 3> ports{{{"write", config.relay.write_port},
                                        {"stream", config.relay.stream_port},
                                        {"control", config.relay.control_port}}};
  for (std::size_t i = 0; i < ports.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (ports[i].port != ports[j].port) continue;
      return source.Wrong({"relay", "ports", ports[i].name},
                          std::to_string(ports[i].port) + " is the port of '" + ports[j].name +
                              "' too; give each its own (unnamed ones are 7401, 7402 and 7403)");
    }
  }
  return {};
}

Status CheckAddress(const Config& config, const Source& source) {
  const std::string& address = config.relay.address;
  const auto wrong = [&](const std::string& what) {
    return source.Wrong({"relay", "address"}, "'" + address + "' " + what);
  };
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    return wrong("is an IPv6 address, which is not supported yet; write an IPv4 one like 127.0.0.1");
  }
  if (inet_pton(AF_INET, address.c_str(), &v4) != 1) {
    return wrong("is not an IP address; write one like 127.0.0.1 (names are not looked up)");
  }
  const std::uint32_t first = ntohl(v4.s_addr) >> 24;
  constexpr std::uint32_t kFirstOfMany = 224;  // multicast, reserved, broadcast
  if (first == 0 || first >= kFirstOfMany)
    return wrong("is no address that nodes can connect to; write the relay's own");
  const bool is_loopback = first == 127;
  if (is_loopback || config.relay.insecure) return {};
  return wrong(
      "is not a loopback address, and connections are neither encrypted nor authenticated yet; use 127.0.0.1 "
      "with a tunnel, or add 'insecure: true' to relay if everyone on that network may read and write "
      "everything");
}

Status CheckVolumes(const Config& config, const Source& source) {
  for (const auto& [volume, settings] : config.volumes) {
    if (StateFolder::IsTaken(volume)) {
      return source.Wrong({"volumes", volume.value},
                          "'" + volume.value +
                              "' is the name of something else in a node's state folder; give the "
                              "volume another name");
    }
    const KeyPath keys{"volumes", volume.value, "primary"};
    const auto node = config.nodes.find(settings.primary);
    if (node == config.nodes.end()) {
      return source.Wrong(keys, "there is no node '" + settings.primary.value + "'" +
                                    Suggestion(settings.primary.value, NamesIn(config.nodes)));
    }
    if (!node->second.volumes.contains(volume)) {
      return source.Wrong(keys, "node '" + settings.primary.value + "' does not hold volume '" +
                                    volume.value + "'; add it under nodes." + settings.primary.value +
                                    ".volumes, or name a node that holds it");
    }
  }
  return {};
}

Status CheckNodes(const Config& config, const Source& source) {
  for (const auto& [name, node] : config.nodes) {
    if (name == NodeName("relay")) {
      return source.Wrong({"nodes", name.value},
                          "'relay' is what the relay itself is called in the journal and in logs; give the "
                          "node another name");
    }
    for (const auto& [volume, replica] : node.volumes) {
      if (config.volumes.contains(volume)) continue;
      return source.Wrong(
          {"nodes", name.value, "volumes", volume.value},
          "there is no volume '" + volume.value + "'" + Suggestion(volume.value, NamesIn(config.volumes)));
    }
  }
  return {};
}

Status CheckFolders(const Config& config, const Source& source) {
  const auto overlap = FindOverlap(FoldersOf(config));
  if (!overlap) return {};
  return source.Wrong(overlap->folder.keys, overlap->problem);
}

Status CheckFailover(const Config& config, const Source& source) {
  const KeyPath keys{"failover", "candidates"};
  std::set<NodeName> seen;
  for (const auto& candidate : config.failover.candidates) {
    if (!config.nodes.contains(candidate)) {
      return source.Wrong(keys, "there is no node '" + candidate.value + "'" +
                                    Suggestion(candidate.value, NamesIn(config.nodes)));
    }
    if (!seen.insert(candidate).second) {
      return source.Wrong(keys, "node '" + candidate.value + "' is named twice; remove one of the two");
    }
  }
  if (config.failover.mode != FailoverMode::kManual && seen.empty()) {
    return source.Wrong(keys, fmt::format("mode is {}, but nobody can take over; name at least one node",
                                          TextOf(config.failover.mode)));
  }
  return {};
}

}  // namespace

Status Validate(const Config& config, const Source& source) {
  for (const auto rule : {CheckPorts, CheckAddress, CheckVolumes, CheckNodes, CheckFolders, CheckFailover}) {
    HAWSER_TRY(rule(config, source));
  }
  return {};
}

}  // namespace hawser
