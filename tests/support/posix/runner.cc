#include "tests/support/posix/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "common/base/files.h"

namespace hawser::test::posix {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // a case

[[noreturn]] void RunInThisProcess(const Case& test, const std::string& folder, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGXFSZ, SIG_IGN);
  umask(022);
  Must(chdir(folder.c_str()), "chdir " + folder);
  Script script(out);
  test.run(script);
  _exit(0);
}

// Everything that comes out of `fd` until its end; false if that takes too long.
bool Collect(int fd, std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  char buffer[16384];
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) return true;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Lines Split(const std::string& text) {
  Lines lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Result<Lines> RunCase(const Case& test, const std::string& folder) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("cannot make a pipe");
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t child = fork();
  if (child < 0) return ErrnoError("cannot fork");
  if (child == 0) RunInThisProcess(test, folder, to.get());
  to.Reset();
  std::string text;
  const bool ended = Collect(from.get(), text);
  if (!ended) kill(-child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  Lines lines = Split(text);
  if (!ended) lines.push_back("THE CASE DID NOT END IN TIME");
  if (ended && status != 0) lines.push_back("THE CASE ENDED WITH STATUS " + std::to_string(status));
  return lines;
}

}  // namespace

Result<Transcript> RunCases(const std::vector<Case>& cases, const std::string& directory) {
  if (geteuid() != 0) return Error{EPERM, "the cases change owners and users; run them as root"};
  Transcript transcript;
  for (const Case& test : cases) {
    std::string folder = directory + "/" + test.name;
    std::replace(folder.begin() + static_cast<std::ptrdiff_t>(directory.size()) + 1, folder.end(), '/', '.');
    if (mkdir(folder.c_str(), 0755) != 0) return ErrnoError("cannot make", folder);
    if (chmod(folder.c_str(), 0777) != 0) return ErrnoError("cannot open to all", folder);
    HAWSER_ASSIGN(transcript[test.name], RunCase(test, folder));
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) transcript[test.name].push_back("COULD NOT BE REMOVED: " + failed.message());
  }
  return transcript;
}

std::vector<Mismatch> CompareTranscripts(const Transcript& plain, const Transcript& mount) {
  const auto known = [](const std::string& name, const std::string& line) {
    return std::ranges::any_of(KnownExceptions(), [&](const Exception& exception) {
      return exception.name == name && line.starts_with(exception.line);
    });
  };
  std::vector<Mismatch> mismatches;
  for (const auto& [name, expected] : plain) {
    const auto found = mount.find(name);
    const Lines lines = found == mount.end() ? Lines() : found->second;
    for (std::size_t i = 0; i < std::max(expected.size(), lines.size()); ++i) {
      const std::string left = i < expected.size() ? expected[i] : "(nothing)";
      const std::string right = i < lines.size() ? lines[i] : "(nothing)";
      if (left != right && !known(name, left)) mismatches.push_back({name, left, right});
    }
  }
  return mismatches;
}

}  // namespace hawser::test::posix
