#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "common/base/files.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void RunInChild(const ProcessOptions& options, int output, pid_t parent) {
  // The parent may have died before this took effect.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(125);
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::vector<std::string> words = options.command;
  execvp(words[0].c_str(), Pointers(words).data());
  std::perror(words[0].c_str());
  _exit(127);
}

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Result<Process> Process::Start(const ProcessOptions& options) {
  HAWSER_ASSIGN(const UniqueFd output,
                OpenFile(options.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return ErrnoError("cannot fork for " + options.command[0]);
  if (child == 0) RunInChild(options, output.get(), parent);
  return Process(child);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (!running()) return;
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Process::running() {
  if (pid_ < 0 || status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return !status_;
}

void Process::Signal(int signal) const {
  if (pid_ > 0 && !status_) kill(pid_, signal);
}

void Process::Freeze() const {
  if (pid_ <= 0 || status_) return;
  Signal(SIGSTOP);
  WaitUntil([this] {
    siginfo_t info{};
    // Nothing is taken, so that Wait and running() see its end.
    const int waited = waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT);
    return waited != 0 || info.si_pid == pid_;
  });
}

Result<int> Process::Wait(std::chrono::milliseconds patience) {
  if (!WaitUntil([this] { return !running(); }, patience))
    return Error{ETIMEDOUT, "process " + std::to_string(pid_) + " did not end"};
  return ExitCode(*status_);
}

std::uint64_t Process::ResidentBytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<CommandResult> RunCommand(const std::vector<std::string>& command, const std::string& folder,
                                 std::chrono::milliseconds patience) {
  const TempDir temp("hawser-command-");
  const std::string output = temp / "output";
  HAWSER_ASSIGN(Process process,
                Process::Start({.command = command, .output = output, .folder = folder, .environment = {}}));
  const auto exit = process.Wait(patience);
  HAWSER_ASSIGN(std::string text, ReadFile(output));
  if (!exit) return Error{exit.error().code, command[0] + " takes too long; it said: " + text};
  return CommandResult{*exit, std::move(text)};
}

Status RunSuccessfully(const std::vector<std::string>& command, const std::string& folder,
                       std::chrono::milliseconds patience) {
  HAWSER_ASSIGN(const CommandResult result, RunCommand(command, folder, patience));
  if (result.exit == 0) return {};
  std::string line;
  for (const std::string& word : command) line += word + " ";
  return Error{EIO, line + "ended with " + std::to_string(result.exit) + ": " + result.output};
}

void PauseBriefly() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

}  // namespace hawser::test
