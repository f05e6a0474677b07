#include "tests/crash/load.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "common/base/files.h"
#include "tests/crash/work_files.h"
#include "tests/support/process.h"

namespace hawser::test {
namespace {

const std::string kChurnFolder = "churn";
constexpr const char* kSlice = "0.5";  // seconds
constexpr auto kBetweenSlices = std::chrono::milliseconds(50);

}  // namespace

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

Result<std::unique_ptr<Load>> Load::Make(const Trees& trees, const std::string& folder, std::uint64_t seed) {
  HAWSER_TRY(MakeDirectories(folder));
  for (const auto& [volume, root] : trees) {
    HAWSER_TRY(MakeFolder(root + "/" + kWorkFolder));
    HAWSER_TRY(MakeFolder(root + "/" + kChurnFolder));
  }
  return std::unique_ptr<Load>(new Load(trees, folder, seed));
}

Load::~Load() { static_cast<void>(Stop()); }

void Load::Start() {
  stop_ = false;
  failure_.clear();
  keepers_.emplace_back([this] { KeepWorking(); });
  keepers_.emplace_back([this] { KeepChurning(); });
}

Status Load::Stop() {
  stop_ = true;
  for (std::thread& keeper : keepers_) keeper.join();
  keepers_.clear();
  if (!failure_.empty()) return Error{ETIMEDOUT, failure_};
  return {};
}

void Load::Fails(const std::string& what) {
  const std::lock_guard lock(mutex_);
  failure_ += what + "\n";
}

void Load::KeepWorking() {
  while (!stop_) {
    auto process =
        Process::Start({.command = {HAWSER_CRASH_LOAD, trees_.at("docs"), trees_.at("mail"), folder_},
                        .output = folder_ + "/load.log",
                        .folder = "",
                        .environment = {}});
    if (!process) return Fails(process.error().Text());
    WaitUntil([&] { return stop_ || !process->running(); }, std::chrono::hours(24));
    process->Signal(SIGTERM);
    if (process->Wait()) continue;
    process->Signal(SIGKILL);
    return Fails("a call of the load does not return; see " + folder_ + "/load.log");
  }
}

// A slice ends by itself, so that none of its calls is given up when the load is stopped. One whose mount is
// gone ends at once, with an errno that says nothing of Hawser; only wrong content does.
void Load::KeepChurning() {
  const std::string log = folder_ + "/churn.log";
  while (!stop_) {
    auto process = Process::Start({.command = {HAWSER_CHURN, trees_.at("docs") + "/" + kChurnFolder,
                                               trees_.at("mail") + "/" + kChurnFolder, "--threads", "2",
                                               "--seconds", kSlice, "--seed", std::to_string(seed_++)},
                                   .output = log,
                                   .folder = "",
                                   .environment = {}});
    if (!process) return Fails(process.error().Text());
    if (!process->Wait()) {
      process->Signal(SIGKILL);
      return Fails("a call of the churn does not return; see " + log);
    }
    std::this_thread::sleep_for(kBetweenSlices);
  }
  const auto said = ReadFile(log);
  for (const char* wrong : {" holds another byte ", " holds other bytes ", " bytes instead of "})
    if (said && said->find(wrong) != std::string::npos)
      Fails("the churn read what it had not written; see " + log);
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
