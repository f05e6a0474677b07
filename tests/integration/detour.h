// The node charlie of a cluster, with links of the test's own between it and the relay's stream and control
// ports.
#pragma once

#include <fstream>
#include <memory>
#include <optional>

#include "common/config/config.h"
#include "tests/crash/proxy.h"
#include "tests/integration/files.h"
#include "tests/integration/stream_filter.h"
#include "tests/support/cluster.h"

namespace hawser::test {

class Detour {
 public:
  // Writes a config for charlie beside the cluster's.
  static Result<std::unique_ptr<Detour>> Make(const Cluster& cluster) {
    std::unique_ptr<Detour> detour(new Detour(cluster));
    HAWSER_ASSIGN(const Config config, LoadConfig(cluster.config()));
    HAWSER_ASSIGN(detour->stream_, StreamFilter::Open(config.relay.stream_port));
    HAWSER_ASSIGN(detour->control_, detour->proxy_.Add(config.relay.control_port));
    std::string text = Read(cluster.config());
    detour->Redirect(text, "stream: ", config.relay.stream_port, detour->stream_->port());
    detour->Redirect(text, "control: ", config.relay.control_port, detour->proxy_.port(detour->control_));
    std::ofstream(detour->config()) << text;
    return detour;
  }

  std::string config() const { return cluster_.folder() + "/charlie.yaml"; }
  StreamFilter& stream() { return *stream_; }
  void SetControl(Flow flow) { proxy_.Set(control_, flow); }

  // Starts charlie and waits until it is ready.
  Status Start() {
    static int count = 0;
    const std::string name = "hawser-detour-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    HAWSER_ASSIGN(ReadyNotice notice, ReadyNotice::Listen(name));
    HAWSER_ASSIGN(Process started,
                  Process::Start({.command = {HAWSER_PROGRAM, "-c", config(), "mount", "charlie"},
                                  .output = cluster_.Log("charlie"),
                                  .folder = cluster_.folder(),
                                  .environment = {{"NOTIFY_SOCKET", notice.address()}}}));
    charlie_.emplace(std::move(started));
    bool ready = false;
    WaitUntil([&] { return (ready = notice.Received()) || !charlie_->running(); });
    if (ready) return {};
    return Error{ETIMEDOUT, "charlie is not ready; its log:\n" + Read(cluster_.Log("charlie"))};
  }
  Process& charlie() { return *charlie_; }

 private:
  explicit Detour(const Cluster& cluster) : cluster_(cluster) {}

  static void Redirect(std::string& text, const std::string& key, std::uint16_t from, std::uint16_t to) {
    const std::string old = key + std::to_string(from);
    text.replace(text.find(old), old.size(), key + std::to_string(to));
  }

  const Cluster& cluster_;
  Proxy proxy_;
  LinkId control_ = 0;
  std::unique_ptr<StreamFilter> stream_;
  std::optional<Process> charlie_;
};

}  // namespace hawser::test
