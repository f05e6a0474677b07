// hawser up: the relay and all nodes of the file on this machine.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/family.h"
#include "cli/foresight.h"
#include "common/base/log.h"

namespace hawser::cli {
namespace {

struct UpOptions {};

// "alpha: docs at /mnt/docs; charlie: docs at /mnt/dr/docs, mail at /mnt/dr/mail"
std::string Mounts(const Config& config) {
  std::string text;
  for (const auto& [name, node] : config.nodes) {
    std::string mounts;
    for (const auto& [volume, replica] : node.volumes) {
      mounts += fmt::format("{}{} at {}", mounts.empty() ? "" : ", ", volume.value, replica.mount);
    }
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", name.value, mounts);
  }
  return text;
}

// On one machine mounts have to lie apart too.
Status CheckMountsApart(const Config& config) {
  const Findings found = ProbeApart(config, Machines::kOne);
  if (found.empty()) return {};
  return Usage(fmt::format(
      "{}: {}: {}; {}, or run them on machines of their own, by 'hawser relay' and 'hawser mount NODE'",
      config.path, found.front().place, found.front().detail, found.front().advice));
}

void ReportLost(Family& family) {
  for (const auto& lost : family.TakeLost())
    log::error("{} without being asked; its own lines above say why", lost);
}

// Starts the relay, and when it is ready all nodes. kDone: all are ready. kNo: a signal came first. kFailed:
// one did not start.
Result<Exit> StartAll(Family& family, const Config& config, const std::vector<std::string>& options) {
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), options.begin(), options.end());
    return words;
  };
  const auto await = [&] {
    switch (family.AwaitReady()) {
      case Family::Event::kAllReady:
        return Exit::kDone;
      case Family::Event::kSignal:
        return Exit::kNo;
      case Family::Event::kChildLost:
        break;
    }
    ReportLost(family);
    return Exit::kFailed;
  };
  HAWSER_TRY(family.StartChild("relay", with({"relay"})));
  if (const Exit exit = await(); exit != Exit::kDone) return exit;
  for (const auto& [name, node] : config.nodes) {
    HAWSER_TRY(family.StartChild("node " + name.value, with({"mount", name.value})));
  }
  return await();
}

// Until a signal, or until nobody is left. Returns whether somebody was lost.
bool WatchOver(Family& family) {
  bool lost = false;
  while (family.Await() == Family::Event::kChildLost) {
    lost = true;
    ReportLost(family);
    if (!family.any_running()) break;
    log::warn("the others go on; 'hawser status' shows how they are");
  }
  return lost;
}

Result<Exit> RunUp(const Session& session, const UpOptions&) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_TRY(CheckMountsApart(config));
  BecomeService("up", session);
  HAWSER_TRY(SayForeseen(ForeseenForGroup(config)));
  auto family = Family::Open();
  if (!family) return CannotDo(family.error(), "try again");

  const std::vector<std::string> options{"--config", std::filesystem::absolute(config.path), "--log-level",
                                         session.log_level, kGroupIsExamined};
  const auto started = StartAll(*family, config, options);
  bool lost = false;
  if (started && *started == Exit::kDone) {
    fmt::print("ready: {}\n", Mounts(config));
    std::fflush(stdout);
    Notify("READY=1");
    lost = WatchOver(*family);
  }
  Notify("STOPPING=1");
  const bool well = family->StopAll();
  if (!started) return CannotDo(started.error(), "everything is stopped again");
  if (*started == Exit::kFailed) {
    return CannotDo(
        "up: not everything started, all is stopped again; 'hawser check' looks at config and machine");
  }
  if (lost || !well) return CannotDo("up: not every process ended well; the lines above say which");
  return Exit::kDone;
}

}  // namespace

void AddUp(CLI::App& app, Session& session) {
  CLI::App* command = AddCommand(
      app, session, "up", "Run the relay and all nodes of the file on this machine",
      "  hawser up -c demo.yaml       until Ctrl-C: nodes stop first, then the relay\n"
      "\n"
      "For trying it out and for labs. Here the mounts of all nodes lie\n"
      "apart; on machines of their own they may have the same path. One process each; every line of\n"
      "the log says whose it is. Prints 'ready: ...' with the mounts when all of them answer. A\n"
      "process that ends by itself is reported, the others go on. Closing its terminal ends it too.");
  Handle(command, session, std::make_shared<UpOptions>(), RunUp);
}

}  // namespace hawser::cli
