#include "cli/app.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "common/config/suggest.h"

namespace hawser::cli {
namespace {

constexpr char kDescription[] =
    "Hawser mounts a directory in one place and tows exact copies of it anywhere else: a write returns when "
    "the relay has\n"
    "it on disk, and a copy is always a state that really existed.";

constexpr char kFooter[] =
    "Try it, all on this machine:\n"
    "  hawser init --lab               writes a commented hawser.yaml, makes the folders in ./lab\n"
    "  hawser up                       the relay and all nodes of the file, until Ctrl-C\n"
    "  hawser status --watch\n"
    "\n"
    "On machines of their own:\n"
    "  hawser init                     a commented config to go on from\n"
    "  hawser check                    is everything there that the config needs?\n"
    "  hawser relay                    the relay of the group\n"
    "  hawser mount alpha              the node alpha with its mounts\n"
    "\n"
    "Each command explains itself: hawser COMMAND --help. Exit codes: 0 done; 1 the answer is no (differs, "
    "lost, timed\n"
    "out); 2 wrong use or config; 3 could not reach or do it.";

using Add = void (*)(CLI::App&, Session&);
constexpr Add kCommands[] = {AddInit,    AddUp,    AddRelay,  AddMount,   AddStatus, AddWait,
                             AddPromote, AddPause, AddResume, AddJournal, AddCheck};

// The command that was chosen, as deep as the command line went.
const CLI::App& Chosen(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : Chosen(*chosen.front());
}

std::string FullName(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : FullName(*app.get_parent()) + " " + app.get_name();
}

// Known from the design, and to come.
constexpr std::string_view kPlanned[] = {"failover", "sync", "verify", "repair", "reload", "keygen"};

// The first word that could be meant as a command or option but isn't one.
std::string UnknownWord(const CLI::App& app, const std::vector<std::string>& extras) {
  std::vector<std::string> known;
  const bool is_option = extras.front().starts_with('-');
  const bool is_planned =
      std::find(std::begin(kPlanned), std::end(kPlanned), extras.front()) != std::end(kPlanned);
  if (app.get_parent() == nullptr && is_planned)
    return "'" + extras.front() + "' is planned, and not in this version";
  if (is_option) {
    for (const auto* option : app.get_options()) {
      if (const auto name = option->get_name(); !name.empty()) known.push_back(name);  // else it is hidden
    }
  } else {
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(command->get_name());
  }
  return "unknown " + std::string(is_option ? "option" : "command or argument") + " '" + extras.front() +
         "'" + (known.empty() ? "" : Suggestion(extras.front(), known));
}

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// What is wrong with the command line, for the command `chosen`.
std::string Complaint(const CLI::App& chosen, const CLI::ParseError& error) {
  const auto extras = chosen.remaining();
  if (!extras.empty()) return UnknownWord(chosen, extras);
  const bool lacks_command = chosen.get_require_subcommand_min() > 0 && chosen.get_subcommands().empty();
  return lacks_command ? "no command given" : OneLine(error.what());
}

int HelpOrUsage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version are done here
  const CLI::App& chosen = Chosen(app);
  const std::string name = FullName(chosen);
  const std::string command =
      name.substr(name.find(' ') == std::string::npos ? name.size() : name.find(' ') + 1);
  PrintError((command.empty() ? "" : command + ": ") + Complaint(chosen, error), "see '" + name + " --help'");
  return static_cast<int>(Exit::kUsage);
}

int Run(const Session& session) {
  const auto result = session.handler();
  if (result) return static_cast<int>(*result);
  const Exit exit = result.error().code == EINVAL ? Exit::kUsage : Exit::kFailed;
  PrintError(result.error().message);
  if (session.json) PrintJson({{"error", result.error().message}});
  return static_cast<int>(exit);
}

}  // namespace

int Main(int argc, char** argv) {
  Session session;
  CLI::App app(kDescription, "hawser");
  app.footer(kFooter);
  app.set_version_flag("--version", "hawser " HAWSER_VERSION, "Show the version");
  app.set_help_flag("-h,--help", "Show this help");
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);
  app.add_option("-c,--config", session.config_option,
                 "The group's config file; may also stand behind the command")
      ->type_name("FILE");
  for (const Add add : kCommands) add(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return HelpOrUsage(app, error);
  }
  try {
    return Run(session);
  } catch (const std::exception& error) {  // of a library; ours don't throw
    PrintError(std::string("unexpected: ") + error.what(), "please report this with the command line used");
    return static_cast<int>(Exit::kFailed);
  }
}

}  // namespace hawser::cli
