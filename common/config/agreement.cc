#include "common/config/agreement.h"

#include <fmt/format.h>

#include "common/record/digest.h"

namespace hawser {

namespace {

// A line each; names hold no line breaks.
std::string AgreementText(const Config& config) {
  std::string text = fmt::format("group {}\n", config.group);
  for (const auto& [name, volume] : config.volumes) {
    text += fmt::format("volume {} {} {} {} {} {}\n", name.value, volume.primary.value,
                        static_cast<int>(volume.fsync), static_cast<int>(volume.on_relay_loss),
                        volume.timeout.count(), static_cast<int>(volume.isolated_reads));
  }
  for (const auto& [name, node] : config.nodes) {
    text += fmt::format("node {}\n", name.value);
    for (const auto& [volume, replica] : node.volumes) text += fmt::format("holds {}\n", volume.value);
  }
  return text;
}

}  // namespace

std::uint64_t AgreementOf(const Config& config) {
  Digester digester;
  digester.Add(AsBytes(AgreementText(config)));
  const Digest digest = digester.Finish();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(number); ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(digest.bytes[i]);
  return number;
}

}  // namespace hawser
