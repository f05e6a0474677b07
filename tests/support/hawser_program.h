// The hawser program with a config file, as a person uses it: its commands and what they answer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/support/process.h"

namespace hawser::test {

struct HawserProgram {
  std::string program;
  std::string config;
  std::string folder;               // to run in
  std::vector<std::string> prefix;  // what it is run with: {"ip", "netns", "exec", ...}

  // `hawser ARGUMENTS`, to its end.
  Result<CommandResult> Run(std::vector<std::string> arguments,
                            std::chrono::milliseconds patience = kPatience) const;
  // What `hawser status --json` says. EIO, with what it said, if that is no status.
  Result<nlohmann::json> Status() const;
  // `hawser wait`: until all that was acknowledged is applied everywhere. ETIMEDOUT, with what it said.
  hawser::Status AwaitCaughtUp(std::chrono::milliseconds patience) const;

  // The command that serves `process`: "relay", or a node's name.
  std::vector<std::string> ServiceCommand(const std::string& process) const;

 private:
  std::vector<std::string> Command(std::vector<std::string> arguments) const;
};

}  // namespace hawser::test
