#include "tests/crash/trial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/bytes.h"
#include "common/base/files.h"
#include "common/base/unique_fd.h"
#include "tests/support/process.h"

namespace hawser::test {
namespace {

// The relay holds writers when its disk has less left than that.
constexpr std::uint64_t kRelayDisk = 900 * kMiB;
constexpr const char* kRelayKeep = "{ size: 10GiB, time: 24h, free: 128MiB }";
constexpr std::uint64_t kStoreDisk = 160 * kMiB;
constexpr std::uint64_t kStateDisk = 400 * kMiB;

GroupOptions WithDisks(bool disks) {
  if (!disks) return {};
  return {.disks = {{"relay", kRelayDisk},
                    {"alpha/docs", kStoreDisk},
                    {"charlie/docs", kStoreDisk},
                    {"delta/state", kStateDisk}},
          .relay_keys = {{"keep", kRelayKeep}, {"when_full", "hold_writers"}}};
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  rounds += other.rounds;
  faults += other.faults;
  crashes += other.crashes;
  stops += other.stops;
  acknowledged += other.acknowledged;
  lost += other.lost;
  return *this;
}

Result<std::unique_ptr<Trial>> Trial::Start(std::uint64_t seed, bool disks) {
  return Start(seed, WithDisks(disks));
}

Result<std::unique_ptr<Trial>> Trial::Start(std::uint64_t seed, const GroupOptions& options) {
  HAWSER_ASSIGN(auto group, Group::Make(options));
  std::unique_ptr<Trial> trial(new Trial(seed, std::move(group)));
  HAWSER_TRY(trial->group_->Start());
  Trees mounts;
  for (const std::string& volume : kVolumes) mounts[volume] = trial->group_->Mount(PrimaryOf(volume), volume);
  HAWSER_ASSIGN(trial->load_, Load::Make(mounts, trial->group_->folder() + "/load", seed));
  // So that a secondary's tree without the work folder is one that isn't mounted.
  HAWSER_TRY(trial->group_->AwaitCaughtUp());
  std::vector<std::string> watched;
  for (const std::string& node : kSecondaries)
    for (const std::string& volume : kVolumes)
      watched.push_back(trial->group_->Mount(node, volume) + "/" + kWorkFolder + "/append");
  trial->watcher_ = std::make_unique<Watcher>(watched);
  trial->load_->Start();
  return trial;
}

void Trial::Say(const std::string& line) { history_ += line + "\n"; }

void Trial::ExpectTakingBack() {
  taken_back_ = 1;
  watcher_->AllowShrinking(kAppendedLine);
}

void Trial::Kill(const std::string& process) {
  Expect(process);
  if (!group_->IsRunning(process)) return;
  group_->Kill(process);
  ++tally_.crashes;
}

Status Trial::Round(const std::vector<Scenario>& scenarios) {
  const auto pause = [this](std::uint64_t most) {
    std::this_thread::sleep_for(std::chrono::milliseconds(rng_.Below(most)));
  };
  ++tally_.rounds;
  pause(800);
  std::vector<std::unique_ptr<Disturbance>> drawn;
  const std::size_t count = rng_.OneIn(3) ? 2 : 1;
  for (std::size_t i = 0; i < count; ++i) drawn.push_back(scenarios[rng_.Below(scenarios.size())].draw(rng_));
  for (const auto& disturbance : drawn) {
    Say(fmt::format("round {}: {}", tally_.rounds, disturbance->Text()));
    ++tally_.faults;
    HAWSER_TRY(disturbance->Inject(*this));
    pause(400);
  }
  for (const auto& disturbance : drawn) HAWSER_TRY(disturbance->Heal(*this));
  return Settle();
}

Status Trial::Settle() {
  HAWSER_TRY(CheckProcesses());
  HAWSER_TRY(group_->Start());
  HAWSER_TRY(ComeHome());
  HAWSER_TRY(load_->AwaitProgress());
  HAWSER_TRY(load_->Stop());
  if (const std::string violations = load_->Violations(); !violations.empty())
    return Error{EBADMSG, "in the primaries' mounts: " + violations};
  HAWSER_TRY(group_->AwaitCaughtUp());
  HAWSER_TRY(CheckStates());
  HAWSER_TRY(CheckReplicas());
  HAWSER_TRY(CheckRoamed());
  HAWSER_TRY(group_->CompareStores());
  if (const std::string violation = watcher_->Violation(); !violation.empty())
    return Error{EBADMSG, "a replica ran backwards: " + violation};
  taken_back_ = 0;
  watcher_->AllowShrinking(0);
  load_->Start();
  return {};
}

void Trial::Roam(const std::string& volume, const std::string& node) {
  constexpr int kFiles = 20;
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = fmt::format("roamed-{}-{}", tally_.rounds, roamed_.size());
    const UniqueFd fd(open((group_->Mount(node, volume) + "/" + name).c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd || write(fd.get(), name.data(), name.size()) != static_cast<ssize_t>(name.size())) return;
    roamed_.emplace_back(volume, name);
  }
}

Status Trial::CheckRoamed() const {
  for (const auto& [volume, name] : roamed_) {
    const auto content = ReadFile(group_->Store(PrimaryOf(volume), volume) + "/" + name);
    if (content && *content == name) continue;
    return Error{EBADMSG, fmt::format("'{}' of {} was acknowledged by a node that had been promoted, and {}",
                                      name, volume, content ? "is another" : "is gone")};
  }
  return {};
}

// What keeps it from being so at once, a node that isn't live yet, passes.
Status Trial::ComeHome() {
  for (const std::string& volume : kVolumes) {
    std::string said;
    const bool home = WaitUntil([&] {
      const auto promoted = group_->Hawser({"promote", PrimaryOf(volume), volume, "--timeout", "10s"});
      said = promoted ? promoted->output : promoted.error().Text();
      return promoted && promoted->exit == 0;
    });
    if (!home) return Error{ETIMEDOUT, volume + " does not come home: " + said};
  }
  return {};
}

Status Trial::CheckProcesses() {
  for (const std::string& process : kProcesses) {
    if (group_->IsRunning(process) || std::ranges::find(expected_, process) != expected_.end()) continue;
    return Error{EIO, process + " has ended by itself; its log:\n" + group_->TailOfLog(process)};
  }
  expected_.clear();
  return {};
}

// "catching_up" may be left of what came last.
Status Trial::CheckStates() {
  std::string wrong;
  const bool live = WaitUntil([&] {
    wrong.clear();
    const auto status = group_->GetStatus();
    if (!status) wrong = status.error().Text();
    for (const std::string& process : kProcesses)
      if (const std::string state = status ? Group::StateIn(*status, process) : "?"; state != "live")
        wrong += " " + process + ": " + state;
    return wrong.empty();
  });
  return live ? Status() : Error{ETIMEDOUT, "not all live again:" + wrong};
}

Status Trial::CheckReplicas() {
  const auto acknowledged = load_->Acknowledged();
  std::uint64_t total = 0;
  for (const auto& [work, n] : acknowledged) total += n;
  tally_.acknowledged = total;
  Trees primaries;
  for (const std::string& volume : kVolumes) primaries[volume] = group_->Store(PrimaryOf(volume), volume);
  Status first = CheckReplica("the primaries", primaries, acknowledged);
  for (const std::string& node : kSecondaries) {
    const Status checked = CheckReplica(node, StoresOf(node), acknowledged);
    if (first && !checked) first = checked;
    HAWSER_TRY(LookAt(node, StoresOf(node)));
  }
  return first;
}

Status Trial::CheckReplica(const std::string& node, const Trees& trees,
                           const std::map<std::string, std::uint64_t>& acknowledged) {
  Status first;
  for (const auto& work : works_) {
    const auto found = work->Find(trees);
    const std::uint64_t wanted = acknowledged.at(work->name());
    const std::uint64_t holds = found ? *found : 0;
    if (holds < wanted) tally_.lost += wanted - holds;
    if (found && holds >= wanted && holds <= wanted + 1) continue;
    if (first)
      first =
          Error{EBADMSG, fmt::format("{} of {}: step {} was acknowledged, {}", work->name(), node, wanted,
                                     found ? fmt::format("step {} is there", holds) : found.error().Text())};
  }
  return first;
}

Status Trial::LookAt(const std::string& node, const Trees& trees) {
  for (const auto& work : works_) {
    HAWSER_ASSIGN(const std::uint64_t found, work->Find(trees));
    std::uint64_t& before = seen_[node][work->name()];
    if (found + taken_back_ < before)
      return Error{EBADMSG,
                   fmt::format("{} showed step {} of {}, then step {}", node, before, work->name(), found)};
    before = std::max(before, found);
  }
  return {};
}

Status Trial::LookAtMounts(const std::string& node) {
  const Trees mounts = MountsOf(node);
  const auto steps = [&]() -> Result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> all;
    for (const auto& work : works_) {
      if (work->name().find("append") == std::string::npos && work->name() != "token") continue;
      HAWSER_ASSIGN(const std::uint64_t n, work->Find(mounts));
      all.push_back(n);
    }
    return all;
  };
  ++tally_.stops;
  for (const auto end = std::chrono::steady_clock::now() + kPatience;
       std::chrono::steady_clock::now() < end;) {
    const TempDir copy("hawser-crash-copy-");
    const auto before = steps();
    if (!before && before.error().code != kImpossible) return before.error();
    Trees copies;
    Status copied;
    for (const auto& [volume, root] : mounts) {
      copies[volume] = copy / volume;
      if (auto done = RunSuccessfully({"cp", "-a", root, copies[volume]}); !done) copied = std::move(done);
    }
    const auto after = steps();
    if (!after && after.error().code != kImpossible) return after.error();
    if (before && after && *before == *after) return copied ? LookAt(node, copies) : copied;
    // Moving on meanwhile is fine. Standing at something impossible isn't.
    if (!before && !after && before.error().message == after.error().message) return before.error();
  }
  return Error{ETIMEDOUT, node + " doesn't come to rest although it hears nothing of the relay"};
}

Trees Trial::StoresOf(const std::string& node) const {
  Trees trees;
  for (const std::string& volume : kVolumes) trees[volume] = group_->Store(node, volume);
  return trees;
}

Trees Trial::MountsOf(const std::string& node) const {
  Trees trees;
  for (const std::string& volume : kVolumes) trees[volume] = group_->Mount(node, volume);
  return trees;
}

Status Trial::Keep(const std::string& keep) {
  watcher_.reset();
  std::ofstream(group_->folder() + "/history") << history_;
  group_->Abandon();
  load_.reset();
  return RunSuccessfully({"cp", "-a", "--sparse=always", group_->folder(), keep});
}

}  // namespace hawser::test
