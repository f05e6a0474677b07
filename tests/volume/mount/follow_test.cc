// What the kernel knows of a volume stays true while records are replayed: random changes to a small tree,
// and a kernel that looks things up and forgets them as it likes.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <random>

#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"
#include "tests/volume/store/random_author.h"
#include "volume/mount/volume.h"

namespace hawser::test {
namespace {

class FollowTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::Open({store_.path(), "group", VolumeName("docs")});
    ASSERT_OK(store);
    volume_ = std::make_unique<Volume>(*std::move(store));
  }

  void Replay(const Written& written) {
    const std::unique_lock alone(volume_->gate());
    ASSERT_OK(volume_->ApplyInGate(written.record, AsBytes(written.payload)));
  }

  // As the kernel walks a path: each directory on it is looked up. The last node.
  NodeId LookUp(const StorePath& path) {
    NodeId node = kRootNode;
    for (const std::string_view name : path.Components()) {
      SCOPED_TRACE(path.text());
      const auto entry = volume_->Lookup(node, std::string(name));
      EXPECT_OK(entry);
      if (!entry) break;
      node = entry->node;
      Held& held = held_[node];
      EXPECT_TRUE(held.lookups == 0 || held.inode == entry->info.st_ino);
      held.inode = entry->info.st_ino;
      ++held.lookups;
    }
    return node;
  }
  void Forget(NodeId node) {
    volume_->inodes().Forget(node, held_.at(node).lookups);
    held_.erase(node);
  }
  std::string KnownPath(NodeId node) {
    const auto path = volume_->inodes().PathOf(node);
    return path ? path->text() : "(none)";
  }
  // Each node that the kernel holds is the file it was, and one that has a directory's path has it here.
  void ExpectAllTrue() {
    for (const auto& [node, held] : held_) {
      SCOPED_TRACE("node " + std::to_string(node.value) + ", " + KnownPath(node));
      const auto pin = volume_->Pin(node);
      ASSERT_OK(pin);
      const auto info = StatFd(pin->get());
      ASSERT_OK(info);
      EXPECT_EQ(info->st_ino, held.inode);
      const bool in_tree = info->st_nlink > 0;
      if (S_ISDIR(info->st_mode)) {
        EXPECT_EQ(pin->path.has_value(), in_tree);
      }
    }
  }

  struct Held {
    ino_t inode = 0;
    std::uint64_t lookups = 0;
  };

  TempDir author_folder_;
  TempDir store_;
  Author author_{author_folder_.path(), "docs"};
  std::unique_ptr<Volume> volume_;
  std::map<NodeId, Held> held_;
};

TEST_F(FollowTest, ADirectoryMovedToWhereTheKernelHasNeverBeenKeepsItsPath) {
  for (const char* folder : {"d", "u", "u/v"}) Replay(author_.Create(folder, NodeKind::kDirectory));
  Replay(author_.Create("d/x"));
  const NodeId file = LookUp(PathOf("d/x"));
  Replay(author_.Rename("d", "u/v/d"));
  EXPECT_EQ(KnownPath(file), "u/v/d/x");
  Replay(author_.Rename("u/v/d/x", "y"));
  Replay(author_.Create("u/v/d/x"));
  EXPECT_EQ(KnownPath(file), "y");
  EXPECT_NE(LookUp(PathOf("u/v/d/x")), file);
  EXPECT_EQ(LookUp(PathOf("y")), file);
  ExpectAllTrue();
}

TEST_F(FollowTest, AnExchangeWithWhereTheKernelHasNeverBeenKeepsThePath) {
  for (const char* folder : {"d", "p", "p/q", "p/q/e"}) Replay(author_.Create(folder, NodeKind::kDirectory));
  Replay(author_.Create("d/f"));
  const NodeId file = LookUp(PathOf("d/f"));
  Replay(author_.Rename("d", "p/q/e", RenameMode::kExchange));
  EXPECT_EQ(KnownPath(file), "p/q/e/f");
  Replay(author_.Rename("d", "p/q/e", RenameMode::kExchange));
  EXPECT_EQ(KnownPath(file), "d/f");
}

TEST_F(FollowTest, AFileInAMovedDirectoryIsFoundByItsOtherName) {
  for (const char* folder : {"d", "p", "p/q"}) Replay(author_.Create(folder, NodeKind::kDirectory));
  Replay(author_.Create("d/f"));
  Replay(author_.Link("d/f", "g"));
  const NodeId file = LookUp(PathOf("d/f"));
  Replay(author_.Rename("d", "p/q/d"));
  EXPECT_EQ(LookUp(PathOf("g")), file);
  EXPECT_OK(volume_->Pin(file));
}

TEST_F(FollowTest, NamesThatGoOrLeadElsewhereAreToldWithTheirDirectories) {
  Replay(author_.Create("d", NodeKind::kDirectory));
  for (const char* file : {"d/a", "d/b", "d/unknown", "d/unseen"}) Replay(author_.Create(file));
  const NodeId directory = LookUp(PathOf("d"));
  for (const char* file : {"d/a", "d/b"}) LookUp(PathOf(file));
  (void)volume_->TakeStale();
  Replay(author_.Unlink("d/unknown"));
  EXPECT_TRUE(volume_->TakeStale().empty());
  Replay(author_.Rename("d/a", "d/b"));
  Replay(author_.Unlink("d/b"));
  Replay(author_.Unlink("d/unseen"));
  Replay(author_.Rmdir("d"));
  std::vector<std::pair<NodeId, std::string>> told;
  for (const auto& entry : volume_->TakeStale().entries) told.emplace_back(entry.parent, entry.name);
  EXPECT_EQ(told, (std::vector<std::pair<NodeId, std::string>>{
                      {directory, "a"}, {directory, "b"}, {directory, "b"}, {kRootNode, "d"}}));
}

TEST_F(FollowTest, WhateverIsReplayedTheKernelsNodesStayTheFilesTheyWere) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomAuthor changes(author_, seed, true);
  std::mt19937_64 random(seed);
  for (int step = 0; step < 3000 && !HasFailure(); ++step) {
    Replay(changes.Next());
    if (random() % 3 == 0) {
      std::vector<std::string> paths;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(author_folder_.path()))
        paths.push_back(entry.path().lexically_relative(author_folder_.path()));
      if (!paths.empty()) LookUp(PathOf(paths[random() % paths.size()]));
    }
    if (!held_.empty() && random() % 4 == 0)
      Forget(std::next(held_.begin(), static_cast<std::ptrdiff_t>(random() % held_.size()))->first);
    ExpectAllTrue();
  }
  while (!held_.empty()) Forget(held_.begin()->first);
  EXPECT_EQ(volume_->inodes().size(), 1U) << "something is kept that nobody knows";
}

}  // namespace
}  // namespace hawser::test
