#include "common/config/folders.h"

#include <fmt/format.h>

namespace hawser {
namespace {

bool IsInside(const std::string& path, const std::string& folder) {
  return folder == "/" ||
         (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

// How `path` lies to `other`; nullptr if they are apart.
const char* Relation(const std::string& path, const std::string& other) {
  if (path == other) return "is the same folder as";
  if (IsInside(path, other)) return "lies inside";
  if (IsInside(other, path)) return "contains";
  return nullptr;
}

bool MayMeet(const Folder& folder, const Folder& other) {
  const bool same_machine = folder.node.empty() || other.node.empty() || folder.node == other.node;
  return !same_machine && (folder.is_mount || other.is_mount);
}

}  // namespace

std::string Folder::Key() const { return fmt::format("{}", fmt::join(keys, ".")); }

std::vector<Folder> FoldersOf(const Config& config) {
  std::vector<Folder> folders{{config.relay.journal, {"relay", "journal"}, /*node=*/""}};
  for (const auto& [name, node] : config.nodes) {
    const std::string& owner = name.value;
    folders.push_back({node.state, {"nodes", owner, "state"}, owner});
    for (const auto& [volume, replica] : node.volumes) {
      folders.push_back({replica.store, {"nodes", owner, "volumes", volume.value, "store"}, owner});
      folders.push_back({replica.mount, {"nodes", owner, "volumes", volume.value, "mount"}, owner, true});
    }
  }
  return folders;
}

std::optional<Overlap> FindOverlap(const std::vector<Folder>& folders, Machines machines) {
  for (std::size_t i = 0; i < folders.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (machines == Machines::kMany && MayMeet(folders[i], folders[j])) continue;
      const char* const relation = Relation(folders[i].path, folders[j].path);
      if (relation == nullptr) continue;
      return Overlap{folders[i], folders[j],
                     fmt::format("'{}' {} {} ('{}'); give each a folder apart from all others",
                                 folders[i].path, relation, folders[j].Key(), folders[j].path)};
    }
  }
  return std::nullopt;
}

}  // namespace hawser
