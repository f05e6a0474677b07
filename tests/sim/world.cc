#include "tests/sim/world.h"

#include "common/base/crash_point.h"

namespace hawser {

namespace {

// A crash point has no argument to tell where it belongs to. A process runs one simulation at a time.
thread_local sim::World* running = nullptr;

}  // namespace

// The simulation's definition: the places that tests/crash uses for real processes are places to end
// simulated ones.
void CrashPoint(std::string_view name, std::string_view detail) noexcept {
  if (running != nullptr) running->PassCrashPoint(name, detail);
}

}  // namespace hawser

namespace hawser::sim {

namespace {

constexpr std::size_t kNotesKept = 400;

}  // namespace

World::World(std::uint64_t seed, const Mutations& mutations, bool tracing)
    : rng_(seed), profile_(MakeProfile(rng_)), mutations_(mutations), tracing_(tracing) {
  running = this;
}

World::~World() { running = nullptr; }

void World::After(Duration delay, LifePtr life, std::function<void()> event) {
  if (life && life->dead) return;
  events_.push({now_ + delay, next_order_++, std::move(life), std::move(event)});
}

std::optional<Duration> World::next_time() const {
  if (events_.empty()) return std::nullopt;
  return events_.top().time;
}

bool World::Step() {
  if (violation_ || events_.empty()) return false;
  // Moved out before it is popped: nothing compares it meanwhile.
  Event event = std::move(const_cast<Event&>(events_.top()));
  events_.pop();
  now_ = event.time;
  if (event.life && event.life->dead) return true;
  ++counts_.steps;
  current_ = event.life;
  event.run();
  event.run = nullptr;
  current_.reset();
  BuryTheDead();
  return !violation_;
}

void World::BuryTheDead() {
  while (!ended_.empty()) {
    const LifePtr life = std::move(ended_.back());
    ended_.pop_back();
    if (life->bury) life->bury();
    life->bury = nullptr;
  }
}

void World::Kill(const LifePtr& life, bool power_cut, std::string_view where) {
  if (!life || life->dead) return;
  ++counts_.crashes;
  life->dead = true;
  life->power_cut = power_cut;
  ended_.push_back(life);
  Note("{}: {} {}", life->name, power_cut ? "power cut" : "killed", where);
}

void World::PassCrashPoint(std::string_view name, std::string_view detail) {
  if (!current_ || current_->dead) return;
  if (!Trouble(profile_.crash_at_point)) return;
  Kill(current_, rng_.Chance(profile_.power_cut_share), fmt::format("at {} {}", name, detail));
}

void World::Fail(std::string invariant, std::string text) {
  if (violation_) return;
  Note("VIOLATION {}: {}", invariant, text);
  violation_ = Violation{std::move(invariant), std::move(text), counts_.steps, now_};
}

void World::AddNote(std::string text) {
  text = fmt::format("{:>7} {:>11.3f} ms  {}", counts_.steps, static_cast<double>(now_.count()) / 1e6, text);
  if (echo_) echo_(text);
  notes_.push_back(std::move(text));
  if (notes_.size() > kNotesKept) notes_.pop_front();
}

}  // namespace hawser::sim
