#include "cli/command.h"

#include <algorithm>

#include "common/config/suggest.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

std::string CheckLogLevel(const std::string& level) {
  const std::vector<std::string> levels{"trace", "debug", "info", "warn", "error"};
  const bool known = std::find(levels.begin(), levels.end(), level) != levels.end();
  return known ? "" : "unknown level '" + level + "'; use one of: trace, debug, info, warn, error";
}

void AddSharedOptions(CLI::App& command, Session& session) {
  command
      .add_option("-c,--config", session.config_option,
                  "The group's config file (else $HAWSER_CONFIG, else hawser.yaml in this folder)")
      ->type_name("FILE");
  command
      .add_option("--log-level", session.log_level,
                  "The least that is logged to stderr: trace, debug, info (the default), warn, error")
      ->type_name("LEVEL")
      ->check(CLI::Validator(CheckLogLevel, ""));
}

}  // namespace

Error Usage(std::string sentence) { return {EINVAL, std::move(sentence)}; }
Error CannotDo(std::string sentence) { return {EIO, std::move(sentence)}; }
Error CannotDo(const Error& error, const std::string& advice) { return {EIO, error.Text() + "; " + advice}; }

CLI::App* AddCommand(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                     const std::string& examples) {
  CLI::App* command = app.add_subcommand(name, description);
  AddSharedOptions(*command, session);
  command->footer("Examples:\n" + examples);
  return command;
}

void AddJsonOption(CLI::App& command, Session& session) {
  command.add_flag("--json", session.json, "For programs: JSON on stdout, errors too");
}

CLI::Option* AddDurationOption(CLI::App& command, const std::string& name, std::string& into,
                               const std::string& description) {
  const auto check = [](const std::string& text) {
    const auto duration = ParseDuration(text);
    return duration ? std::string() : duration.error().message;
  };
  return command.add_option(name, into, description)->type_name("DURATION")->check(CLI::Validator(check, ""));
}

Result<Config> LoadConfig(const Session& session) {
  const std::string path = ConfigPath(session.config_option);
  auto config = hawser::LoadConfig(path);
  if (config) return config;
  if (config.error().code == EINVAL) return Usage(config.error().message);
  return Usage("config: " + config.error().Text() + "; name the file with -c FILE or HAWSER_CONFIG");
}

Result<const NodeConfig*> FindNode(const Config& config, const std::string& name) {
  const auto node = config.nodes.find(NodeName(name));
  if (node != config.nodes.end()) return &node->second;
  std::vector<std::string> names;
  for (const auto& [known, settings] : config.nodes) names.push_back(known.value);
  return Usage(config.path + ": there is no node '" + name + "'" + Suggestion(name, names));
}

}  // namespace hawser::cli
