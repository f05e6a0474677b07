#include "cli/command.h"

#include <algorithm>

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

CLI::Option* AddRepeatable(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                           const std::string& description) {
  return command.add_option(name, into, description)->allow_extra_args(false);
}

CLI::Option* AddDurationOption(CLI::App& command, const std::string& name, std::string& into,
                               const std::string& description) {
  const auto check = [](const std::string& text) {
    const auto duration = ParseDuration(text);
    return duration ? std::string() : duration.error().message;
  };
  return command.add_option(name, into, description)->type_name("DURATION")->check(CLI::Validator(check, ""));
}

}  // namespace hawser::cli
