// What the commands of the hawser program share: exit codes, options that all have, how a command is declared
// and how it fails.
//
// A command is one file with one Add function (commands.h lists them): it declares its options on a CLI11
// subcommand and gives Session the handler to run. Handlers return an exit code; an Error they return is a
// whole sentence for a person ("what, where; what to do next"), made by Usage() or CannotDo(), and is printed
// in one place (app.cc).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
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

// A subcommand with the options that every command has. `examples` are shown at the end of its help, one a
// line: "hawser status --watch   redraws the table each second".
CLI::App* AddCommand(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                     const std::string& examples);

// --json, for commands that show something.
void AddJsonOption(CLI::App& command, Session& session);

// --name D, a duration with a unit. The text is checked when the command line is read.
CLI::Option* AddDurationOption(CLI::App& command, const std::string& name, std::string& into,
                               const std::string& description);

// The config that the options name; errors are Usage().
Result<Config> LoadConfig(const Session& session);

// The node `name` in the config; Usage() with the nearest name if there is none.
Result<const NodeConfig*> FindNode(const Config& config, const std::string& name);

// Declares options on a new subcommand whose handler gets them filled in: Options is the command's own
// struct.
template <class Options>
void Handle(CLI::App* command, Session& session, std::shared_ptr<Options> options,
            Result<Exit> (*run)(const Session&, const Options&)) {
  command->callback([&session, options, run] {
    session.handler = [&session, options, run] { return run(session, *options); };
  });
}

}  // namespace hawser::cli
