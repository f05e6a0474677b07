#include "cli/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/signals.h"
#include "common/base/log.h"

namespace hawser::cli {
namespace {

// The path of this program; the link itself if the file has been replaced since.
std::string Executable() {
  std::error_code failure;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failure);
  return !failure && ::access(path.c_str(), X_OK) == 0 ? path.string() : "/proc/self/exe";
}

std::vector<std::string> EnvironmentWith(const std::string& notify) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("NOTIFY_SOCKET=")) variables.emplace_back(*variable);
  }
  variables.push_back("NOTIFY_SOCKET=" + notify);
  return variables;
}

// As exec wants it; valid as long as `texts`.
std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, where only what is safe after a fork may be called.
[[noreturn]] void Become(const char* executable, char* const* arguments, char* const* environment, int output,
                         pid_t parent) {
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it ended before prctl
  UnblockAllSignals();
  ::execve(executable, arguments, environment);
  ::_exit(127);
}

}  // namespace

Result<Child> Child::Start(std::string name, const std::vector<std::string>& arguments,
                           const std::string& notify) {
  const std::string executable = Executable();
  std::vector<std::string> words{"hawser"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = EnvironmentWith(notify);
  const auto argument_pointers = Pointers(words);
  const auto variable_pointers = Pointers(variables);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("cannot make a pipe for " + name);
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  if (::fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoError("cannot make a pipe for " + name);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot start a process for " + name);
  if (pid == 0)
    Become(executable.c_str(), argument_pointers.data(), variable_pointers.data(), write_end.get(), parent);
  return Child(std::move(name), pid, std::move(read_end));
}

void Child::Print() {
  char bytes[4096];
  while (output_) {
    const ssize_t got = ::read(output_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) output_.Reset();
    unfinished_.append(bytes, static_cast<std::size_t>(got));
    if (got == 0 && !unfinished_.empty()) unfinished_ += '\n';
    for (std::size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos;) {
      PrintLine(unfinished_.substr(0, end));
      unfinished_.erase(0, end + 1);
    }
  }
}

// A log's line begins with the day.
void Child::PrintLine(const std::string& line) const {
  const bool is_logged = line.size() > 10 && std::isdigit(static_cast<unsigned char>(line[0])) != 0 &&
                         line[4] == '-' && line[7] == '-' && line[10] == ' ';
  if (is_logged) {
    std::fprintf(stderr, "%s\n", line.c_str());
  } else {
    const bool is_error = line.starts_with("hawser: ");  // its last word
    log::Relay(name_.substr(name_.rfind(' ') + 1), line, is_error);
  }
}

void Child::Terminate() const {
  if (running()) ::kill(pid_, SIGTERM);
}

bool Child::Reap() {
  int status = 0;
  if (!running() || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = status;
  return true;
}

bool Child::ended_well() const {
  if (!status_) return false;
  if (WIFEXITED(*status_)) return WEXITSTATUS(*status_) == 0;
  return !ready && WTERMSIG(*status_) == SIGTERM;
}

std::string Child::Ending() const {
  if (!status_) return "runs";
  if (WIFEXITED(*status_)) return "ended with exit code " + std::to_string(WEXITSTATUS(*status_));
  const int signal = WTERMSIG(*status_);
  const char* const text = ::sigabbrev_np(signal);
  return "was killed by SIG" + (text != nullptr ? std::string(text) : std::to_string(signal));
}

}  // namespace hawser::cli
