#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "cli/client.h"
#include "cli/probe.h"
#include "common/base/files.h"

namespace hawser::cli {
namespace {

struct NamedPort {
  const char* name;
  std::uint16_t port;
};

// The errno of listening there; 0 if it is possible.
int TryListen(const std::string& address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);  // the config was valid
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // as the relay does: past TIME_WAIT
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return errno;
  return ::listen(fd.get(), 1) == 0 ? 0 : errno;
}

// The inodes of the sockets that listen on `port` (proc(5): the local address, "...:1CE9", is column 2, state
// 0A is LISTEN, the inode is column 10).
std::set<std::string> ListenersOn(std::uint16_t port) {
  const std::string suffix = fmt::format(":{:04X}", port);
  std::set<std::string> inodes;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream columns(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
          inode;
      if (local.ends_with(suffix) && state == "0A") inodes.insert(inode);
    }
  }
  return inodes;
}

bool HoldsSocket(const std::filesystem::path& process, const std::set<std::string>& inodes) {
  std::error_code failure;
  std::filesystem::directory_iterator fds(process / "fd", failure);
  for (; !failure && fds != std::filesystem::directory_iterator(); fds.increment(failure)) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(fds->path(), gone);
    if (!target.starts_with("socket:[")) continue;
    if (inodes.contains(target.substr(8, target.size() - 9))) return true;
  }
  return false;
}

// "nginx (process 812)"; "another user's process" if /proc doesn't let this user see.
std::string OwnerOf(std::uint16_t port) {
  const auto inodes = ListenersOn(port);
  std::error_code failure;
  std::filesystem::directory_iterator processes("/proc", failure);
  for (; !failure && processes != std::filesystem::directory_iterator(); processes.increment(failure)) {
    const std::string pid = processes->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !HoldsSocket(processes->path(), inodes))
      continue;
    auto name = ReadFile(processes->path() / "comm");
    if (name && name->ends_with('\n')) name->pop_back();
    return fmt::format("{} (process {})", name ? *name : "a process", pid);
  }
  return "another user's process";
}

// Whether it is this group's relay that has the ports.
bool GroupsRelayAnswers(const Config& config) {
  Client client(config);
  const auto status = client.Status();
  return status && status->value("group", "") == config.group;
}

}  // namespace

bool CanListen(const std::string& address, std::uint16_t port) { return TryListen(address, port) == 0; }

bool RelayIsHere(const RelayConfig& relay) { return TryListen(relay.address, 0) != EADDRNOTAVAIL; }

Findings ProbePorts(const Config& config) {
  const RelayConfig& relay = config.relay;
  std::optional<bool> is_ours;
  Findings findings;
  for (const auto& [name, port] :
       {NamedPort{"write", relay.write_port}, NamedPort{"stream", relay.stream_port},
        NamedPort{"control", relay.control_port}}) {
    const std::string subject = std::string("relay ") + name + " port";
    const std::string place = fmt::format("{}:{}", relay.address, port);
    const int code = TryListen(relay.address, port);
    if (code == 0) {
      findings.push_back(Fine(subject, place, "free"));
    } else if (code != EADDRINUSE) {
      findings.push_back(Problem(
          subject, place, "cannot be used: " + std::error_code(code, std::generic_category()).message(),
          code == EACCES ? "choose one above 1023, or run as root" : "correct relay.address in the config"));
    } else {
      if (!is_ours) is_ours = GroupsRelayAnswers(config);
      const std::string owner = OwnerOf(port);
      findings.push_back(*is_ours ? Fine(subject, place, "in use by the group's relay, " + owner)
                                  : Problem(subject, place, "in use by " + owner,
                                            "stop that, or choose another port in relay.ports"));
    }
  }
  return findings;
}

}  // namespace hawser::cli
