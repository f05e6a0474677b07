// The processes of `hawser up`: one relay and the nodes, started in this order and stopped in the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/child.h"
#include "cli/notify_socket.h"
#include "cli/signals.h"
#include "common/config/config.h"

namespace hawser::cli {

// Used by the main thread only.
class Family {
 public:
  enum class Event { kAllReady, kChildLost, kSignal };

  static Result<Family> Open();

  // Starts `hawser ARGUMENTS`. Not ready yet.
  Status StartChild(const std::string& name, const std::vector<std::string>& arguments);

  // Until every child is ready, or one has ended first, or a signal came.
  Event AwaitReady();
  // Until a child that was running has ended, or a signal came.
  Event Await();

  // SIGTERM to all children but the first, waits for them, then the same for the first (the relay: nodes need
  // it to finish what is in flight). Says every few seconds whom it waits for. Returns whether all ended with
  // exit code 0.
  bool StopAll();

  // The children that ended without being asked since the last call.
  std::vector<std::string> TakeLost();
  bool any_running() const;

 private:
  Family(Signals signals, NotifySocket notices)
      : signals_(std::move(signals)), notices_(std::move(notices)) {}

  bool AllReady() const;
  // Waits up to `time` for something to happen and takes note of it.
  void Listen(std::chrono::milliseconds time);
  void Stop(std::size_t begin, std::size_t end);

  Signals signals_;
  NotifySocket notices_;
  std::vector<Child> children_;
  std::vector<std::string> lost_;
  bool stopping_ = false;
  bool signalled_ = false;
};

}  // namespace hawser::cli
