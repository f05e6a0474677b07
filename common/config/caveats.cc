#include "common/config/caveats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hawser {
namespace {

std::string Lower(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

template <class Map>
void AddAlike(std::vector<Caveat>& caveats, const std::string& what, const Map& map) {
  std::map<std::string, std::string> seen;
  for (const auto& [name, value] : map) {
    const auto [first, is_new] = seen.emplace(Lower(name.value), name.value);
    if (is_new) continue;
    caveats.push_back(
        {fmt::format("{}s.{}", what, name.value),
         fmt::format("differs from the {} '{}' in the case of its letters only", what, first->second),
         "give it another name, before somebody takes one for the other"});
  }
}

// Until there are hooks.
void AddIdle(std::vector<Caveat>& caveats, const FailoverConfig& failover) {
  if (!failover.before.empty() || !failover.after.empty()) {
    caveats.push_back({failover.before.empty() ? "failover.after" : "failover.before",
                       "no command is run yet when a node changes its role",
                       "remove them, or keep them for a later version"});
  }
}

void AddUnused(std::vector<Caveat>& caveats, const Config& config) {
  for (const auto& [name, volume] : config.volumes) {
    if (!volume.timeout_is_given || volume.on_relay_loss == OnRelayLoss::kFail) continue;
    caveats.push_back({fmt::format("volumes.{}.timeout", name.value),
                       "has no effect: without 'on_relay_loss: fail' writers wait until the relay is back",
                       "add 'on_relay_loss: fail' beside it, or remove it"});
  }
}

void AddOpen(std::vector<Caveat>& caveats, const RelayConfig& relay) {
  if (!relay.insecure || relay.address.starts_with("127.")) return;
  caveats.push_back({"relay.insecure",
                     fmt::format("whoever reaches {} may read and write everything: connections are neither "
                                 "encrypted nor authenticated yet",
                                 relay.address),
                     "keep it within a network that you trust, or use 127.0.0.1 with a tunnel"});
}

}  // namespace

std::vector<Caveat> CaveatsOf(const Config& config) {
  std::vector<Caveat> caveats;
  AddAlike(caveats, "volume", config.volumes);
  AddAlike(caveats, "node", config.nodes);
  AddIdle(caveats, config.failover);
  AddUnused(caveats, config);
  AddOpen(caveats, config.relay);
  return caveats;
}

}  // namespace hawser
