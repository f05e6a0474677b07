#include "cli/session.h"

#include "common/config/suggest.h"

namespace hawser::cli {

Error Usage(std::string sentence) { return {EINVAL, std::move(sentence)}; }
Error CannotDo(std::string sentence) { return {EIO, std::move(sentence)}; }
Error CannotDo(const Error& error, const std::string& advice) {
  // One that says itself what to do is a whole sentence: the errno's text would only be in the way.
  const bool is_whole = error.message.find("; ") != std::string::npos;
  return {EIO, (is_whole ? error.message : error.Text()) + "; " + advice};
}

Result<Config> LoadConfig(const Session& session) {
  const std::string path = ConfigPath(session.config_option);
  auto config = hawser::LoadConfig(path);
  if (config) return config;
  if (config.error().code == EINVAL) return Usage(config.error().message);
  const char* const advice =
      config.error().code == ENOENT
          ? "; name the file with -c FILE or HAWSER_CONFIG, or let 'hawser init' write one"
          : "; name the file with -c FILE or HAWSER_CONFIG";
  return Usage("config: " + config.error().Text() + advice);
}

Result<const NodeConfig*> FindNode(const Config& config, const std::string& name) {
  const auto node = config.nodes.find(NodeName(name));
  if (node != config.nodes.end()) return &node->second;
  std::vector<std::string> names;
  for (const auto& [known, settings] : config.nodes) names.push_back(known.value);
  return Usage(config.path + ": there is no node '" + name + "'" + Suggestion(name, names));
}

}  // namespace hawser::cli
