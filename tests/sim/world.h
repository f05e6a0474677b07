// What a simulated process lives in: simulated time, events, chance, and the end of its life at any moment.
//
// One thread runs one event after the other. An event belongs to a process (Life) or to nobody; the events of
// a process that has ended are dropped. A process may end in the middle of an event: at a CrashPoint of the
// production code, or in a disk operation. The code then runs on to the event's end, but nothing it does has
// an effect any more: disks, stores and network ask `life.dead` first. The machine's clean-up runs right
// after the event.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/profile.h"
#include "tests/sim/rng.h"

namespace hawser::sim {

using Duration = std::chrono::nanoseconds;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One incarnation of a process.
struct Life {
  std::string name;  // "relay", "alpha"
  bool dead = false;
  bool power_cut = false;      // how it ended: what was not flushed may be lost
  std::function<void()> bury;  // called once, after the event in which it ended
};
using LifePtr = std::shared_ptr<Life>;

// The first thing found wrong.
struct Violation {
  std::string invariant;  // "I1 Acknowledged means journaled"
  std::string text;
  std::uint64_t step = 0;
  Duration time{0};
};

struct Counts {
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
  std::uint64_t faults = 0;  // messages lost or doubled, partitions, full disks, I/O errors; not crashes
  std::uint64_t calls = 0;   // acknowledged to an application
};

class World {
 public:
  World(std::uint64_t seed, const Mutations& mutations, bool tracing);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Rng& rng() { return rng_; }
  const Profile& profile() const { return profile_; }
  const Mutations& mutations() const { return mutations_; }
  Counts& counts() { return counts_; }

  Duration now() const { return now_; }
  // As the production code wants to be told the time.
  Deadline deadline() const { return Deadline(now_); }
  Timestamp timestamp() const { return {kEpoch + now_.count()}; }

  // `life` null: belongs to nobody.
  void After(Duration delay, LifePtr life, std::function<void()> event);
  // The next event; false: there is none, or something was found wrong.
  bool Step();
  std::optional<Duration> next_time() const;

  // Whether trouble (crashes, faults) is still made; not any more while healing.
  bool chaos() const { return chaos_; }
  void EndChaos() { chaos_ = false; }
  // Chance of trouble: false once chaos has ended.
  bool Trouble(double p) { return chaos_ && rng_.Chance(p); }

  // The relay runs, or ran until shortly, on an older copy of its journal, or on one that is damaged:
  // replicas may well say so.
  bool went_back() const { return went_back_until_ > now_; }
  Duration went_back_until() const { return went_back_until_; }
  void WentBackUntil(Duration time) { went_back_until_ = time; }

  // Ends a process, from inside or outside its own event.
  void Kill(const LifePtr& life, bool power_cut, std::string_view where);
  // Whoever's event this is passes a named place.
  void PassCrashPoint(std::string_view name, std::string_view detail);
  const LifePtr& current() const { return current_; }

  void Fail(std::string invariant, std::string text);
  const std::optional<Violation>& violation() const { return violation_; }

  bool tracing() const { return tracing_; }
  template <class... Args>
  void Note(fmt::format_string<Args...> format, Args&&... args) {
    if (tracing_) AddNote(fmt::format(format, std::forward<Args>(args)...));
  }
  const std::deque<std::string>& notes() const { return notes_; }
  void set_echo(std::function<void(const std::string&)> echo) { echo_ = std::move(echo); }

 private:
  static constexpr std::int64_t kEpoch = 1'700'000'000'000'000'000;

  struct Event {
    Duration time;
    std::uint64_t order;
    LifePtr life;
    std::function<void()> run;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
  };

  void AddNote(std::string text);
  void BuryTheDead();

  Rng rng_;
  Profile profile_;
  const Mutations mutations_;
  const bool tracing_;
  std::function<void(const std::string&)> echo_;
  Duration now_{0};
  Duration went_back_until_{0};
  std::uint64_t next_order_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  LifePtr current_;
  std::vector<LifePtr> ended_;
  bool chaos_ = true;
  Counts counts_;
  std::optional<Violation> violation_;
  std::deque<std::string> notes_;
};

}  // namespace hawser::sim
