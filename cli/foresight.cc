#include "cli/foresight.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <optional>

#include "cli/output.h"
#include "cli/session.h"
#include "common/base/log.h"
#include "common/config/caveats.h"

namespace hawser::cli {
namespace {

// Where what is flushed to the disk is not on a disk.
std::optional<Finding> ForgetfulDisk(const std::string& subject, const std::string& path, const char* lost) {
  struct statfs info {};
  if (::statfs(NearestFolder(path).c_str(), &info) != 0) return std::nullopt;
  constexpr long kRamfs = 0x858458f6;
  if (info.f_type == TMPFS_MAGIC || info.f_type == kRamfs) {
    return Warning(
        subject, path,
        fmt::format("lies in memory (tmpfs): {} is lost when the machine stops or loses power", lost),
        "name a folder on a disk, unless this is for trying out only");
  }
  if (info.f_type == OVERLAYFS_SUPER_MAGIC) {
    return Warning(
        subject, path,
        fmt::format("lies on an overlay, as of a container: {} is lost when that is removed", lost),
        "name a folder on a volume of the container, or on a disk");
  }
  return std::nullopt;
}

// Overlay isn't the filesystem below it.
std::optional<Finding> OtherWays(const std::string& subject, const std::string& store) {
  struct statfs info {};
  if (::statfs(NearestFolder(store).c_str(), &info) != 0 || info.f_type != OVERLAYFS_SUPER_MAGIC)
    return std::nullopt;
  return Warning(
      subject, store,
      "lies on an overlay, where some changes come out otherwise than on a copy that lies on a disk: an ACL "
      "leaves the set-group-id bit, devices 0:0 can't be made",
      "use ext4, xfs, btrfs or zfs");
}

void AddIf(Findings& findings, std::optional<Finding> finding) {
  if (finding) findings.push_back(*std::move(finding));
}

std::optional<Finding> ForeignAddress(const RelayConfig& relay) {
  if (RelayIsHere(relay)) return std::nullopt;
  return Problem("relay address", relay.address, "is no address of this machine: nothing can listen there",
                 "run the relay on the machine that has it, or correct relay.address in the config");
}

// Below keep.free writers are held, or replicas given up.
std::optional<Finding> TooLittleRoom(const RelayConfig& relay) {
  struct statvfs info {};
  if (::statvfs(NearestFolder(relay.journal).c_str(), &info) != 0) return std::nullopt;
  const std::uint64_t size = std::uint64_t{info.f_blocks} * info.f_frsize;
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const std::string wanted = HumanBytes(relay.keep_free);
  if (relay.keep_free >= size) {
    return Problem("relay room", relay.journal,
                   fmt::format("keep.free is {}, and the whole disk has {}: nobody could ever write", wanted,
                               HumanBytes(size)),
                   "lower relay.keep.free, or put the journal on a larger disk");
  }
  if (relay.keep_free <= free) return std::nullopt;
  return Warning(
      "relay room", relay.journal,
      fmt::format("{} are free, less than keep.free ({}): {}", HumanBytes(free), wanted,
                  relay.when_full == WhenFull::kHoldWriters ? "writers may be held"
                                                            : "the slowest copies may be given up"),
      "make room there, or lower relay.keep.free");
}

}  // namespace

Findings ForeseenForGroup(const Config& config) {
  Findings findings;
  for (const Caveat& caveat : CaveatsOf(config))
    findings.push_back(Warning("config", caveat.key, caveat.what, caveat.advice));
  return findings;
}

Findings ForeseenForRelay(const RelayConfig& relay) {
  Findings findings;
  AddIf(findings, ForeignAddress(relay));
  AddIf(findings, TooLittleRoom(relay));
  AddIf(findings, ForgetfulDisk("relay journal", relay.journal, "what writers were told is safe"));
  return findings;
}

Findings ForeseenForNode(const std::string& name, const NodeConfig& node) {
  Findings findings;
  AddIf(findings, ForgetfulDisk(name + " state", node.state, "how far this node is"));
  for (const auto& [volume, replica] : node.volumes) {
    const std::string subject = name + " " + volume.value + " store";
    AddIf(findings, ForgetfulDisk(subject, replica.store, "this copy"));
    AddIf(findings, OtherWays(subject, replica.store));
  }
  return findings;
}

Status SayForeseen(const Findings& findings) {
  for (const Finding& finding : findings) {
    const std::string text =
        fmt::format("{} '{}' {}; {}", finding.subject, finding.place, finding.detail, finding.advice);
    if (finding.level == Level::kProblem) return CannotDo(text);
    if (finding.level == Level::kWarning) log::warn("{}", text);
  }
  return {};
}

void AddGroupIsExamined(CLI::App& command, bool& into) {
  command.add_flag(kGroupIsExamined, into)->group("");
}

}  // namespace hawser::cli
