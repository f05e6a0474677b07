// One group under load, and rounds of disturbances drawn from a seed. After each round all must hold:
//
// - no process ended by itself, and those that were killed came back by being started again;
// - every call that returned success is in the stores of the primary and of all secondaries, in order, and
//   nothing that was never called (work.h);
// - the stores are equal, byte for byte and attribute for attribute;
// - what a node that was promoted for a while has acknowledged is there, and the first primaries are back;
// - no replica ever showed less than it had shown before, also right after kill -9 with no relay to ask; and
//   what it then shows is a state that existed, in which SQLite finds nothing wrong.
//
// The seed decides which disturbances come, where and for how long; how processes interleave is the machine's
// choice.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/crash/group.h"
#include "tests/crash/load.h"
#include "tests/crash/points.h"
#include "tests/crash/watcher.h"
#include "tests/support/churn/rng.h"

namespace hawser::test {

struct Tally {
  std::uint64_t rounds = 0;
  std::uint64_t faults = 0;   // disturbances injected, crashes among them
  std::uint64_t crashes = 0;  // processes killed, by kill -9 or at a named point
  std::uint64_t stops = 0;    // states of a secondary looked at right after a stop, or under load
  std::uint64_t acknowledged = 0;
  std::uint64_t lost = 0;

  Tally& operator+=(const Tally& other);
};

class Trial;

// Something that is done to a group and undone again.
class Disturbance {
 public:
  virtual ~Disturbance() = default;
  // "kill -9 relay", for the record.
  virtual std::string Text() const = 0;
  // `Heal` may leave it to the restart to bring processes back.
  virtual Status Inject(Trial& trial) = 0;
  virtual Status Heal(Trial&) { return {}; }
};

struct Scenario {
  std::string name;
  std::string what;  // for --help
  bool needs_disks = false;
  std::unique_ptr<Disturbance> (*draw)(Rng& rng) = nullptr;
};
const std::vector<Scenario>& Scenarios();
// kill -9, then started so that it ends at that point.
std::unique_ptr<Disturbance> AtPoint(const Point& point);

class Trial {
 public:
  // Starts group and load. `disks`: with the small disks that the scenario "disk" needs.
  static Result<std::unique_ptr<Trial>> Start(std::uint64_t seed, bool disks = false);
  static Result<std::unique_ptr<Trial>> Start(std::uint64_t seed, const GroupOptions& options);

  // One or two disturbances of these scenarios, then Settle().
  Status Round(const std::vector<Scenario>& scenarios);
  // Starts what doesn't run, waits until all has caught up, and checks everything; the load stands meanwhile.
  Status Settle();

  Group& group() { return *group_; }
  Load& load() { return *load_; }
  Tally& tally() { return tally_; }
  // What was done so far, a line each.
  const std::string& history() const { return history_; }
  void Say(const std::string& line);

  // kill -9 and counting it.
  void Kill(const std::string& process);
  // A process that is about to end at a point: its end is no failure.
  void Expect(const std::string& process) { expected_.push_back(process); }
  // A primary's store is about to be full: a call that fails then was journaled, and is taken back by what is
  // journaled next. Until Settle() has checked, a replica may show one step and then not.
  void ExpectTakingBack();
  // Writes some files in the volume's mount on a node that has become its primary. Settle() looks for those
  // that were acknowledged.
  void Roam(const std::string& volume, const std::string& node);
  // Checks trees of one secondary, live, at whatever step they are. Never behind what it showed before.
  Status LookAt(const std::string& node, const Trees& trees);
  // Copies what the secondary's mounts show and looks at it. The copy is taken again if something was applied
  // meanwhile.
  Status LookAtMounts(const std::string& node);
  // Ends all and moves the folder to `keep`.
  Status Keep(const std::string& keep);

 private:
  Trial(std::uint64_t seed, std::unique_ptr<Group> group) : rng_(seed), group_(std::move(group)) {}
  // Makes the config's primaries primary again.
  Status ComeHome();
  Status CheckRoamed() const;
  Status CheckProcesses();
  Status CheckStates();
  Status CheckReplicas();
  Status CheckReplica(const std::string& node, const Trees& trees,
                      const std::map<std::string, std::uint64_t>& acknowledged);
  Trees StoresOf(const std::string& node) const;
  Trees MountsOf(const std::string& node) const;

  Rng rng_;
  std::unique_ptr<Group> group_;
  std::unique_ptr<Load> load_;
  std::unique_ptr<Watcher> watcher_;
  const Works works_ = AllWorks();
  std::map<std::string, std::map<std::string, std::uint64_t>> seen_;  // node -> work -> newest step it showed
  std::uint64_t taken_back_ = 0;       // steps by which a replica may fall behind what it showed
  std::vector<std::string> expected_;  // processes that may have ended
  std::vector<std::pair<std::string, std::string>> roamed_;  // volume, and path in it
  std::string history_;
  Tally tally_;
};

}  // namespace hawser::test
