// hawser init: writes a config to go on from, and makes the folders that it names.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "cli/new_config.h"
#include "cli/output.h"
#include "cli/probe.h"
#include "common/base/files.h"
#include "common/config/caveats.h"

namespace hawser::cli {
namespace {

struct InitOptions {
  NewConfig wanted;
  std::vector<std::string> nodes;  // whose folders are made; with no node and no relay: everybody's
  bool relay = false;
  bool for_new = false;  // an option was given that is about a new config only
};

struct Made {
  std::string path;
  bool is_new = false;
};

constexpr std::uint16_t kLastPort = 65500;

bool AreFree(const std::string& address, std::uint16_t first) {
  for (std::uint16_t port = first; port < first + 3; ++port) {
    if (!CanListen(address, port)) return false;
  }
  return true;
}

// A second lab on one machine takes other ports.
std::uint16_t FreePorts(const NewConfig& wanted) {
  std::uint16_t port = wanted.port;
  while (port < kLastPort && !AreFree(wanted.address, port)) port += 10;
  return port < kLastPort ? port : wanted.port;
}

// `folder` as the config at `path` writes it: relative if it lies beside it, so that both can be moved
// together.
std::string AsWritten(const std::string& folder, const std::string& path) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  const auto beside = std::filesystem::absolute(path).lexically_normal().parent_path();
  const std::string relative = absolute.lexically_relative(beside);
  std::string text = relative.empty() || relative.starts_with("..") ? absolute.string() : relative;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<Config> Planned(const NewConfig& wanted, const std::string& path) {
  auto config = ParseConfig(TextOf(wanted), path);
  if (config) return config;
  return Usage("init: this makes no valid config, and nothing is written: " + config.error().message);
}

// The folders of the relay, if it is wanted, and of the wanted nodes.
Result<std::vector<Folder>> FoldersToMake(const Config& config, const InitOptions& options) {
  for (const std::string& name : options.nodes) HAWSER_TRY(FindNode(config, name));
  const bool everybody = options.nodes.empty() && !options.relay;
  std::vector<Folder> wanted;
  for (Folder& folder : FoldersOf(config)) {
    const bool named = folder.node.empty()
                           ? options.relay
                           : std::count(options.nodes.begin(), options.nodes.end(), folder.node) > 0;
    if (everybody || named) wanted.push_back(std::move(folder));
  }
  return wanted;
}

bool IsStore(const Folder& folder) { return folder.keys.back() == "store"; }

// A new group begins with empty stores.
Status CheckUnused(const std::vector<Folder>& folders) {
  for (const Folder& folder : folders) {
    std::error_code failure;
    const bool used =
        std::filesystem::exists(folder.path, failure) && !std::filesystem::is_empty(folder.path, failure);
    if (used && !failure && !folder.is_mount)
      return Usage(fmt::format("init: '{}' is in use already, and nothing is written; name another folder",
                               folder.path));
  }
  return {};
}

Result<Made> MakeFolder(const Folder& folder) {
  struct stat info {};
  if (::stat(folder.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Made{folder.path, false};
  // A store's own mode is that of the volume's root; who isn't its owner stays out by the folder above.
  const bool is_private = !folder.is_mount && !IsStore(folder);
  if (IsStore(folder)) HAWSER_TRY(MakeDirectories(std::filesystem::path(folder.path).parent_path()));
  HAWSER_TRY(MakeDirectories(folder.path, is_private ? 0700 : 0755));
  return Made{folder.path, true};
}

// Never over a file that is there.
Status WriteNew(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return ErrnoError("cannot create", path);
  return WriteFileAtomically(path, text);
}

std::string Shown(const std::string& path) {
  const std::string relative =
      std::filesystem::path(path).lexically_relative(std::filesystem::current_path());
  return relative.empty() || relative.starts_with("..") ? path : relative;
}

// What to do next, as commands with what each is for.
std::vector<std::pair<std::string, std::string>> NextSteps(const Config& config, const Session& session) {
  const std::string option = session.config_option.empty() ? "" : " -c " + session.config_option;
  const auto& [volume, settings] = *config.volumes.begin();
  const std::string mount = Shown(config.nodes.at(settings.primary).volumes.at(volume).mount);
  std::vector<std::pair<std::string, std::string>> steps;
  const bool lab =
      config.relay.address.starts_with("127.") && !FindOverlap(FoldersOf(config), Machines::kOne);
  if (lab) {
    steps.emplace_back("hawser up" + option,
                       "the relay and all nodes, until Ctrl-C; then, in another terminal:");
    steps.emplace_back("echo hello >" + mount + "/hello", "write into the primary");
    for (const auto& [name, node] : config.nodes) {
      if (name == settings.primary || !node.volumes.contains(volume)) continue;
      steps.emplace_back(
          "hawser wait" + option + " && cat " + Shown(node.volumes.at(volume).mount) + "/hello",
          "read it on " + name.value + ", once it is there");
      break;
    }
    steps.emplace_back("hawser status" + option + " --watch", "who is where, how far behind");
    return steps;
  }
  steps.emplace_back("$EDITOR " + config.path, "addresses and folders; then the file onto each machine");
  steps.emplace_back("hawser init" + option + " --node NODE",
                     "on a node's machine: makes its folders (--relay: the relay's)");
  steps.emplace_back("hawser check" + option + " --node NODE",
                     "on a node's machine: is everything there? (--relay)");
  steps.emplace_back("hawser relay" + option, "on the relay's machine");
  for (const auto& [name, node] : config.nodes)
    steps.emplace_back("hawser mount " + name.value + option, "on the machine of " + name.value);
  return steps;
}

void TellWhatIsMade(const Config& config, const Session& session, bool written,
                    const std::vector<Made>& folders) {
  const auto steps = NextSteps(config, session);
  const auto caveats = CaveatsOf(config);
  if (session.json) {
    Json list = Json::array(), next = Json::array();
    for (const Made& made : folders) list.push_back({{"path", Utf8(made.path)}, {"made", made.is_new}});
    for (const auto& [command, purpose] : steps)
      next.push_back({{"command", Utf8(command)}, {"for", purpose}});
    Json warnings = Json::array();
    for (const Caveat& caveat : caveats)
      warnings.push_back({{"key", caveat.key}, {"what", caveat.what}, {"todo", caveat.advice}});
    PrintJson({{"config", Utf8(config.path)},
               {"written", written},
               {"folders", list},
               {"warnings", warnings},
               {"next", next}});
    return;
  }
  fmt::print("{}: {}\n", Printable(config.path),
             written ? "written" : "was there already, and is left as it is");
  for (const Made& made : folders)
    fmt::print("{}: {}\n", Printable(Shown(made.path)), made.is_new ? "made" : "was there already");
  for (const Caveat& caveat : caveats)
    fmt::print("\nwarning: {}: {}; {}\n", Printable(caveat.key), Printable(caveat.what), caveat.advice);
  fmt::print("\nNext:\n");
  std::size_t width = 0;
  for (const auto& [command, purpose] : steps) width = std::max(width, command.size());
  for (const auto& [command, purpose] : steps)
    fmt::print("  {:<{}}   # {}\n", Printable(command), width, purpose);
}

Result<Exit> RunInit(const Session& session, const InitOptions& given) {
  InitOptions options = given;
  NewConfig& wanted = options.wanted;
  const std::string path = ConfigPath(session.config_option);
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  if (!is_new && options.for_new) {
    return Usage(
        fmt::format("init: '{}' is there already, and is never overwritten; name another with -c FILE, or "
                    "say 'hawser init' without options of a new config to make its folders",
                    path));
  }
  const std::string beside = std::filesystem::absolute(path).parent_path();
  if (is_new && ::access(beside.c_str(), W_OK | X_OK) != 0)
    return CannotDo(ErrnoError("init: no file can be written in", beside), "name another with -c FILE");
  if (wanted.lab) wanted.port = FreePorts(wanted);
  if (wanted.lab && wanted.folder.empty()) wanted.folder = "lab";
  const std::string base = wanted.folder;
  if (!base.empty()) wanted.folder = AsWritten(base, path);
  HAWSER_ASSIGN(const Config config, is_new ? Planned(wanted, path) : LoadConfig(session));
  HAWSER_ASSIGN(const std::vector<Folder> folders, FoldersToMake(config, options));
  if (is_new) HAWSER_TRY(CheckUnused(folders));

  std::vector<Made> made;
  // Others may go through it to the mounts.
  if (is_new && !base.empty()) HAWSER_TRY(MakeDirectories(base, 0755));
  for (const Folder& folder : folders) {
    // A mount may have the same path on every machine.
    const bool again =
        std::any_of(made.begin(), made.end(), [&](const Made& other) { return other.path == folder.path; });
    if (again) continue;
    auto one = MakeFolder(folder);
    if (!one)
      return CannotDo(
          one.error(),
          is_new ? "no config is written; name a folder of your own (hawser init DIR), or run as root"
                 : "correct the path in the config, or run as root");
    made.push_back(*std::move(one));
  }
  if (is_new) {
    if (const Status written = WriteNew(path, TextOf(wanted)); !written)
      return CannotDo(written.error(), "name the file with -c FILE");
  }
  TellWhatIsMade(config, session, is_new, made);
  return Exit::kDone;
}

}  // namespace

void AddInit(CLI::App& app, Session& session) {
  auto options = std::make_shared<InitOptions>();
  NewConfig& wanted = options->wanted;
  CLI::App* command = AddCommand(
      app, session, "init", "Write a commented config, and make the folders that it names",
      "  hawser init --lab && hawser up     a relay, a primary and a copy on this machine, in ./lab\n"
      "  hawser init --lab /tmp/lab         the same in another folder; the config is ./hawser.yaml\n"
      "  hawser init -c office.yaml --group office --volume projects --primary office --copy vault\n"
      "                                     for machines of their own: state in /var/lib/hawser, stores in\n"
      "                                     /srv/hawser, mounts in /mnt\n"
      "  hawser init --node vault           the config is here: makes the folders of that node only\n"
      "\n"
      "A file that is there is never overwritten: then the folders that it names and that are missing are\n"
      "made, and nothing else. Says what to do next.");
  AddJsonOption(*command, session);
  const std::vector<CLI::Option*> for_new{
      command->add_flag("--lab", wanted.lab, "All of it on this machine, for 'hawser up'"),
      command->add_option("folder", wanted.folder, "Where all folders are to lie (--lab: ./lab)")
          ->type_name("DIR"),
      command->add_option("--group", wanted.group, "The group's name (demo)")->type_name("NAME"),
      AddRepeatable(*command, "--volume", wanted.volumes, "A volume; may be repeated (docs)")
          ->type_name("NAME"),
      command->add_option("--primary", wanted.primary, "The node that takes writes (alpha)")
          ->type_name("NODE"),
      AddRepeatable(*command, "--copy", wanted.copies, "A node that follows; may be repeated (charlie)")
          ->type_name("NODE"),
      command->add_option("--address", wanted.address, "The relay's IPv4 address (127.0.0.1)")
          ->type_name("ADDRESS"),
      command->add_option("--port", wanted.port, "The first of the relay's three ports (7401)")
          ->type_name("PORT")
          ->check(CLI::Range(1, 65533)),
  };
  AddRepeatable(*command, "--node", options->nodes, "Make the folders of this node only (may be repeated)")
      ->type_name("NODE");
  command->add_flag("--relay", options->relay, "Make the relay's folder only");
  command->callback([&session, options, for_new] {
    options->for_new = std::any_of(for_new.begin(), for_new.end(),
                                   [](const CLI::Option* option) { return option->count() > 0; });
    session.handler = [&session, options] { return RunInit(session, *options); };
  });
}

}  // namespace hawser::cli
