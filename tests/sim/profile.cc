#include "tests/sim/profile.h"

namespace hawser::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr const char* kNodes[] = {"alpha", "bravo", "charlie", "delta"};
constexpr const char* kVolumes[] = {"docs", "mail", "logs"};

// Volumes one and two have primaries of their own, each a secondary of the other's; the third, if there is
// one, is charlie's. The last nodes are secondaries of everything.
void ChooseTopology(Rng& rng, Profile& profile) {
  const std::size_t nodes = rng.Chance(0.5) ? 3 : 4;
  const std::size_t volumes = rng.Chance(0.6) ? 2 : 3;
  for (std::size_t i = 0; i < nodes; ++i) profile.nodes.emplace_back(kNodes[i]);
  for (std::size_t v = 0; v < volumes; ++v) {
    const VolumeName volume(kVolumes[v]);
    profile.primaries[volume] = profile.nodes[v];
    for (std::size_t n = 0; n < nodes; ++n) {
      // A node that holds one volume only, as primary, has no journal of its own.
      const bool spared = nodes == 4 && n == 0 && v != 0 && volumes == 2;
      if (!spared) profile.holds[profile.nodes[n]].insert(volume);
    }
  }
}

double Sometimes(Rng& rng, double share, double most) {
  if (!rng.Chance(share)) return 0;
  return most * static_cast<double>(rng.Below(1000)) / 1000.0;
}

std::chrono::nanoseconds Every(Rng& rng, double share, milliseconds least, milliseconds most) {
  if (!rng.Chance(share)) return {};
  return milliseconds(rng.Between(least.count(), most.count()));
}

}  // namespace

Profile MakeProfile(Rng& rng) {
  Profile profile;
  ChooseTopology(rng, profile);
  profile.callers = 2 + rng.Below(4);
  profile.folders = 1 + rng.Below(3);
  profile.segment_bytes = 1024 * static_cast<std::uint64_t>(rng.Between(6, 20));
  profile.message_loss = Sometimes(rng, 0.7, 0.05);
  profile.message_doubled = Sometimes(rng, 0.7, 0.08);
  profile.stream_loss = Sometimes(rng, 0.7, 0.2);
  profile.crash_at_point = Sometimes(rng, 0.7, 0.004);
  profile.power_cut_share = rng.Chance(0.3) ? 1.0 : 0.6;
  profile.flush_error = Sometimes(rng, 0.3, 0.01);
  profile.write_error = Sometimes(rng, 0.3, 0.004);
  profile.store_flush_error = Sometimes(rng, 0.3, 0.2);
  profile.store_error = Sometimes(rng, 0.3, 0.004);
  profile.give_up = Sometimes(rng, 0.5, 0.05);
  profile.delay_min = microseconds(rng.Between(20, 100));
  profile.delay_max = profile.delay_min + microseconds(rng.Chance(0.3) ? 20'000 : 500);
  profile.crash_every = Every(rng, 0.8, milliseconds(30), milliseconds(600));
  profile.partition_every = Every(rng, 0.6, milliseconds(50), milliseconds(600));
  profile.disk_full_every = Every(rng, 0.35, milliseconds(20), milliseconds(400));
  profile.promote_every = Every(rng, 0.4, milliseconds(100), milliseconds(800));
  profile.think = microseconds(rng.Chance(0.5) ? 200 : 5000);
  profile.checkpoint_every = milliseconds(rng.Between(20, 300));
  profile.keep_bytes = rng.Chance(0.7) ? 0 : 16 * 1024;
  profile.twin_every = Every(rng, 0.2, milliseconds(50), milliseconds(400));
  profile.go_back = rng.Chance(0.3) ? 0.5 : 0;
  profile.wrong_store = Sometimes(rng, 0.3, 0.2);
  profile.lose_segment = 0.3;
  profile.rot_every = rng.Chance(0.3) ? milliseconds(rng.Between(100, 1000)) : milliseconds(0);
  profile.lose_state = Sometimes(rng, 0.2, 0.3);
  profile.lose_journal = Sometimes(rng, 0.3, 0.3);
  // A machine that begins empty needs all of the journal: syncs aren't simulated.
  if (profile.twin_every.count() != 0 || profile.lose_state > 0) profile.keep_bytes = UINT64_MAX;
  profile.refusal = Sometimes(rng, 0.3, 0.05);
  return profile;
}

}  // namespace hawser::sim
