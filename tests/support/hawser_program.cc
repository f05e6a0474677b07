#include "tests/support/hawser_program.h"

namespace hawser::test {

std::vector<std::string> HawserProgram::Command(std::vector<std::string> arguments) const {
  std::vector<std::string> command = prefix;
  command.insert(command.end(), {program, "-c", config});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<std::string> HawserProgram::ServiceCommand(const std::string& process) const {
  if (process == "relay") return Command({"relay"});
  return Command({"mount", process});
}

Result<CommandResult> HawserProgram::Run(std::vector<std::string> arguments,
                                         std::chrono::milliseconds patience) const {
  return RunCommand(Command(std::move(arguments)), folder, patience);
}

Result<nlohmann::json> HawserProgram::Status() const {
  HAWSER_ASSIGN(const CommandResult result, Run({"status", "--json"}));
  auto status = nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (result.exit != 0 || !status.is_object()) return Error{EIO, "hawser status: " + result.output};
  return status;
}

hawser::Status HawserProgram::AwaitCaughtUp(std::chrono::milliseconds patience) const {
  const std::string timeout = std::to_string(patience.count()) + "ms";
  HAWSER_ASSIGN(const CommandResult result, Run({"wait", "--timeout", timeout}, patience + kPatience));
  if (result.exit == 0) return {};
  return Error{ETIMEDOUT, "hawser wait ended with " + std::to_string(result.exit) + ": " + result.output};
}

}  // namespace hawser::test
