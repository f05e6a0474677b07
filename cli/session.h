// What everything in the hawser program shares: exit codes, the options that all commands have, and how a
// command fails.
//
// Commands return an exit code; an Error they return is a whole sentence for a person ("what, where; what to
// do next"), made by Usage() or CannotDo(), and is printed in one place (app.cc).
#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/config/config.h"

namespace hawser::cli {

enum class Exit {
  kDone = 0,
  kNo = 1,      // the answer is no: differs, lost, timed out
  kUsage = 2,   // wrong use or config
  kFailed = 3,  // could not reach or do it
};

using Handler = std::function<Result<Exit>()>;

// The chosen command of one run and the options that every command has.
struct Session {
  std::string config_option;
  std::string log_level = "info";
  bool json = false;
  Handler handler;
};

// Wrong use or config: exit code 2.
Error Usage(std::string sentence);
// Something that was tried failed: exit code 3. The sentence is the error's text and `advice` behind a
// semicolon.
Error CannotDo(const Error& error, const std::string& advice);
Error CannotDo(std::string sentence);

// The config that the options name; errors are Usage().
Result<Config> LoadConfig(const Session& session);

// The node `name` in the config; Usage() with the nearest name if there is none.
Result<const NodeConfig*> FindNode(const Config& config, const std::string& name);

}  // namespace hawser::cli
