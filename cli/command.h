// How a command of the hawser program is declared: one file with one Add function (commands.h lists them),
// which declares options on a CLI11 subcommand and names the function to run.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/session.h"

namespace hawser::cli {

// A subcommand with the options that every command has. `examples` are shown at the end of its help, one a
// line: "hawser status --watch   redraws the table each second".
CLI::App* AddCommand(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                     const std::string& examples);

// --json, for commands that show something.
void AddJsonOption(CLI::App& command, Session& session);

// --name D, a duration with a unit. The text is checked when the command line is read.
CLI::Option* AddDurationOption(CLI::App& command, const std::string& name, std::string& into,
                               const std::string& description);

// An option that may be repeated, with one value each time, so that it never takes a positional argument.
CLI::Option* AddRepeatable(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                           const std::string& description);

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
