#include "tests/sim/simulation.h"

#include <algorithm>
#include <deque>
#include <filesystem>

#include "tests/sim/decay.h"
#include "tests/sim/node_process.h"
#include "tests/sim/relay_machine.h"

namespace hawser::sim {

namespace {

constexpr auto kFoundAfter = milliseconds(500);
constexpr auto kHealingPatience = seconds(30);
constexpr std::uint64_t kMostHealingSteps = 400'000;

class Simulation {
 public:
  explicit Simulation(const RunOptions& options)
      : options_(options),
        world_(options.seed, options.mutations, static_cast<bool>(options.trace)),
        network_(world_),
        checker_(world_),
        relay_folder_(options.folder + "/relay"),
        relay_disk_(world_, relay_folder_),
        decay_(world_, relay_folder_),
        old_folder_(options.folder + "/relay.old") {
    world_.set_echo(options.trace);
  }

  RunResult Run() {
    BuildMachines();
    StartRelay();
    for (const auto& [node, machine] : machines_) StartNode(node);
    PlanTrouble();
    while (world_.counts().steps < options_.steps && world_.Step()) {
    }
    if (!world_.violation()) Heal();
    return {world_.violation(), world_.counts(), checker_.lost()};
  }

 private:
  // An empty one; each has a folder of its own.
  std::unique_ptr<Machine> BuildMachine(const NodeName& node) {
    const std::string folder = fmt::format("{}/{}.{}", options_.folder, node.value, ++machines_built_);
    auto machine = std::make_unique<Machine>(world_, folder);
    for (const VolumeName& volume : world_.profile().holds.at(node))
      machine->volumes.emplace(volume, std::make_unique<VolumeDisk>(world_));
    return machine;
  }

  void BuildMachines() {
    for (const auto& [node, volumes] : world_.profile().holds) machines_.emplace(node, BuildMachine(node));
  }

  // ---- processes

  void StartRelay() {
    const bool old = WouldBeMissed();
    relay_life_ = std::make_shared<Life>();
    relay_life_->name = "relay";
    relay_life_->bury = [this] { BuryRelay(); };
    if (old) ServeOldJournalForAWhile();
    world_.After(Duration(0), relay_life_, [this, old] {
      SimDisk& disk = old ? *old_disk_ : relay_disk_;
      const std::string& folder = old ? old_folder_ : relay_folder_;
      relay_ = std::make_unique<RelayProcess>(world_, network_, checker_, disk, folder, old, relay_life_);
      relay_->set_checkpoints([this] { return Checkpoints(); });
      const Status started = relay_->Start();
      if (relay_life_->dead) return;
      if (!started) {
        if (started.error().code == EBADMSG)
          world_.Fail(kI1, "the relay's journal doesn't recover: " + started.error().Text());
        return world_.Kill(relay_life_, false, "at start: " + started.error().Text());
      }
      network_.set_relay(relay_.get());
      WatchRelay();
      if (world_.profile().rot_every.count() != 0) RotEvery(world_.profile().rot_every);
    });
  }

  // A relay whose journal has failed refuses; somebody starts it again.
  void WatchRelay() {
    world_.After(milliseconds(world_.rng().Between(5, 60)), relay_life_, [this] {
      if (relay_->failed()) return world_.Kill(relay_life_, false, "since its journal has failed");
      WatchRelay();
    });
  }

  // Takes a copy of the journal, or gives up the one that was served.
  void CopyJournal() {
    if (old_disk_) {
      old_disk_.reset();
      std::filesystem::remove_all(old_folder_);
    } else if (checker_.durable().position.group.value > 0) {
      std::filesystem::copy(relay_folder_, old_folder_, std::filesystem::copy_options::recursive);
      old_disk_.emplace(world_, old_folder_);
      old_end_ = checker_.head().position.group;  // what wasn't flushed may be in it too
    }
  }

  // Whether there is an older copy of the journal, and every node knows of what it lacks.
  bool WouldBeMissed() const {
    if (!old_disk_ || serves_old_ || twin_alive() || !world_.chaos()) return false;
    return std::ranges::all_of(machines_, [this](const auto& machine) {
      return machine.second->known.Get().position.group > old_end_;
    });
  }

  void ServeOldJournalForAWhile() {
    ++world_.counts().faults;
    serves_old_ = true;
    world_.Note("relay: starts on a copy of its journal that ends at group {}", old_end_.value);
    world_.WentBackUntil(Duration::max());
    world_.After(milliseconds(world_.rng().Between(20, 150)), relay_life_,
                 [this] { world_.Kill(relay_life_, false, "to get the right journal back"); });
  }

  // A byte of the journal changes, is to be found before long, and is mended.
  void RotEvery(Duration mean) {
    const Duration wait(world_.rng().Between(mean.count() / 2, mean.count() * 2));
    world_.After(wait, relay_life_, [this, mean] {
      if (!world_.chaos() || serves_old_ || !decay_.Rot()) return RotEvery(mean);
      // Who needs what stands there waits, and says why.
      world_.WentBackUntil(std::max(world_.went_back_until(), world_.now() + kFoundAfter + seconds(2)));
      world_.After(kFoundAfter, relay_life_, [this, mean] { ExpectRotFound(mean); });
    });
  }
  void ExpectRotFound(Duration mean) {
    decay_.ExpectFound(relay_->damage());
    decay_.Mend();
    world_.After(kFoundAfter, relay_life_, [this, mean] {
      decay_.ExpectSound(relay_->damage());
      RotEvery(mean);
    });
  }

  void BuryRelay() {
    network_.set_relay(nullptr);
    relay_.reset();
    if (serves_old_) {
      serves_old_ = false;
      world_.WentBackUntil(world_.now() + seconds(2));
      CopyJournal();
    } else {
      decay_.Mend();
      if (relay_life_->power_cut) relay_disk_.PowerCut();
      if (world_.Trouble(world_.profile().lose_segment)) decay_.LoseLastSegment(relay_folder_ + ".lost");
      if (!old_disk_ && world_.Trouble(world_.profile().go_back)) CopyJournal();
    }
    world_.After(milliseconds(world_.rng().Between(1, 100)), nullptr, [this] { StartRelay(); });
  }

  void StartNode(const NodeName& node) {
    auto life = std::make_shared<Life>();
    life->name = node.value;
    life->bury = [this, node] { BuryNode(node); };
    lives_[node] = life;
    world_.After(Duration(0), life, [this, node, life] {
      nodes_[node] = std::make_unique<NodeProcess>(world_, network_, checker_, *machines_.at(node), node,
                                                   node, false, life);
      network_.set_node(node, nodes_[node].get());
      if (!world_.chaos()) nodes_[node]->StopCallers();
      nodes_[node]->Start();
    });
  }

  void BuryNode(const NodeName& node) {
    network_.set_node(node, nullptr);
    const auto takes_stores = nodes_[node] ? nodes_[node]->takes_stores() : std::nullopt;
    nodes_[node].reset();
    if (lives_[node]->power_cut) {
      Machine& machine = *machines_.at(node);
      machine.journal_disk.PowerCut();
      for (auto& [name, disk] : machine.volumes) disk->store.PowerCut();
    }
    if (world_.Trouble(world_.profile().lose_journal)) {
      ++world_.counts().faults;
      world_.Note("{}: its own journal is gone", node.value);
      machines_.at(node)->journal_disk.Lose();
    }
    for (auto& [volume, disk] : machines_.at(node)->volumes) MixUpStores(node, volume, *disk, takes_stores);
    if (!serves_old_ && world_.Trouble(world_.profile().lose_state)) {
      world_.Note("{}: its machine is lost, an empty one takes its place", node.value);
      retired_.push_back(std::exchange(machines_[node], BuildMachine(node)));
    }
    world_.After(milliseconds(world_.rng().Between(1, 100)), nullptr, [this, node] { StartNode(node); });
  }

  // Puts the right store back if a start has refused the wrong one, or goes on with one that was taken.
  // Sometimes takes a copy of the store, and sometimes puts that, or an empty one, in the store's place.
  void MixUpStores(const NodeName& node, const VolumeName& volume, VolumeDisk& disk,
                   std::optional<bool> taken) {
    if (!taken) return;
    if (disk.right && !*taken) disk.store.Exchange(*std::move(disk.right));
    disk.right.reset();
    if (!world_.Trouble(world_.profile().wrong_store)) return;
    ++world_.counts().faults;
    if (!disk.old && world_.rng().Coin()) {
      disk.old = disk.store.Copy();
      return;
    }
    world_.Note("{}: {} stands in the place of its store of {}", node.value,
                disk.old ? "an old copy" : "nothing", volume.value);
    disk.right = disk.store.Exchange(disk.old ? *std::exchange(disk.old, std::nullopt) : ModelStore::Disk{});
  }

  // From where each replica would redo.
  std::map<ReplicaName, Group> Checkpoints() const {
    std::map<ReplicaName, Group> checkpoints;
    for (const auto& [node, machine] : machines_) {
      for (const auto& [volume, disk] : machine->volumes)
        checkpoints[{node, volume}] = disk->checkpoint ? disk->checkpoint->progress.position.group : Group(0);
    }
    return checkpoints;
  }

  // ---- trouble

  void Repeat(Duration every, std::function<void()> what) {
    if (every.count() == 0) return;
    world_.After(Duration(world_.rng().Between(1, 2 * every.count())), nullptr, [this, every, what] {
      if (!world_.chaos()) return;
      what();
      Repeat(every, what);
    });
  }

  void PlanTrouble() {
    const Profile& profile = world_.profile();
    Repeat(profile.crash_every, [this] { CrashSomething(); });
    Repeat(profile.partition_every, [this] { CutSomething(); });
    Repeat(profile.disk_full_every, [this] { FillSomething(); });
    Repeat(profile.promote_every, [this] { NewGeneration(); });
    Repeat(profile.twin_every, [this] { StartTwin(); });
  }

  const NodeName& AnyNode() { return world_.rng().Pick(world_.profile().nodes); }

  void CrashSomething() {
    const bool power_cut = world_.rng().Chance(world_.profile().power_cut_share);
    if (world_.rng().Chance(0.4)) return world_.Kill(relay_life_, power_cut, "at random");
    const NodeName& node = AnyNode();
    if (nodes_[node] && world_.rng().Chance(0.3)) return nodes_[node]->StopInOrder();
    world_.Kill(lives_[node], power_cut, "at random");
  }

  void CutSomething() {
    const NodeName node = AnyNode();
    const std::uint64_t how = world_.rng().Below(4);
    network_.Cut(node, how != 0, how != 1);
    world_.After(milliseconds(world_.rng().Between(5, 400)), nullptr, [this, node] { network_.Heal(node); });
  }

  void FillSomething() {
    ++world_.counts().faults;
    const std::uint64_t which = world_.rng().Below(3);
    std::function<void(bool)> set = [this](bool full) { relay_disk_.set_full(full); };
    if (which > 0) {
      Machine& machine = *machines_.at(AnyNode());
      set = [&machine](bool full) { machine.journal_disk.set_full(full); };
      if (which == 2) {
        auto volume = machine.volumes.begin();
        std::advance(volume, world_.rng().Below(machine.volumes.size()));
        set = [disk = volume->second.get()](bool full) { disk->store.set_full(full); };
      }
    }
    set(true);
    full_.push_back(set);
    world_.After(milliseconds(world_.rng().Between(10, 200)), nullptr, [set] { set(false); });
  }

  // A volume's primary is put into its next generation: what it still sends in the old one has to be refused.
  void NewGeneration() {
    if (!relay_ || relay_life_->dead || relay_->failed() || serves_old_) return;
    world_.After(Duration(0), relay_life_, [this] {
      const auto facts = relay_->facts();
      if (facts.empty()) return;
      const VolumeFact& fact = facts[world_.rng().Below(facts.size())];
      static_cast<void>(relay_->MakePrimary(fact.volume, fact.primary));
    });
  }

  // Another machine takes a node over, for a while.
  void StartTwin() {
    if (twin_alive() || serves_old_) return;  // an empty machine knows of nothing
    ++world_.counts().faults;
    const NodeName node = AnyNode();
    const NodeName address(node.value + "'");
    retired_.push_back(std::exchange(twin_machine_, BuildMachine(node)));
    twin_life_ = std::make_shared<Life>();
    twin_life_->name = address.value;
    twin_life_->bury = [this, address] {
      network_.set_node(address, nullptr);
      twin_.reset();
    };
    world_.After(Duration(0), twin_life_, [this, node, address] {
      twin_ = std::make_unique<NodeProcess>(world_, network_, checker_, *twin_machine_, node, address, true,
                                            twin_life_);
      network_.set_node(address, twin_.get());
      twin_->Start();
    });
    world_.After(milliseconds(world_.rng().Between(20, 400)), twin_life_, [this] { EndTwin(); });
  }

  bool twin_alive() const { return twin_life_ && !twin_life_->dead; }
  void EndTwin() {
    if (twin_alive()) world_.Kill(twin_life_, false, "for good");
  }

  // ---- the end

  void Heal() {
    world_.EndChaos();
    EndTwin();
    world_.Note("everything is mended");
    for (const NodeName& node : world_.profile().nodes) network_.Heal(node);
    for (const auto& set : full_) set(false);
    for (const auto& [node, process] : nodes_) {
      if (process) process->StopCallers();
    }
    const Duration until = world_.now() + kHealingPatience;
    const std::uint64_t last_step = world_.counts().steps + kMostHealingSteps;
    std::string why = "nothing was asked";
    for (;;) {
      const Duration look_again = world_.now() + milliseconds(20);
      while (world_.next_time() && *world_.next_time() <= look_again && world_.Step()) {
      }
      if (world_.violation()) return;
      if (IsAtRest(why)) break;
      if (world_.now() > until || world_.counts().steps > last_step)
        return world_.Fail(kI7, "with everything mended it doesn't come to rest: " + why);
      // Time goes on, also when nothing is planned before.
      world_.After(look_again - world_.now(), nullptr, [] {});
    }
    for (const auto& [node, process] : nodes_) process->CheckAtEnd(checker_.head().position.group);
    checker_.Finish();
  }

  bool IsAtRest(std::string& why) const {
    why = "the relay is not up";
    if (!relay_ || relay_life_->dead || relay_->failed()) return false;
    const Group head = checker_.durable().position.group;
    for (const NodeName& node : world_.profile().nodes) {
      why = node.value + " is not up";
      const auto process = nodes_.find(node);
      if (process == nodes_.end() || !process->second) return false;
      if (!process->second->IsDone(head, why)) return false;
    }
    return StatusIsFine(why);
  }

  // What status says of a replica that lacks nothing is that it lacks nothing.
  bool StatusIsFine(std::string& why) const {
    for (const NodeStatus& status : relay_->NodesStatus()) {
      for (const ReplicaStatus& replica : status.volumes) {
        if (!NeedsHelp(replica.state)) continue;
        why = fmt::format("status says of {} on {} '{}': {}", replica.volume.value, status.node.value,
                          TextOf(replica.state), replica.problem);
        return false;
      }
    }
    return true;
  }

  const RunOptions& options_;
  World world_;
  Network network_;
  Checker checker_;
  const std::string relay_folder_;
  SimDisk relay_disk_;
  Decay decay_;
  // An older copy of the relay's journal, and whether it is served.
  const std::string old_folder_;
  std::optional<SimDisk> old_disk_;
  Group old_end_;
  bool serves_old_ = false;
  LifePtr relay_life_;
  std::unique_ptr<RelayProcess> relay_;
  std::map<NodeName, std::unique_ptr<Machine>> machines_;
  std::unique_ptr<Machine> twin_machine_;
  std::vector<std::unique_ptr<Machine>> retired_;  // what was planned for their disks still comes
  std::map<NodeName, LifePtr> lives_;
  std::map<NodeName, std::unique_ptr<NodeProcess>> nodes_;
  std::vector<std::function<void(bool)>> full_;
  std::uint64_t machines_built_ = 0;

  LifePtr twin_life_;
  std::unique_ptr<NodeProcess> twin_;
};

void Empty(const std::string& folder) {
  std::error_code problem;
  std::filesystem::remove_all(folder, problem);
  std::filesystem::create_directories(folder, problem);
}

}  // namespace

RunResult RunSeed(const RunOptions& options) {
  Empty(options.folder);
  return Simulation(options).Run();
}

std::string Explain(const RunOptions& options, const std::string& fault_name) {
  constexpr std::size_t kLastEvents = 60;
  std::deque<std::string> last;
  RunOptions again = options;
  again.trace = [&last](const std::string& line) {
    last.push_back(line);
    if (last.size() > kLastEvents) last.pop_front();
  };
  const RunResult result = RunSeed(again);
  if (!result.violation)
    return fmt::format("seed {}: nothing was found when it was run once more\n", options.seed);
  const Violation& found = *result.violation;
  std::string text = fmt::format(
      "seed {}: {}\n  {}\n  at step {}, {:.3f} ms of simulated time; the last events:\n", options.seed,
      found.invariant, found.text, found.step, static_cast<double>(found.time.count()) / 1e6);
  for (const std::string& line : last) text += "    " + line + "\n";
  text += fmt::format("  again: hawser-sim --seed {} --steps {}{} --trace\n", options.seed, options.steps,
                      fault_name.empty() ? "" : " --fault " + fault_name);
  return text;
}

}  // namespace hawser::sim
