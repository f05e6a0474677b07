#include "tests/crash/load.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "common/base/files.h"
#include "tests/crash/work_files.h"
#include "tests/support/process.h"

namespace hawser::test {

std::string AcknowledgedPath(const std::string& folder, const std::string& work) {
  return folder + "/" + work + ".acknowledged";
}

std::string ViolationsPath(const std::string& folder) { return folder + "/violations"; }

std::uint64_t LastAcknowledged(const std::string& path) {
  std::ifstream notes(path, std::ios::ate);
  if (!notes) return 0;
  constexpr std::streamoff kTail = 64;
  notes.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(notes.tellg()) - kTail));
  // The first may be the end of a longer one, the last may be being written.
  std::uint64_t last = 0;
  for (std::string line; std::getline(notes, line) && !notes.eof();)
    last = std::strtoull(line.c_str(), nullptr, 10);
  return last;
}

Result<std::unique_ptr<Load>> Load::Make(const Trees& trees, const std::string& folder) {
  HAWSER_TRY(MakeDirectories(folder));
  for (const auto& [volume, root] : trees) HAWSER_TRY(MakeFolder(root + "/" + kWorkFolder));
  return std::unique_ptr<Load>(new Load(trees, folder));
}

Load::~Load() { static_cast<void>(Stop()); }

Status Load::Start() {
  stop_ = false;
  failure_.clear();
  keeper_ = std::thread([this] { KeepRunning(); });
  return {};
}

Status Load::Stop() {
  if (!keeper_.joinable()) return {};
  stop_ = true;
  keeper_.join();
  if (!failure_.empty()) return Error{ETIMEDOUT, failure_};
  return {};
}

void Load::KeepRunning() {
  while (!stop_) {
    auto process =
        Process::Start({.command = {HAWSER_CRASH_LOAD, trees_.at("docs"), trees_.at("mail"), folder_},
                        .output = folder_ + "/load.log",
                        .folder = "",
                        .environment = {}});
    if (!process) {
      failure_ = process.error().Text();
      return;
    }
    WaitUntil([&] { return stop_ || !process->running(); }, std::chrono::hours(24));
    process->Signal(SIGTERM);
    if (process->Wait()) continue;
    failure_ = "a call of the load does not return; see " + folder_ + "/load.log";
    process->Signal(SIGKILL);
    return;
  }
}

std::map<std::string, std::uint64_t> Load::Acknowledged() const {
  std::map<std::string, std::uint64_t> acknowledged;
  for (const auto& work : AllWorks())
    acknowledged[work->name()] = LastAcknowledged(AcknowledgedPath(folder_, work->name()));
  return acknowledged;
}

Status Load::AwaitProgress() const {
  const auto before = Acknowledged();
  std::string standing;
  const bool moved = WaitUntil([&] {
    standing.clear();
    for (const auto& [work, n] : Acknowledged())
      if (n <= before.at(work)) standing += " " + work;
    return standing.empty() || !Violations().empty();
  });
  if (moved) return {};
  return Error{ETIMEDOUT, "no call is acknowledged any more of:" + standing};
}

std::string Load::Violations() const {
  auto text = ReadFile(ViolationsPath(folder_));
  return text ? *std::move(text) : "";
}

}  // namespace hawser::test
