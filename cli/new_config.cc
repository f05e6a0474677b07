#include "cli/new_config.h"

#include <fmt/format.h>

namespace hawser::cli {
namespace {

// As a value in YAML: plain if nothing in it has a meaning there.
std::string Quoted(const std::string& text) {
  const bool plain =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-") ==
          std::string::npos &&
      !text.empty() && text.front() != '-';
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

// Where things lie.
class Layout {
 public:
  explicit Layout(const NewConfig& wanted) : wanted_(wanted) {}

  std::string Journal() const { return Quoted(State() + "/relay"); }
  std::string StateOf(const std::string& node) const { return Quoted(State() + "/" + node); }
  std::string Store(const std::string& node, const std::string& volume) const {
    const std::string stores = Ours() ? wanted_.folder + "/store" : "/srv/hawser/" + wanted_.group;
    return Quoted(stores + "/" + node + "/" + volume);
  }
  std::string Mount(const std::string& node, const std::string& volume) const {
    const std::string mounts = Ours() ? wanted_.folder + "/mnt" : "/mnt";
    return Quoted(mounts + (wanted_.lab ? "/" + node : "") + "/" + volume);
  }

 private:
  bool Ours() const { return !wanted_.folder.empty(); }
  std::string State() const {
    return Ours() ? wanted_.folder + "/state" : "/var/lib/hawser/" + wanted_.group;
  }

  const NewConfig& wanted_;
};

constexpr char kHead[] =
    R"(# A group of Hawser: volumes that share one order of writes, the relay that gives it, the nodes that hold
# them. The same file lies on every machine of the group. Lines that begin with '#key' are defaults: take the
# '#' away to change them. `hawser check` looks over this file and the machine.
#
# Paths that are relative are relative to this file's folder. Sizes have a unit (MiB, GiB, TiB), times too
# (ms, s, m, h, d).

# For status and messages. Names are 1 to 64 letters, digits, '.', '_', '-'.
group: {group}

# The machine near enough to the primary to wait for: a write returns when the relay has it on its disk.
relay:
  # Where nodes connect to: an IPv4 address of the relay's machine. Connections are neither encrypted nor
  # authenticated yet: an address that isn't loopback takes 'insecure: true', and everyone on that network may
  # then read and write everything. Give the machines tunnels (WireGuard, ssh) where that isn't so.
  address: {address}
{insecure}
  # Three TCP ports: writes of the primaries, the stream to the copies, status and catch-up.
  ports: {{ write: {write}, stream: {stream}, control: {control} }}
  # The relay's journal. On a disk of its own it is fastest: every write waits for its flush.
  journal: {journal}
  # How much journal to keep beyond what the copies still need, and how much of the disk to leave free.
  #keep: {{ size: 10GiB, time: 24h, free: 512MiB }}
  # When a copy that is far behind would fill the disk: drop_slowest (it needs a sync then, writers go on), or
  # hold_writers (they wait until it has caught up).
  #when_full: drop_slowest

# The replicated directory trees.
volumes:
)";

constexpr char kVolume[] = R"(  {volume}:
    # The node whose mount takes writes. It is the first one: once there is a journal, the journal counts.
    primary: {primary}
)";

constexpr char kPolicies[] =
    R"(    # What fsync(2) waits for besides the relay, which has the data before any write returns: 'both' flushes
    # the primary's own disk too, 'relay' returns at once.
    #fsync: both
    # While the relay is away: 'block' (writers wait, readers go on), or 'fail' (writers get EIO after 'timeout').
    #on_relay_loss: block
    #timeout: 30s
    # A primary that hasn't heard the relay for 'failover: detect' may have been replaced: 'serve' goes on
    # showing what it has, 'refuse' answers no call (EIO) until it knows.
    #isolated_reads: serve
)";

constexpr char kNodes[] = R"(
# One process each, which holds the volumes named below it.
nodes:
)";

constexpr char kReplicaComment[] =
    R"(      # store: the plain directory with the files, which only Hawser may touch, on a filesystem with user xattrs
      # (ext4, xfs, btrfs, zfs). mount: where programs work, an empty folder.
)";

constexpr char kReplicaOptions[] = R"(        # The mount may hide what is in its folder.
        #nonempty: false
        # Other users may look into the mount (default: when root runs the node).
        #allow_other: true
        # Whose all files in the mount are, for a node that doesn't run as root and can't give them away.
        #uid: 1000
        #gid: 1000
        # Programs see extended attributes of their own.
        #xattrs: true
)";

std::string NodeText(const NewConfig& wanted, const std::string& name, bool first) {
  const Layout layout(wanted);
  std::string text =
      fmt::format("  # {}\n  {}:\n",
                  name == wanted.primary ? "The primary: its mount takes writes."
                                         : "A copy: its mount is read-only, and follows the primary.",
                  name);
  if (first)
    text +=
        "    # The node's own folder: its checkpoints, and for a copy the journal that it has received.\n";
  text += fmt::format("    state: {}\n    volumes:\n", layout.StateOf(name));
  for (const std::string& volume : wanted.volumes) {
    const bool commented = first && volume == wanted.volumes.front();
    if (commented) text += kReplicaComment;
    text += fmt::format("      {}:\n        store: {}\n        mount: {}\n", volume,
                        layout.Store(name, volume), layout.Mount(name, volume));
    if (commented) text += kReplicaOptions;
  }
  return text;
}

constexpr char kFailover[] = R"(
# What happens when a primary is lost. Until then, and always by hand: 'hawser promote NODE'.
failover:
  # 'manual'; 'automatic': the relay promotes the first candidate that is connected and has a whole copy;
  # 'observe': 'hawser status' and the relay's log say what it would do.
  mode: manual
  # Nothing was heard of a primary for so long: it is lost. One that says that its store has failed is at once.
  #detect: 5s
  #candidates: [{copies}]
)";

}  // namespace

std::string TextOf(const NewConfig& wanted) {
  const bool loopback = wanted.address.starts_with("127.");
  std::string text =
      fmt::format(kHead, fmt::arg("group", Quoted(wanted.group)), fmt::arg("address", Quoted(wanted.address)),
                  fmt::arg("insecure", loopback ? "  #insecure: false" : "  insecure: true"),
                  fmt::arg("write", wanted.port), fmt::arg("stream", wanted.port + 1),
                  fmt::arg("control", wanted.port + 2), fmt::arg("journal", Layout(wanted).Journal()));
  for (const std::string& volume : wanted.volumes) {
    text += fmt::format(kVolume, fmt::arg("volume", volume), fmt::arg("primary", Quoted(wanted.primary)));
    if (volume == wanted.volumes.front()) text += kPolicies;
  }
  text += kNodes;
  text += NodeText(wanted, wanted.primary, /*first=*/true);
  for (const std::string& copy : wanted.copies) text += NodeText(wanted, copy, /*first=*/false);
  text += fmt::format(kFailover, fmt::arg("copies", fmt::join(wanted.copies, ", ")));
  return text;
}

}  // namespace hawser::cli
