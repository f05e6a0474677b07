// Random changes to a small tree, so that names meet again and again: the same seed makes the same records.
#pragma once

#include <random>

#include "tests/volume/store/author.h"

namespace hawser::test {

class RandomAuthor {
 public:
  // `move_values`: symlinks and fifos without ids get other names too.
  RandomAuthor(Author& author, std::uint64_t seed, bool move_values)
      : author_(author),
        random_(seed),
        marked_values_(author.store().keeps_value_ids()),
        move_values_(move_values || marked_values_) {}

  // One change that the tree as it is allows.
  Written Next();

 private:
  struct Node {
    std::string path;
    mode_t mode = 0;
    bool is_empty = true;  // directories

    bool is_directory() const { return S_ISDIR(mode); }
    bool is_file() const { return S_ISREG(mode); }
    bool is_value() const { return !is_directory() && !is_file(); }
  };

  std::vector<Node> List() const;
  std::optional<Written> Try();
  std::optional<Written> TryRename();
  std::string NewPath();
  const Node* Pick(bool (*wanted)(const Node&));
  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  Author& author_;
  std::mt19937_64 random_;
  const bool marked_values_;
  const bool move_values_;
  std::vector<Node> nodes_;
  int made_ = 0;
};

}  // namespace hawser::test
