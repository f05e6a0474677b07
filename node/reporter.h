// A node's session with the relay: tells it how the node is doing and hears where the head is, four
// times a second; and more often while the relay says that somebody waits for that.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/net/context.h"
#include "common/net/messages.h"

namespace hawser {

class Reporter {
 public:
  // All are called in the reporter's thread.
  struct Calls {
    std::function<Report()> report;
    std::function<void(const Overview&, SteadyClock::time_point asked)> heard;
    std::function<void(const Refusal&)> refused;
    std::function<void(bool answered)> reported;  // after each report: whether there was any answer
  };

  // The first report comes after `first_after`.
  Reporter(NetContext& context, std::string endpoint, Calls calls,
           std::chrono::milliseconds first_after = std::chrono::milliseconds(0));
  ~Reporter();  // after a last report, if the relay takes it at once

 private:
  void Run();
  void Rest(std::chrono::milliseconds time) const;
  bool ReportOnce(class Requester& requester, const std::atomic<bool>* cancel);
  void Take(const Overview& overview, SteadyClock::time_point asked);

  NetContext& context_;
  const std::string endpoint_;
  const Calls calls_;
  const std::chrono::milliseconds first_after_;
  bool hurry_ = false;  // the relay waits for the next report
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hawser
