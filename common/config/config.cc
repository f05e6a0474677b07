#include "common/config/config.h"

#include <cstdlib>
#include <filesystem>

#include "common/base/files.h"
#include "common/config/schema.h"
#include "common/config/validate.h"
#include "common/config/yaml_tree.h"

namespace hawser {
namespace {

std::string Endpoint(const std::string& address, std::uint16_t port) {
  return "tcp://" + address + ":" + std::to_string(port);
}

}  // namespace

std::string RelayConfig::WriteEndpoint() const { return Endpoint(address, write_port); }
std::string RelayConfig::StreamEndpoint() const { return Endpoint(address, stream_port); }
std::string RelayConfig::ControlEndpoint() const { return Endpoint(address, control_port); }

Result<Config> ParseConfig(const std::string& text, const std::string& path) {
  HAWSER_ASSIGN(const YamlNode root, ParseYaml(text, path));
  Source source(path);
  Config config;
  config.path = path;
  HAWSER_TRY(ConfigFile(config)(YamlPlace{root, {}, source}));
  HAWSER_TRY(Validate(config, source));
  return config;
}

Result<Config> LoadConfig(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure))
    return Error{EINVAL,
                 "'" + path + "' is a folder; name the config file in it, like '" + path + "/hawser.yaml'"};
  const auto size = std::filesystem::file_size(path, failure);  // fails for a pipe, which is fine
  if (!failure && size > kMaxYamlBytes) {
    return Error{EINVAL, path + ":1: the file has " + std::to_string(size) +
                             " bytes, larger than any config; is it the right file?"};
  }
  HAWSER_ASSIGN(const std::string text, ReadFile(path));
  return ParseConfig(text, path);
}

std::string ConfigPath(const std::string& option) {
  if (!option.empty()) return option;
  const char* const from_environment = std::getenv("HAWSER_CONFIG");
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return "hawser.yaml";
}

}  // namespace hawser
