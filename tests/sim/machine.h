// What of a node outlives its processes: disks.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/net/messages.h"
#include "fuse_primary/known_head.h"
#include "tests/sim/model_store.h"
#include "tests/sim/sim_disk.h"
#include "volume/store/checkpoint.h"

namespace hawser::sim {

// A volume as a node has it. Small files (checkpoint, roles) are replaced atomically and durably.
struct VolumeDisk {
  explicit VolumeDisk(World& world) : store(world) {}

  ModelStore store;
  std::optional<Checkpoint> checkpoint;
  std::optional<ModelStore::Disk> old;     // a copy of the store, made some time ago
  std::optional<ModelStore::Disk> right;   // what belongs there, while another one stands in its place
  std::map<Sequence, Buffer> differences;  // by the checkpoint that they belong to
};

struct Machine {
  Machine(World& world, std::string folder)
      : journal_folder(std::move(folder)), journal_disk(world, journal_folder) {}

  std::string journal_folder;
  SimDisk journal_disk;
  std::map<VolumeName, std::unique_ptr<VolumeDisk>> volumes;
  std::uint64_t incarnation = 0;  // of the state folder
  KnownHead known;
  std::map<VolumeName, VolumeFact> roles;  // as last heard
};

}  // namespace hawser::sim
