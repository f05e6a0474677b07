#include "cli/journal.h"

#include "cli/commands.h"
#include "common/base/state_folder.h"
#include "common/journal/journal.h"

namespace hawser::cli {
namespace {

Result<std::string> NamedFolder(const Session& session, const JournalOptions& options) {
  if (!options.folder.empty()) return options.folder;
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  if (options.node.empty()) return config.relay.journal;
  HAWSER_ASSIGN(const NodeConfig* node, FindNode(config, options.node));
  return StateFolder(node->state).Journal();
}

void AddFolderOptions(CLI::App& command, JournalOptions& options) {
  auto* folder = command.add_option("folder", options.folder,
                                    "The journal's folder (without: that of the config's relay)");
  folder->type_name("FOLDER");
  command.add_option("--node", options.node, "The journal that this node of the config keeps")
      ->type_name("NODE")
      ->excludes(folder);
}

void AddShow(CLI::App& journal, Session& session) {
  auto options = std::make_shared<JournalShowOptions>();
  CLI::App* command =
      AddCommand(journal, session, "show", "Print the records, one a line",
                 "  hawser journal show --limit 20\n"
                 "  hawser journal show --from 1000 --to 1999 --volume docs\n"
                 "  hawser journal show --path reports/2026     that file, or all below that folder\n"
                 "  hawser journal show --json | jq .path       one JSON object a line\n"
                 "\n"
                 "A line is: record's number, write group, time (UTC), what was done, by whom.");
  AddFolderOptions(*command, options->which);
  command->add_option("--from", options->from, "First record")->type_name("NUMBER");
  command->add_option("--to", options->to, "Last record")->type_name("NUMBER");
  command->add_option("--volume", options->volume, "Only this volume's records")->type_name("VOLUME");
  command->add_option("--path", options->path, "Only records about this path or below it")->type_name("PATH");
  command->add_option("--limit", options->limit, "At most so many records")->type_name("NUMBER");
  AddJsonOption(*command, session);
  Handle(command, session, options, RunJournalShow);
}

void AddLack(CLI::App& journal, Session& session) {
  auto options = std::make_shared<JournalLackOptions>();
  CLI::App* command = AddCommand(
      journal, session, "lack", "List the records of a journal that a replica does not have",
      "  hawser journal lack charlie                  against the relay's journal\n"
      "  hawser journal lack charlie delta            against the journal that delta keeps\n"
      "  hawser journal lack /mnt/charlie /mnt/relay  folders, as rescued from a lost machine\n"
      "  hawser journal lack charlie --limit 0        only how many\n"
      "\n"
      "A replica stands where the journal that it keeps ends. One that keeps none (a primary) stands at its\n"
      "checkpoints: its stores may hold more. Exit code 0 if it lacks nothing, 1 if it lacks something or\n"
      "holds another history, 3 if that can't be told.");
  command
      ->add_option("replica", options->replica,
                   "A node of the config; or its state folder, or the journal there")
      ->type_name("REPLICA")
      ->required();
  command
      ->add_option("journal", options->journal,
                   "Likewise, or a journal's folder (without: the config's relay)")
      ->type_name("JOURNAL");
  command->add_option("--limit", options->limit, "List at most so many; all are counted")
      ->type_name("NUMBER");
  AddJsonOption(*command, session);
  Handle(command, session, options, RunJournalLack);
}

void AddWhole(CLI::App& journal, Session& session, const std::string& name, const std::string& description,
              const std::string& examples, Result<Exit> (*run)(const Session&, const JournalOptions&)) {
  auto options = std::make_shared<JournalOptions>();
  CLI::App* command = AddCommand(journal, session, name, description, examples);
  AddFolderOptions(*command, *options);
  AddJsonOption(*command, session);
  Handle(command, session, options, run);
}

}  // namespace

Result<std::string> JournalFolder(const Session& session, const JournalOptions& options) {
  HAWSER_ASSIGN(std::string folder, NamedFolder(session, options));
  const auto exists = JournalExists(folder);
  if (!exists) return CannotDo(exists.error(), "name the journal's folder, or a config with -c FILE");
  if (!*exists && !options.node.empty())
    return CannotDo("node " + options.node + " keeps no journal in '" + folder +
                    "': a copy does once it has been started, a primary leaves that to the relay; without "
                    "--node the relay's is read");
  if (!*exists)
    return CannotDo("there is no journal in '" + folder + "'; name its folder, or a config with -c FILE");
  return folder;
}

void AddJournal(CLI::App& app, Session& session) {
  CLI::App* journal =
      AddCommand(app, session, "journal", "Read a journal's files, with nothing running or beside it",
                 "  hawser journal list                          segments, records, sizes\n"
                 "  hawser journal show --limit 20               the records, one a line\n"
                 "  hawser journal check /var/lib/hawser/relay   is every byte as it was written?\n"
                 "  hawser journal show --node charlie           the journal a node keeps\n"
                 "  hawser journal lack charlie                  what charlie lacks of the relay's");
  journal->require_subcommand(1);
  AddWhole(*journal, session, "list", "Show the segments and what they hold",
           "  hawser journal list\n  hawser journal list --node charlie --json", RunJournalList);
  AddShow(*journal, session);
  AddLack(*journal, session);
  AddWhole(*journal, session, "check", "Check every checksum and the chain of write groups",
           "  hawser journal check && echo sound\n"
           "\n"
           "Exit code 1 if something is damaged, with segment and offset. An unfinished write group at the "
           "end (a crash\n"
           "while writing) is not damage: nobody was told that it is safe.",
           RunJournalCheck);
}

}  // namespace hawser::cli
