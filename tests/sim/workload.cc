#include "tests/sim/workload.h"

#include <fmt/format.h>

#include <cstring>

namespace hawser::sim {

namespace {

constexpr std::size_t kNames = 4;  // in a folder
constexpr std::uint64_t kMostWords = 6;

std::string AnyPath(Rng& rng, std::size_t folders) {
  return fmt::format("d{}/{}", rng.Below(folders), static_cast<char>('a' + rng.Below(kNames)));
}

StorePath Parse(const std::string& path) { return *StorePath::Parse(path); }

// A directory's entries are covered by its inode; files have their ids as inodes. The folders of the model
// are never moved: the first numbers are theirs.
ino_t FolderOf(const std::string& path) { return 1 + static_cast<ino_t>(path[1] - '0'); }
ino_t NodeOf(FileId id) { return id.value; }

Buffer Payload(std::uint64_t call, std::uint64_t words) {
  Buffer payload(words * sizeof(call));
  for (std::uint64_t i = 0; i < words; ++i)
    std::memcpy(payload.data() + i * sizeof(call), &call, sizeof(call));
  return payload;
}

}  // namespace

Wish MakeWish(Rng& rng, std::size_t folders) {
  using Kind = Wish::Kind;
  static constexpr Kind kKinds[] = {Kind::kWrite,  Kind::kWrite,    Kind::kWrite,   Kind::kTruncate,
                                    Kind::kCreate, Kind::kCreate,   Kind::kUnlink,  Kind::kRename,
                                    Kind::kRename, Kind::kExchange, Kind::kSetMode, Kind::kSetXattr};
  Wish wish;
  wish.kind = rng.Pick(kKinds);
  wish.path = AnyPath(rng, folders);
  wish.new_path = AnyPath(rng, folders);
  wish.index = rng.Below(kMostWords);
  wish.words = 1 + rng.Below(3);
  return wish;
}

std::optional<Plan> Decide(const Wish& wish, const Tree& tree, std::uint64_t call, FileId new_id) {
  using Kind = Wish::Kind;
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  const Timestamp time{static_cast<std::int64_t>(call)};
  const StorePath path = Parse(wish.path);
  const FileId id = tree.At(wish.path);
  const ModelFile* file = tree.Find(id);
  Plan plan;
  plan.locks.lineage = {FolderOf(wish.path)};
  if (wish.kind == Kind::kCreate) {
    if (file != nullptr) return std::nullopt;
    plan.locks.nodes = {FolderOf(wish.path)};
    plan.body = Create{new_id, path, NodeKind::kRegular, 0644, 0, 0, 0, {}, time};
    return plan;
  }
  if (file == nullptr) return std::nullopt;
  plan.locks.nodes = {NodeOf(id)};
  switch (wish.kind) {
    case Kind::kWrite:
      plan.body = Write{id, path, wish.index * kWord, wish.words * kWord, file->state(), time, {}};
      plan.payload = Payload(call, wish.words);
      break;
    case Kind::kTruncate:
      plan.body = Truncate{id, path, wish.index * kWord, file->state(), time, {}};
      break;
    case Kind::kUnlink:
      plan.locks.nodes.push_back(FolderOf(wish.path));
      plan.body = Unlink{id, path, time};
      break;
    case Kind::kRename:
    case Kind::kExchange: {
      if (wish.path == wish.new_path) return std::nullopt;
      const FileId replaced = tree.At(wish.new_path);
      if (wish.kind == Kind::kExchange && replaced == kNoFileId) return std::nullopt;
      plan.locks.nodes.push_back(FolderOf(wish.path));
      if (FolderOf(wish.new_path) != FolderOf(wish.path)) plan.locks.nodes.push_back(FolderOf(wish.new_path));
      Rename rename{id, path, Parse(wish.new_path), RenameMode::kReplace, {}, time};
      if (replaced != kNoFileId) {
        plan.locks.nodes.push_back(NodeOf(replaced));
        rename.replaced = replaced;
      }
      if (wish.kind == Kind::kExchange) rename.mode = RenameMode::kExchange;
      plan.body = std::move(rename);
      break;
    }
    case Kind::kSetMode:
      plan.body = SetAttr{id, path, static_cast<std::uint32_t>(call % 512), {}, {}, {}, time};
      break;
    case Kind::kSetXattr:
      plan.body = SetXattr{id, path, fmt::format("user.{}", wish.index % 2)};
      plan.payload = Payload(call, 1);
      break;
    case Kind::kCreate:
      break;
  }
  return plan;
}

}  // namespace hawser::sim
