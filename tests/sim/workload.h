// What applications do to a volume: calls in few names, so that they collide.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/tree.h"
#include "tests/sim/world.h"
#include "volume/mount/role.h"

namespace hawser::sim {

// What an application asks for, by names.
struct Wish {
  enum class Kind { kWrite, kTruncate, kCreate, kUnlink, kRename, kExchange, kSetMode, kSetXattr };
  Kind kind = Kind::kWrite;
  std::string path;
  std::string new_path;  // renames
  std::uint64_t index = 0;
  std::uint64_t words = 1;
};
Wish MakeWish(Rng& rng, std::size_t folders);

// What it comes to in a tree: who must not run beside it, and the record. Mirrors volume/mount/*_ops.cc.
// nullopt: an error for the caller (ENOENT, EEXIST), nothing changes.
struct Plan {
  LockSet locks;
  Body body;
  Buffer payload;
};
// `new_id` for a file to be made.
std::optional<Plan> Decide(const Wish& wish, const Tree& tree, std::uint64_t call, FileId new_id);

}  // namespace hawser::sim
