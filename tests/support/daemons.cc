#include "tests/support/daemons.h"

#include <algorithm>
#include <deque>
#include <fstream>

#include "tests/support/leftovers.h"

namespace hawser::test {
namespace {

constexpr auto kEndPatience = std::chrono::seconds(10);

bool IsNode(const std::string& name) { return name != "relay"; }

}  // namespace

Daemons::~Daemons() {
  for (const auto& [name, process] : processes_) process.Signal(SIGCONT);
  for (const auto& [name, process] : processes_)
    if (IsNode(name)) process.Signal(SIGTERM);
  // A test that fails may leave callers in a mount that nobody answers any more.
  WaitUntil(
      [this] {
        return std::ranges::none_of(
            processes_, [](auto& entry) { return IsNode(entry.first) && entry.second.running(); });
      },
      kEndPatience);
  Abandon();
}

void Daemons::Abandon() {
  processes_.clear();
  DetachAllBelow(folder_);
}

Status Daemons::Launch(const std::string& name, const std::vector<std::string>& command,
                       std::map<std::string, std::string> environment) {
  notices_.erase(name);
  processes_.erase(name);
  HAWSER_ASSIGN(ReadyNotice notice, ReadyNotice::Listen(folder_ + "/ready-" + std::to_string(++launches_)));
  environment["NOTIFY_SOCKET"] = notice.address();
  HAWSER_ASSIGN(Process started, Process::Start({.command = command,
                                                 .output = Log(name),
                                                 .folder = folder_,
                                                 .environment = std::move(environment)}));
  processes_.emplace(name, std::move(started));
  notices_.emplace(name, std::move(notice));
  return {};
}

Status Daemons::AwaitReady(const std::string& name) {
  bool ready = false;
  WaitUntil([&] { return (ready = notices_.at(name).Received()) || !IsRunning(name); });
  if (ready) return {};
  const std::string what = IsRunning(name) ? " is not ready in time" : " has ended before it was ready";
  return Error{ETIMEDOUT, name + what + "; its log:\n" + TailOfLog(name)};
}

std::vector<std::string> Daemons::names() const {
  std::vector<std::string> names;
  for (const auto& [name, process] : processes_) names.push_back(name);
  return names;
}

bool Daemons::IsRunning(const std::string& name) {
  const auto found = processes_.find(name);
  return found != processes_.end() && found->second.running();
}

Status Daemons::Stop(const std::string& name, int signal, std::chrono::milliseconds patience) {
  Get(name).Signal(signal);
  const auto exit = Get(name).Wait(patience);
  if (exit && *exit == 0) return {};
  const std::string how =
      exit ? "ended with " + std::to_string(*exit) : "doesn't end: " + exit.error().message;
  return Error{EIO, name + " " + how + "; its log:\n" + TailOfLog(name)};
}

bool Daemons::Kill(const std::string& name) {
  Get(name).Signal(SIGKILL);
  return static_cast<bool>(Get(name).Wait());
}

std::string Daemons::TailOfLog(const std::string& name, std::size_t lines) const {
  std::deque<std::string> tail;
  std::ifstream file(Log(name));
  for (std::string line; std::getline(file, line);) {
    tail.push_back(line);
    if (tail.size() > lines) tail.pop_front();
  }
  std::string text;
  for (const std::string& line : tail) text += line + "\n";
  return text;
}

}  // namespace hawser::test
