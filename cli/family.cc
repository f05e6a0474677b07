#include "cli/family.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "cli/daemon.h"
#include "common/base/clock.h"
#include "common/base/log.h"

namespace hawser::cli {
namespace {

constexpr auto kStillWaiting = std::chrono::seconds(10);

}  // namespace

Result<Family> Family::Open() {
  HAWSER_ASSIGN(Signals signals, Signals::Block({SIGCHLD, SIGHUP}));
  HAWSER_ASSIGN(NotifySocket notices, NotifySocket::Open());
  return Family(std::move(signals), std::move(notices));
}

Status Family::StartChild(const std::string& name, const std::vector<std::string>& arguments) {
  HAWSER_ASSIGN(Child child, Child::Start(name, arguments, notices_.address()));
  children_.push_back(std::move(child));
  return {};
}

Family::Event Family::AwaitReady() {
  Deadline tell = SteadyClock::now() + kStillWaiting;
  for (;;) {
    if (signalled_) return Event::kSignal;
    if (!lost_.empty()) return Event::kChildLost;
    if (AllReady()) return Event::kAllReady;
    Listen(kStillWaiting);
    if (SteadyClock::now() < tell) continue;
    tell = SteadyClock::now() + kStillWaiting;
    for (const auto& child : children_) {
      if (!child.ready && child.running())
        log::info("still waiting until {} (process {}) is ready", child.name(), child.pid());
    }
  }
}

Family::Event Family::Await() {
  for (;;) {
    if (signalled_) return Event::kSignal;
    if (!lost_.empty()) return Event::kChildLost;
    Listen(kStillWaiting);
  }
}

bool Family::AllReady() const {
  return std::all_of(children_.begin(), children_.end(), [](const Child& child) { return child.ready; });
}

bool Family::any_running() const {
  return std::any_of(children_.begin(), children_.end(), [](const Child& child) { return child.running(); });
}

std::vector<std::string> Family::TakeLost() { return std::exchange(lost_, {}); }

void Family::Listen(std::chrono::milliseconds time) {
  std::vector<pollfd> waiting{{signals_.fd(), POLLIN, 0}, {notices_.fd(), POLLIN, 0}};
  for (const auto& child : children_) waiting.push_back({child.output(), POLLIN, 0});  // -1 is passed over
  ::poll(waiting.data(), waiting.size(), static_cast<int>(time.count()));
  while (const auto notice = notices_.Receive()) {
    for (auto& child : children_) {
      if (child.pid() == notice->pid && notice->ready()) child.ready = true;
    }
  }
  while (const auto signal = signals_.Take()) {
    if (*signal == SIGCHLD) continue;
    // Without a terminal it is a service's signal; else the terminal is gone, as with Ctrl-C.
    if (*signal == SIGHUP && ::isatty(STDERR_FILENO) == 0) {
      SayHangup();
      continue;
    }
    if (signalled_) log::info("still stopping; killing a node by force leaves a dead mount behind");
    signalled_ = true;
  }
  for (auto& child : children_) {
    const bool ended = child.Reap();
    child.Print();  // also what it printed last
    if (ended && !stopping_) lost_.push_back(child.name() + " " + child.Ending());
  }
}

bool Family::StopAll() {
  stopping_ = true;
  if (children_.size() > 1) Stop(1, children_.size());
  if (!children_.empty()) Stop(0, 1);
  return std::all_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.ended_well(); });
}

void Family::Stop(std::size_t begin, std::size_t end) {
  const auto each = [&](auto visit) {
    std::for_each_n(children_.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, visit);
  };
  each([](const Child& child) { child.Terminate(); });
  Deadline tell = SteadyClock::now() + kStillWaiting;
  for (;;) {
    bool any = false;
    each([&](Child& child) { any = any || child.running(); });
    if (!any) return;
    Listen(kStillWaiting);
    if (SteadyClock::now() < tell) continue;
    tell = SteadyClock::now() + kStillWaiting;
    each([](const Child& child) {
      if (child.running())
        log::warn("still waiting until {} (process {}) has stopped", child.name(), child.pid());
    });
  }
}

}  // namespace hawser::cli
