// The config, from any text: refused with a place, or one that keeps what Config promises.
#include "common/config/config.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

const std::string kPath = "/etc/hawser.yaml";

void CheckConfig(const Config& config) {
  Check(!config.group.empty(), "a group has a name");
  Check(config.relay.write_port != config.relay.stream_port &&
            config.relay.stream_port != config.relay.control_port &&
            config.relay.write_port != config.relay.control_port,
        "the relay's ports differ");
  Check(config.relay.journal.starts_with('/'), "paths are absolute");
  for (const auto& [name, volume] : config.volumes) {
    const auto node = config.nodes.find(volume.primary);
    Check(node != config.nodes.end() && node->second.volumes.contains(name), "a volume's primary holds it");
  }
  for (const auto& [name, node] : config.nodes) {
    Check(node.state.starts_with('/'), "paths are absolute");
    for (const auto& [volume, replica] : node.volumes) {
      Check(config.volumes.contains(volume), "what a node holds is a volume");
      Check(replica.store != replica.mount, "store and mount differ");
    }
  }
}

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  using namespace hawser::fuzz;
  const auto config = ParseConfig(std::string(reinterpret_cast<const char*>(data), size), kPath);
  if (config) {
    CheckConfig(*config);
  } else {
    Check(config.error().code == EINVAL, "a wrong config is refused with EINVAL");
    Check(config.error().message.starts_with(kPath + ":"), "the message begins with the place");
  }
  return 0;
}
