// The newest position that a node was told is durable: what changes it, and what of it outlives the process.
#include "fuse_primary/known_head.h"

#include <gtest/gtest.h>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

Progress At(std::uint64_t group, std::uint64_t bytes = 100, std::byte journal = std::byte{1}) {
  Progress progress;
  progress.position.journal.bytes.fill(journal);
  progress.position.group = Group(group);
  progress.position.sequence = Sequence(10 * group);
  progress.position.digest.bytes.fill(std::byte{7});
  progress.journal_bytes = bytes;
  progress.time = {5};
  return progress;
}

class KnownHeadTest : public testing::Test {
 protected:
  // What a process knows that starts now.
  Progress KnownAtAStart() const {
    KnownHead known;
    EXPECT_OK(known.Open(path_));
    return known.Get();
  }

  const test::TempDir folder_;
  const std::string path_ = StateFolder(folder_.path()).KnownHead();
};

TEST_F(KnownHeadTest, GoesForwardOnly) {
  KnownHead known;
  EXPECT_EQ(known.Get(), Progress());
  known.Hear(At(5));
  EXPECT_EQ(known.Get(), At(5));
  known.Hear(At(4));
  EXPECT_EQ(known.Get(), At(5));
  known.Hear(At(6));
  EXPECT_EQ(known.Get(), At(6));
}

TEST_F(KnownHeadTest, AnotherJournalChangesNothing) {
  KnownHead known;
  known.Hear(At(5));
  known.Hear(At(9, 100, std::byte{2}));
  EXPECT_EQ(known.Get(), At(5));
}

TEST_F(KnownHeadTest, OutlivesTheProcess) {
  KnownHead known;
  ASSERT_OK(known.Open(path_));
  EXPECT_EQ(known.Get(), Progress()) << "a new node knows none";
  known.Hear(At(5));
  EXPECT_EQ(KnownAtAStart(), At(5));
  known.Hear(At(4));
  EXPECT_EQ(KnownAtAStart(), At(5));
}

TEST_F(KnownHeadTest, AShorterTextLeavesNothingOfALongerOne) {
  KnownHead known;
  ASSERT_OK(known.Open(path_));
  known.Hear(At(5, 123'456'789'012));
  known.Hear(At(6, 1));
  EXPECT_EQ(KnownAtAStart(), At(6, 1));
}

TEST_F(KnownHeadTest, WhatCannotBeUnderstoodCountsAsNothing) {
  ASSERT_OK(WriteFileAtomically(path_, "{\"group\": 5"));
  KnownHead known;
  ASSERT_OK(known.Open(path_));
  EXPECT_EQ(known.Get(), Progress());
  known.Hear(At(3));
  EXPECT_EQ(KnownAtAStart(), At(3));
}

}  // namespace
}  // namespace hawser
