// What can happen to a group: each scenario draws one disturbance from the seed.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "common/base/bytes.h"
#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "tests/crash/points.h"
#include "tests/crash/trial.h"
#include "volume/store/store_mark.h"

namespace hawser::test {
namespace {

using std::chrono::milliseconds;

// Short, or longer than requests wait before they are sent again.
milliseconds DrawTime(Rng& rng) {
  return rng.OneIn(4) ? milliseconds(2200 + rng.Below(1500)) : milliseconds(50 + rng.Below(900));
}

const std::string& Draw(const std::vector<std::string>& names, Rng& rng) {
  return names[rng.Below(names.size())];
}

class Killed : public Disturbance {
 public:
  explicit Killed(std::vector<std::string> processes) : processes_(std::move(processes)) {}
  std::string Text() const override { return fmt::format("kill -9 {}", fmt::join(processes_, " and ")); }
  Status Inject(Trial& trial) override {
    for (const std::string& process : processes_) trial.Kill(process);
    return {};
  }

 private:
  const std::vector<std::string> processes_;
};

// Everybody is there and follows the relay, and is about to go on: a link that was cut shows only after a
// while.
bool AllLive(const Group& group) {
  if (!group.all_links_open()) return false;
  const auto status = group.GetStatus();
  return status && std::ranges::all_of(kProcesses, [&](const std::string& process) {
           return Group::StateIn(*status, process) == "live";
         });
}

class KilledAtPoint : public Disturbance {
 public:
  explicit KilledAtPoint(Point point) : point_(std::move(point)) {}
  std::string Text() const override { return fmt::format("kill -9 {} at {}", point_.process, point_.place); }
  Status Inject(Trial& trial) override {
    trial.Kill(point_.process);
    HAWSER_TRY(trial.group().Launch(point_.process, point_.place));
    if (!point_.stir.empty()) {
      trial.Kill(point_.stir);
      HAWSER_TRY(trial.group().Launch(point_.stir));
    }
    if (!point_.promote.empty()) HAWSER_TRY(Promote(trial.group()));
    const bool reached = WaitUntil([&] { return !trial.group().IsRunning(point_.process); }, kAtMost);
    if (reached) {
      ++trial.tally().crashes;
    } else {
      trial.Say("  it was not passed often enough");
      trial.Kill(point_.process);  // lest it is passed later
    }
    return {};
  }

 private:
  // By plan, as long as nothing else is in the way. Whoever asks is told nothing by a process that ends.
  Status Promote(Group& group) {
    HAWSER_TRY(group.Start());
    WaitUntil([&] { return AllLive(group); }, kAtMost);
    HAWSER_ASSIGN(const auto asked, group.Hawser({"promote", point_.promote, "docs", "--timeout", "3s"}));
    return asked.exit == 2 ? Error{EBADMSG, asked.output} : Status();
  }

  static constexpr auto kAtMost = std::chrono::seconds(4);
  const Point point_;
};

class Frozen : public Disturbance {
 public:
  Frozen(std::string process, milliseconds time) : process_(std::move(process)), time_(time) {}
  std::string Text() const override { return fmt::format("freeze {} for {} ms", process_, time_.count()); }
  Status Inject(Trial& trial) override {
    if (!trial.group().IsRunning(process_)) return {};
    trial.group().Freeze(process_);
    std::this_thread::sleep_for(time_);
    return {};
  }
  Status Heal(Trial& trial) override {
    if (trial.group().IsRunning(process_)) trial.group().Thaw(process_);
    return {};
  }

 private:
  const std::string process_;
  const milliseconds time_;
};

struct LinkFault {
  std::string node;
  std::vector<Port> ports;
  Flow flow = Flow::kCut;
  bool reset = false;  // what was held is lost
};

class LinkLost : public Disturbance {
 public:
  LinkLost(LinkFault fault, milliseconds time) : fault_(std::move(fault)), time_(time) {}
  std::string Text() const override {
    std::string ports;
    for (const Port port : fault_.ports) ports += std::string(" ") + NameOf(port);
    static const std::map<Flow, const char*> words = {{Flow::kHoldRequests, "hold requests of"},
                                                      {Flow::kHoldReplies, "hold replies to"},
                                                      {Flow::kHoldAll, "silence"},
                                                      {Flow::kCut, "cut"}};
    return fmt::format("{} {}{} for {} ms{}", words.at(fault_.flow), fault_.node, ports, time_.count(),
                       fault_.reset ? ", then reset" : "");
  }
  Status Inject(Trial& trial) override {
    for (const Port port : fault_.ports) trial.group().SetLink(fault_.node, port, fault_.flow);
    std::this_thread::sleep_for(time_);
    return {};
  }
  Status Heal(Trial& trial) override {
    for (const Port port : fault_.ports) {
      if (fault_.reset) trial.group().ResetLink(fault_.node, port);
      trial.group().SetLink(fault_.node, port, Flow::kOpen);
    }
    return {};
  }

 private:
  const LinkFault fault_;
  const milliseconds time_;
};

class FullDisk : public Disturbance {
 public:
  FullDisk(std::string disk, std::uint64_t leave, milliseconds time)
      : disk_(std::move(disk)), leave_(leave), time_(time) {}
  std::string Text() const override {
    return fmt::format("fill the disk of {} for {} ms", disk_, time_.count());
  }
  Status Inject(Trial& trial) override {
    if (disk_ == "alpha/docs") trial.ExpectTakingBack();
    HAWSER_TRY(trial.group().disk(disk_).Fill(leave_));
    std::this_thread::sleep_for(time_);
    return {};
  }
  Status Heal(Trial& trial) override {
    trial.group().disk(disk_).MakeRoom();
    return {};
  }

 private:
  const std::string disk_;
  const std::uint64_t leave_;
  const milliseconds time_;
};

// A secondary is killed, comes back without a relay, and is looked at; or it is cut off and looked at while
// it runs.
class Stopped : public Disturbance {
 public:
  Stopped(std::string node, bool kill) : node_(std::move(node)), kill_(kill) {}
  std::string Text() const override {
    return fmt::format("{} {}, look at it without a relay", kill_ ? "kill -9" : "cut off", node_);
  }
  Status Inject(Trial& trial) override {
    if (kill_ || !trial.group().IsRunning(node_)) trial.Kill(node_);
    for (const Port port : kPorts) trial.group().SetLink(node_, port, Flow::kCut);
    if (!trial.group().IsRunning(node_)) {
      HAWSER_TRY(trial.group().Launch(node_));
      const Status ready = trial.group().AwaitReady(node_);
      if (!ready && trial.group().AnyDiskIsFull()) return {};  // it is started again when there is room
      HAWSER_TRY(ready);
    }
    return trial.LookAtMounts(node_);
  }
  Status Heal(Trial& trial) override {
    for (const Port port : kPorts) trial.group().SetLink(node_, port, Flow::kOpen);
    return {};
  }

 private:
  const std::string node_;
  const bool kill_;
};

// A second machine under a node's name, or with the config of another group: it must be refused, and disturb
// nobody.
class Impostor : public Disturbance {
 public:
  Impostor(std::string node, bool other_group) : node_(std::move(node)), other_group_(other_group) {}
  std::string Text() const override {
    return other_group_ ? "start " + node_ + " with a config of another group"
                        : "start " + node_ + " on a second machine";
  }
  Status Inject(Trial& trial) override {
    Group& group = trial.group();
    if (!AllLive(group)) return {};  // nobody is refused for one that is silent, or by a relay that is away
    HAWSER_ASSIGN(const CommandResult result, group.RunTwin(node_, other_group_ ? "another" : group.name()));
    const char* words = other_group_ ? "serves group" : "--take-over";
    if (result.exit == 3 && result.output.find(words) != std::string::npos) return {};
    return Error{EBADMSG, "an impostor of " + node_ + " wasn't refused: " + result.output};
  }

 private:
  const std::string node_;
  const bool other_group_;
};

// A second machine takes a secondary over, and is gone again. The first one stops, and comes back by being
// started again.
class TakenOver : public Disturbance {
 public:
  explicit TakenOver(std::string node) : node_(std::move(node)) {}
  std::string Text() const override { return "a second machine takes " + node_ + " over"; }
  Status Inject(Trial& trial) override {
    Group& group = trial.group();
    if (!AllLive(group)) return {};
    trial.Expect(node_);
    HAWSER_TRY(group.LaunchTwin(node_, {"--take-over"}));
    taken_ = true;
    return group.AwaitReady(kTwin);
  }
  Status Heal(Trial& trial) override {
    if (!taken_) return {};
    Group& group = trial.group();
    group.Kill(kTwin);
    trial.Kill(node_);
    // One that another disturbance has killed starts without having heard of the twin.
    if (!group.IsRunning("relay")) return {};
    // One on an older journal has worse to say of the node, and will be started again.
    const bool silent = WaitUntil([&] {
      return group.StateOf(node_).starts_with("disconnected") ||
             group.StateOf("relay").starts_with("went_back");
    });
    return silent ? Status() : Error{ETIMEDOUT, "the twin of " + node_ + " is still taken for alive"};
  }

 private:
  const std::string node_;
  bool taken_ = false;
};

// The relay is started on an older copy of its journal, and then on the right one again.
class WentBack : public Disturbance {
 public:
  std::string Text() const override { return "start the relay on an older copy of its journal"; }
  Status Inject(Trial& trial) override {
    Group& group = trial.group();
    // Who doesn't know what the copy lacks would follow it.
    if (!AllLive(group)) return {};
    HAWSER_ASSIGN(const std::uint64_t copied, Copy(trial));
    if (!WaitUntil([&] { return AllKnowMoreThan(group, copied); }, kToKnow)) return {};
    trial.Kill("relay");
    Swap(group);
    swapped_ = true;
    HAWSER_TRY(group.Launch("relay"));
    HAWSER_TRY(group.AwaitReady("relay"));
    const bool noticed = WaitUntil([&] { return group.StateOf("relay").starts_with("went_back"); });
    return noticed ? Status() : Error{EBADMSG, "nobody noticed that the relay's journal has gone back"};
  }
  Status Heal(Trial& trial) override {
    if (!swapped_) return {};
    trial.Kill("relay");
    for (const auto& entry : std::filesystem::directory_iterator(trial.group().Journal()))
      if (entry.path() != Aside(trial.group())) std::filesystem::remove_all(entry.path());
    for (const auto& entry : std::filesystem::directory_iterator(Aside(trial.group())))
      std::filesystem::rename(entry.path(),
                              std::filesystem::path(trial.group().Journal()) / entry.path().filename());
    std::filesystem::remove(Aside(trial.group()));
    return {};
  }

 private:
  static constexpr auto kToKnow = std::chrono::seconds(5);

  static std::filesystem::path Aside(const Group& group) { return group.Journal() + "/aside"; }
  static std::filesystem::path CopyOf(const Group& group) { return group.folder() + "/old-journal"; }

  // Returns the sequence at the copy's end.
  static Result<std::uint64_t> Copy(Trial& trial) {
    Group& group = trial.group();
    trial.Kill("relay");
    std::filesystem::remove_all(CopyOf(group));
    std::filesystem::copy(group.Journal(), CopyOf(group), std::filesystem::copy_options::recursive);
    HAWSER_TRY(group.Launch("relay"));
    HAWSER_TRY(group.AwaitReady("relay"));
    HAWSER_ASSIGN(const auto status, group.GetStatus());
    return status["relay"]["head"].get<std::uint64_t>();
  }
  static bool AllKnowMoreThan(const Group& group, std::uint64_t sequence) {
    const auto status = group.GetStatus();
    return status && std::ranges::all_of(kNodes, [&](const std::string& node) {
             const nlohmann::json& received = (*status)["nodes"][node]["received"];
             return received.is_number() && received.get<std::uint64_t>() > sequence;
           });
  }
  static void Swap(const Group& group) {
    std::filesystem::create_directory(Aside(group));
    for (const auto& entry : std::filesystem::directory_iterator(group.Journal()))
      if (entry.path() != Aside(group))
        std::filesystem::rename(entry.path(), Aside(group) / entry.path().filename());
    std::filesystem::copy(CopyOf(group), group.Journal(), std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(CopyOf(group));
  }

  bool swapped_ = false;
};

// A node is started on an empty folder or an older copy in the place of its store, then on the right one.
class WrongStore : public Disturbance {
 public:
  WrongStore(std::string node, bool older) : node_(std::move(node)), older_(older) {}
  std::string Text() const override {
    return fmt::format("start {} on {} of its store", node_,
                       older_ ? "an older copy" : "an empty folder instead");
  }
  Status Inject(Trial& trial) override {
    store_ = trial.group().Store(node_, "docs");
    // Another disturbance of this round may have it.
    if (std::filesystem::exists(store_ + ".aside")) return {};
    if (!MakesCheckpoint(trial, {})) return {};
    HAWSER_ASSIGN(const bool made, older_ ? Copy(trial) : MakeEmpty());
    if (!made) return {};
    trial.Kill(node_);
    HAWSER_TRY(Move(store_, store_ + ".aside"));
    swapped_ = true;
    HAWSER_TRY(Move(Other(), store_));
    HAWSER_ASSIGN(const CommandResult result, trial.group().RunNode(node_));
    const bool refused = result.exit != 0 && result.output.find("--new-store docs") != std::string::npos;
    if (refused) return {};
    return Error{EBADMSG, node_ + " was not refused with another store than its own: " + result.output};
  }
  Status Heal(Trial&) override {
    if (!swapped_) return {};
    std::filesystem::remove_all(store_);
    return Move(store_ + ".aside", store_);
  }

 private:
  static constexpr auto kToCheckpoint = std::chrono::seconds(20);

  std::string Other() const { return store_ + ".other"; }
  static Status Move(const std::string& from, const std::string& to) {
    std::error_code problem;
    std::filesystem::rename(from, to, problem);
    return problem ? Error{problem.value(), "cannot move '" + from + "'"} : Status();
  }
  Result<bool> MakeEmpty() const { return std::filesystem::create_directory(Other()); }
  // Of the store of a process that was killed; then until a later checkpoint is made of the right one. False:
  // another disturbance of this round keeps anything from going on.
  Result<bool> Copy(Trial& trial) const {
    if (!AllLive(trial.group())) return false;
    trial.Kill(node_);
    const auto copied = RunCommand({"cp", "-a", store_, Other()});
    if (!copied || copied->exit != 0) return Error{EIO, "cannot copy '" + store_ + "'"};
    HAWSER_ASSIGN(const StoreMarks old, MarksOf(Other()));
    HAWSER_TRY(trial.group().Launch(node_));
    const Status ready = trial.group().AwaitReady(node_);
    // One that waits for a relay, behind a link that another disturbance holds, goes on when that is over.
    if (!ready && !trial.group().IsRunning(node_)) return ready.error();
    if (ready && MakesCheckpoint(trial, old)) return true;
    std::filesystem::remove_all(Other());
    return false;
  }
  // Waits for one whose mark the store with `old` doesn't carry.
  bool MakesCheckpoint(Trial& trial, const StoreMarks& old) const {
    const std::string path = StateFolder(trial.group().State(node_)).Checkpoint(VolumeName("docs"));
    return WaitUntil(
        [&] {
          const auto checkpoint = ReadCheckpoint(path);
          return checkpoint && *checkpoint && !old.Has((*checkpoint)->mark);
        },
        kToCheckpoint);
  }
  static Result<StoreMarks> MarksOf(const std::string& path) {
    HAWSER_ASSIGN(const UniqueFd root, OpenFile(path, O_RDONLY | O_DIRECTORY));
    return ReadStoreMarks(root.get(), path);
  }

  const std::string node_;
  const bool older_;
  std::string store_;
  bool swapped_ = false;
};
std::unique_ptr<Disturbance> DrawImpostor(Rng& rng) {
  return std::make_unique<Impostor>(Draw(kNodes, rng), rng.OneIn(2));
}

std::unique_ptr<Disturbance> DrawTakenOver(Rng& rng) {
  return std::make_unique<TakenOver>(Draw(kSecondaries, rng));
}

std::unique_ptr<Disturbance> DrawWentBack(Rng&) { return std::make_unique<WentBack>(); }

std::unique_ptr<Disturbance> DrawWrongStore(Rng& rng) {
  return std::make_unique<WrongStore>(rng.Pick({"alpha", "charlie"}), rng.OneIn(2));
}

std::unique_ptr<Disturbance> DrawKill(Rng& rng) {
  return std::make_unique<Killed>(std::vector{Draw(kProcesses, rng)});
}

std::unique_ptr<Disturbance> DrawKillTwo(Rng& rng) {
  const std::size_t one = rng.Below(kProcesses.size());
  const std::size_t other = (one + 1 + rng.Below(kProcesses.size() - 1)) % kProcesses.size();
  return std::make_unique<Killed>(std::vector{kProcesses[one], kProcesses[other]});
}

std::unique_ptr<Disturbance> DrawPoint(Rng& rng) {
  Point point = Points()[rng.Below(Points().size())];
  point.place = point.place.substr(0, point.place.rfind(':')) + ":" +
                std::to_string(1 + rng.Below(point.often ? 200 : 2));
  return std::make_unique<KilledAtPoint>(point);
}

std::unique_ptr<Disturbance> DrawFreeze(Rng& rng) {
  const std::string& process = Draw(kProcesses, rng);
  return std::make_unique<Frozen>(process, DrawTime(rng));
}

std::unique_ptr<Disturbance> DrawLink(Rng& rng) {
  LinkFault fault{.node = Draw(kNodes, rng), .ports = {}, .flow = Flow::kCut, .reset = false};
  fault.flow = rng.Pick({Flow::kHoldRequests, Flow::kHoldReplies, Flow::kHoldAll, Flow::kCut});
  if (rng.OneIn(2)) {
    fault.ports.assign(std::begin(kPorts), std::end(kPorts));
  } else {
    fault.ports.push_back(rng.Pick({Port::kWrite, Port::kStream, Port::kControl}));
  }
  fault.reset = rng.OneIn(2);
  return std::make_unique<LinkLost>(std::move(fault), DrawTime(rng));
}

std::unique_ptr<Disturbance> DrawDisk(Rng& rng) {
  const milliseconds time = milliseconds(1000) + DrawTime(rng);
  // The relay holds its writers before the last byte is gone; the others find out by an error.
  if (rng.OneIn(4)) return std::make_unique<FullDisk>("relay", 32 * kMiB, time);
  return std::make_unique<FullDisk>(rng.Pick({"alpha/docs", "charlie/docs", "delta/state"}), 0, time);
}

// Another node becomes primary, while the present one is well, dead or frozen; it writes as such. Settle()
// brings the volume home. Whatever else is going on, there may be no promotion; then there is a reason.
class Moved : public Disturbance {
 public:
  enum class Loss { kNone, kKilled, kFrozen };
  Moved(std::string volume, std::string node, Loss loss)
      : volume_(std::move(volume)), node_(std::move(node)), loss_(loss) {}
  std::string Text() const override {
    const std::string& primary = PrimaryOf(volume_);
    const std::string before = loss_ == Loss::kKilled   ? "kill -9 " + primary + ", "
                               : loss_ == Loss::kFrozen ? "freeze " + primary + ", "
                                                        : "";
    return fmt::format("{}promote {} for {}", before, node_, volume_);
  }
  Status Inject(Trial& trial) override {
    Group& group = trial.group();
    const std::string& primary = PrimaryOf(volume_);
    if (loss_ == Loss::kKilled) trial.Kill(primary);
    if (loss_ == Loss::kFrozen && group.IsRunning(primary)) group.Freeze(primary);
    HAWSER_ASSIGN(const CommandResult promoted, group.Hawser({"promote", node_, volume_, "--timeout", "5s"}));
    trial.Say("  " + promoted.output.substr(0, promoted.output.find('\n', promoted.output.size() / 2)));
    if (promoted.exit == 0) trial.Roam(volume_, node_);
    const bool has_reason = promoted.exit == 1 || promoted.exit == 3;
    if (promoted.exit == 0 || has_reason) return {};
    return Error{EBADMSG, fmt::format("promote ends with {}: {}", promoted.exit, promoted.output)};
  }
  Status Heal(Trial& trial) override {
    if (loss_ == Loss::kFrozen && trial.group().IsRunning(PrimaryOf(volume_)))
      trial.group().Thaw(PrimaryOf(volume_));
    return {};
  }

 private:
  const std::string volume_;
  const std::string node_;
  const Loss loss_;
};

std::unique_ptr<Disturbance> DrawMove(Rng& rng) {
  const std::string& volume = Draw(kVolumes, rng);
  const std::string& node = Draw(kSecondaries, rng);
  return std::make_unique<Moved>(volume, node,
                                 rng.Pick({Moved::Loss::kNone, Moved::Loss::kKilled, Moved::Loss::kFrozen}));
}

std::unique_ptr<Disturbance> DrawStop(Rng& rng) {
  const std::string& node = Draw(kSecondaries, rng);
  return std::make_unique<Stopped>(node, !rng.OneIn(3));
}

}  // namespace

std::unique_ptr<Disturbance> AtPoint(const Point& point) { return std::make_unique<KilledAtPoint>(point); }

const std::vector<Scenario>& Scenarios() {
  static const std::vector<Scenario> scenarios = {
      {"kill", "kill -9 of one process", false, DrawKill},
      {"kill-two", "kill -9 of two processes at once", false, DrawKillTwo},
      {"point", "a process ends at a named point of the program, also while it recovers", false, DrawPoint},
      {"freeze", "SIGSTOP, then SIGCONT", false, DrawFreeze},
      {"link", "a node's links are cut, silenced, or lose one direction: all, or one of the three ports",
       false, DrawLink},
      {"stop", "kill -9 of a secondary; what it shows without a relay must have existed", false, DrawStop},
      {"move", "another node is promoted, while the primary is well, dead or frozen, and home again", false,
       DrawMove},
      {"impostor", "a second machine under a node's name, or with another group's config, is refused", false,
       DrawImpostor},
      {"twin", "a second machine takes a secondary over, and is gone again", false, DrawTakenOver},
      {"back", "the relay is started on an older copy of its journal, and on the right one again", false,
       DrawWentBack},
      {"store", "a node is started on an empty folder or an older copy in the place of its store", false,
       DrawWrongStore},
      {"disk",
       "a disk is full for a while: a primary's store, the relay's journal, a secondary's journal or store",
       true, DrawDisk},
  };
  return scenarios;
}

}  // namespace hawser::test
