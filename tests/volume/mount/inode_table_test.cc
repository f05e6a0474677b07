#include "volume/mount/inode_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hawser {
namespace {

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }

class InodeTableTest : public testing::Test {
 protected:
  void Follow(Body body) { table_.Follow({VolumeName("v"), Generation(1), {}, std::move(body)}); }
  void Rename(std::string_view from, std::string_view to, RenameMode mode = RenameMode::kReplace) {
    struct Rename rename {
      FileId(1), Path(from), Path(to), mode, {}, {}
    };
    if (mode == RenameMode::kExchange) rename.replaced = FileId(2);
    Follow(rename);
  }
  std::string PathOf(NodeId node) {
    const auto path = table_.PathOf(node);
    return path ? path->text() : "(none)";
  }

  InodeTable table_{2};
};

TEST_F(InodeTableTest, TheRootIsKnownAndNeverForgotten) {
  table_.Forget(kRootNode, 100);
  EXPECT_EQ(PathOf(kRootNode), "");
  EXPECT_EQ(table_.Locate(kRootNode)->inode, 2U);
}

TEST_F(InodeTableTest, AnInodeSeenTwiceIsOneNodeUntilAllLookupsAreGivenBack) {
  const NodeId first = table_.Remember(kRootNode, "a", 10);
  EXPECT_EQ(table_.Remember(kRootNode, "a", 10), first);
  table_.Forget(first, 1);
  EXPECT_EQ(PathOf(first), "a");
  table_.Forget(first, 1);
  EXPECT_EQ(PathOf(first), "(none)");
  EXPECT_NE(table_.Remember(kRootNode, "a", 10), first) << "a number was given twice";
}

TEST_F(InodeTableTest, ADirectoryStaysWhileAChildIsKnown) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  const NodeId file = table_.Remember(directory, "f", 11);
  table_.Forget(directory, 1);
  EXPECT_EQ(PathOf(file), "d/f");
  table_.Forget(file, 1);
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(InodeTableTest, ARenamedDirectoryTakesItsChildrenAlong) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  const NodeId file = table_.Remember(directory, "f", 11);
  const NodeId other = table_.Remember(kRootNode, "o", 12);
  Rename("d", "o/e");
  EXPECT_EQ(PathOf(file), "o/e/f");
  EXPECT_EQ(table_.Locate(file)->lineage, (std::vector<ino_t>{11, 10, 12, 2}));
  EXPECT_EQ(PathOf(other), "o");
}

TEST_F(InodeTableTest, WhatIsReplacedLosesItsName) {
  const NodeId one = table_.Remember(kRootNode, "a", 10);
  const NodeId other = table_.Remember(kRootNode, "b", 11);
  Rename("a", "b");
  EXPECT_EQ(PathOf(one), "b");
  EXPECT_EQ(PathOf(other), "(none)");
}

TEST_F(InodeTableTest, AnExchangeSwapsNames) {
  const NodeId one = table_.Remember(kRootNode, "a", 10);
  const NodeId directory = table_.Remember(kRootNode, "d", 11);
  const NodeId other = table_.Remember(directory, "b", 12);
  Rename("a", "d/b", RenameMode::kExchange);
  EXPECT_EQ(PathOf(one), "d/b");
  EXPECT_EQ(PathOf(other), "a");
}

TEST_F(InodeTableTest, AnExchangeWithWhatTheKernelDoesNotKnowMovesTheKnownOne) {
  const NodeId one = table_.Remember(kRootNode, "a", 10);
  Rename("a", "b", RenameMode::kExchange);
  EXPECT_EQ(PathOf(one), "b");
}

TEST_F(InodeTableTest, AHardLinkedFileGoesOnUnderItsOtherName) {
  const NodeId file = table_.Remember(kRootNode, "a", 10);
  EXPECT_EQ(table_.Remember(kRootNode, "b", 10), file);
  EXPECT_FALSE(table_.WouldLoseLastName(Path("a")));
  Follow(Unlink{FileId(5), Path("a"), {}});
  EXPECT_EQ(PathOf(file), "b");
  EXPECT_TRUE(table_.WouldLoseLastName(Path("b")));
}

TEST_F(InodeTableTest, AMoveToWhereTheKernelHasNeverBeenTakesTheNameAway) {
  const NodeId file = table_.Remember(kRootNode, "a", 10);
  Rename("a", "unknown/b");
  EXPECT_EQ(PathOf(file), "(none)");
  table_.Forget(file, 1);
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(InodeTableTest, ADirectoryThatLosesItsNameTakesThoseBelowAlong) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  const NodeId file = table_.Remember(directory, "f", 11);
  const NodeId linked = table_.Remember(directory, "linked", 12);
  table_.Remember(kRootNode, "g", 12);
  Rename("d", "unknown/d");
  EXPECT_EQ(PathOf(directory), "(none)");
  EXPECT_EQ(PathOf(file), "(none)");
  EXPECT_EQ(PathOf(linked), "g");
  EXPECT_EQ(table_.Remember(kRootNode, "h", 12), linked);
}

TEST_F(InodeTableTest, ADirectoryThatNobodyKnowsGoesWithTheLastNameInIt) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  const NodeId file = table_.Remember(directory, "f", 11);
  table_.Forget(directory, 1);
  Rename("d/f", "f");
  EXPECT_EQ(PathOf(file), "f");
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(InodeTableTest, TheInodeNumberOfWhatIsGoneMayBeAnotherFiles) {
  const NodeId file = table_.Remember(kRootNode, "a", 10);
  Follow(Unlink{FileId(5), Path("a"), {}});
  const NodeId next = table_.Remember(kRootNode, "b", 10);
  EXPECT_NE(next, file);
  table_.Forget(file, 1);
  EXPECT_EQ(table_.Find(ino_t{10}), next);
}

TEST_F(InodeTableTest, AnEntryIsKeptIfItIsKnownOrKnownAsMissing) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  table_.Remember(directory, "f", 11);
  table_.RememberMissing(directory, "nothing");
  EXPECT_EQ(table_.KeptEntry(Path("d/f"))->parent, directory);
  EXPECT_EQ(table_.KeptEntry(Path("d/nothing"))->name, "nothing");
  EXPECT_FALSE(table_.KeptEntry(Path("d/other")));
  EXPECT_FALSE(table_.KeptEntry(Path("unknown/f")));
  EXPECT_FALSE(table_.KeptEntry(Path("")));
}

TEST_F(InodeTableTest, APinLastsUntilANewNameIsLearned) {
  const NodeId file = table_.Remember(kRootNode, "a", 10);
  table_.Pin(Path("a"), UniqueFd());
  Follow(Unlink{FileId(5), Path("a"), {}});
  EXPECT_NE(table_.PinOf(file), nullptr);
  table_.Remember(kRootNode, "c", 10);
  EXPECT_EQ(table_.PinOf(file), nullptr);
}

std::vector<std::pair<std::uint64_t, std::string>> ToForget(InodeTable& table, NodeId node) {
  std::vector<std::pair<std::uint64_t, std::string>> entries;
  for (const auto& entry : table.EntriesToForget(node)) entries.emplace_back(entry.parent.value, entry.name);
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST_F(InodeTableTest, ANodeIsFoundByItsInodeUnderWhicheverName) {
  const NodeId file = table_.Remember(kRootNode, "a", 10);
  EXPECT_EQ(table_.Find(ino_t{10}), file);
  EXPECT_EQ(table_.Find(ino_t{11}), std::nullopt);
  table_.Forget(file, 1);
  EXPECT_EQ(table_.Find(ino_t{10}), std::nullopt);
}

TEST_F(InodeTableTest, AllThatTheKernelKnowsCanBeCounted) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  const NodeId file = table_.Remember(directory, "f", 11);
  table_.Remember(kRootNode, "link", 11);
  EXPECT_TRUE(table_.RememberMissing(directory, "nothing"));
  std::vector<NodeId> nodes = table_.Nodes();
  std::sort(nodes.begin(), nodes.end());
  EXPECT_EQ(nodes, (std::vector{kRootNode, directory, file}));
  using Entries = std::vector<std::pair<std::uint64_t, std::string>>;
  EXPECT_EQ(ToForget(table_, kRootNode), Entries());
  EXPECT_EQ(ToForget(table_, file), (Entries{{kRootNode.value, "link"}, {directory.value, "f"}}));
  EXPECT_EQ(ToForget(table_, directory), (Entries{{kRootNode.value, "d"}, {directory.value, "nothing"}}));
  EXPECT_EQ(ToForget(table_, directory), (Entries{{kRootNode.value, "d"}})) << "once told, nothing is kept";
}

TEST_F(InodeTableTest, AMissingNameThatIsThereNowIsNoLongerMissing) {
  EXPECT_TRUE(table_.RememberMissing(kRootNode, "a"));
  table_.Remember(kRootNode, "a", 10);
  EXPECT_TRUE(ToForget(table_, kRootNode).empty());
}

TEST_F(InodeTableTest, MissingNamesAreRememberedUpToALimit) {
  const NodeId directory = table_.Remember(kRootNode, "d", 10);
  std::size_t kept = 0;
  while (kept < (1U << 20) && table_.RememberMissing(directory, std::to_string(kept))) ++kept;
  EXPECT_EQ(kept, 1U << 16);
  EXPECT_TRUE(table_.RememberMissing(directory, "0")) << "this one is remembered already";
  EXPECT_FALSE(table_.RememberMissing(kRootNode, "x"));
  table_.Forget(directory, 1);
  EXPECT_TRUE(table_.RememberMissing(kRootNode, "x")) << "those of a directory go with it";
}

}  // namespace
}  // namespace hawser
