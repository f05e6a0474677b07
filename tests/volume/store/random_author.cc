#include "tests/volume/store/random_author.h"

#include <algorithm>
#include <filesystem>

#include "volume/store/acl_names.h"

namespace hawser::test {

namespace {

constexpr std::size_t kNames = 4;
constexpr std::size_t kDepth = 4;

std::size_t DepthOf(const std::string& path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + 1;
}

}  // namespace

std::vector<RandomAuthor::Node> RandomAuthor::List() const {
  namespace fs = std::filesystem;
  const fs::path root = author_.store().root_path();
  std::vector<Node> nodes;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0) continue;
    nodes.push_back({entry.path().lexically_relative(root), info.st_mode,
                     !S_ISDIR(info.st_mode) || fs::is_empty(entry.path())});
  }
  std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.path < b.path; });
  return nodes;
}

const RandomAuthor::Node* RandomAuthor::Pick(bool (*wanted)(const Node&)) {
  std::vector<const Node*> candidates;
  for (const Node& node : nodes_) {
    if (wanted(node)) candidates.push_back(&node);
  }
  return candidates.empty() ? nullptr : candidates[Below(candidates.size())];
}

std::string RandomAuthor::NewPath() {
  const std::string name(1, static_cast<char>('a' + Below(kNames)));
  const Node* folder = Below(3) == 0
                           ? nullptr
                           : Pick([](const Node& n) { return n.is_directory() && DepthOf(n.path) < kDepth; });
  return folder == nullptr ? name : folder->path + "/" + name;
}

Written RandomAuthor::Next() {
  nodes_ = List();
  while (true) {
    if (auto written = Try()) return *std::move(written);
  }
}

std::optional<Written> RandomAuthor::Try() {
  const auto any_file = [](const Node& n) { return n.is_file(); };
  const auto any_marked = [](const Node& n) { return n.is_file() || n.is_directory(); };
  const std::string path = NewPath();
  const bool taken = std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.path == path; });
  const Node* node = nullptr;
  switch (Below(16)) {
    case 0:
    case 1:
      return taken ? std::nullopt : std::optional(author_.Create(path));
    case 2:
      return taken ? std::nullopt : std::optional(author_.Create(path, NodeKind::kDirectory));
    case 3:
      if (taken) return std::nullopt;
      if (marked_values_ && Below(3) == 0) return author_.Create(path, NodeKind::kFifo);
      return author_.Symlink(path, "target" + std::to_string(made_++));
    case 4:
      node = marked_values_ ? Pick([](const Node& n) { return !n.is_directory(); }) : Pick(any_file);
      if (node == nullptr || taken) return std::nullopt;
      return author_.Link(node->path, path);
    case 5:
      if ((node = Pick([](const Node& n) { return !n.is_directory(); })) == nullptr) return std::nullopt;
      return author_.Unlink(node->path);
    case 6:
      if ((node = Pick([](const Node& n) { return n.is_directory() && n.is_empty; })) == nullptr)
        return std::nullopt;
      return author_.Rmdir(node->path);
    case 7:
    case 8:
      if ((node = Pick(any_file)) == nullptr) return std::nullopt;
      return author_.Write(node->path, Below(200), "data" + std::to_string(made_++));
    case 9:
      if ((node = Pick(any_file)) == nullptr) return std::nullopt;
      return author_.Truncate(node->path, Below(200));
    case 10:
      if ((node = Pick(any_marked)) == nullptr) return std::nullopt;
      return author_.Chmod(node->path, static_cast<std::uint32_t>(0700 + Below(64)));
    case 11:
      if ((node = Pick([](const Node&) { return true; })) == nullptr) return std::nullopt;
      return author_.Touch(node->path);
    case 12:
      if ((node = Pick(any_marked)) == nullptr) return std::nullopt;
      if (node->is_directory() && Below(2) == 0) {
        if (Below(3) == 0 && author_.HasXattr(node->path, kDefaultAcl))
          return author_.RemoveXattr(node->path, kDefaultAcl);
        return author_.SetDefaultAcl(node->path, static_cast<unsigned>(Below(8)));
      }
      if (Below(3) == 0 && author_.HasXattr(node->path, "user.colour"))
        return author_.RemoveXattr(node->path, "user.colour");
      return author_.SetXattr(node->path, "user.colour", std::to_string(made_++));
    default:
      return TryRename();
  }
}

std::optional<Written> RandomAuthor::TryRename() {
  const Node* from = Pick([](const Node&) { return true; });
  if (from == nullptr || (from->is_value() && !move_values_)) return std::nullopt;
  const std::string to = NewPath();
  if (PathOf(to).IsAtOrBelow(PathOf(from->path))) return std::nullopt;
  if (DepthOf(to) + 2 > kDepth && from->is_directory()) return std::nullopt;
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.path == to; });
  if (found == nodes_.end()) return author_.Rename(from->path, to);
  if (PathOf(from->path).IsAtOrBelow(PathOf(to))) return std::nullopt;
  if (author_.IsSameFile(from->path, to)) return std::nullopt;
  // Of two values without ids that change places, nothing could tell whether they have.
  const bool may_exchange = marked_values_ || !found->is_value() || (move_values_ && !from->is_value());
  if (Below(3) == 0 && may_exchange) return author_.Rename(from->path, to, RenameMode::kExchange);
  if (from->is_directory() != found->is_directory() || !found->is_empty) return std::nullopt;
  return author_.Rename(from->path, to);
}

}  // namespace hawser::test
