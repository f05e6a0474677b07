#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "cli/probe.h"
#include "common/base/files.h"

namespace hawser::cli {
namespace {

Finding ProbeDevice() {
  constexpr char kDevice[] = "/dev/fuse";
  const auto device = OpenFile(kDevice, O_RDWR);
  if (device) return Fine("FUSE device", kDevice, "can be opened");
  const char* const advice = device.error().code == EACCES
                                 ? "run as root, or allow this user to open it (mode 0666 is usual)"
                                 : "load it with 'modprobe fuse'; in a container give it --device /dev/fuse "
                                   "and the capability to mount (SYS_ADMIN)";
  return Problem("FUSE device", kDevice, device.error().Text(), advice);
}

std::string FindProgram(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/" + name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

Finding ProbeFusermount(bool is_root) {
  const std::string program = FindProgram("fusermount3");
  if (program.empty() && is_root) return Fine("fusermount3", "", "not there; root mounts without it");
  if (program.empty()) {
    return Problem("fusermount3", "", "not in PATH, and only root mounts without it",
                   "install the package fuse3, or run as root");
  }
  struct stat info {};
  const bool is_setuid =
      ::stat(program.c_str(), &info) == 0 && (info.st_mode & S_ISUID) != 0 && info.st_uid == 0;
  if (is_root || is_setuid) return Fine("fusermount3", program, "there");
  return Problem("fusermount3", program, "does not run as root (not setuid)",
                 "install the package fuse3 anew, or run as root");
}

bool AnyoneWantsOthers(const Config& config) {
  for (const auto& [name, node] : config.nodes) {
    for (const auto& [volume, replica] : node.volumes) {
      if (replica.allow_other.value_or(false)) return true;
    }
  }
  return false;
}

Finding ProbeAllowOther() {
  constexpr char kFile[] = "/etc/fuse.conf";
  std::istringstream lines(ReadFile(kFile).operator bool() ? *ReadFile(kFile) : "");
  for (std::string line; std::getline(lines, line);) {
    if (line == "user_allow_other") return Fine("allow_other", kFile, "allowed to users");
  }
  return Problem("allow_other", kFile, "this user may not mount for others",
                 "add the line user_allow_other, or run as root");
}

}  // namespace

Findings ProbeFuse(const Config& config) {
  const bool is_root = ::geteuid() == 0;
  Findings findings{ProbeDevice(), ProbeFusermount(is_root)};
  if (!is_root && AnyoneWantsOthers(config)) findings.push_back(ProbeAllowOther());
  return findings;
}

}  // namespace hawser::cli
