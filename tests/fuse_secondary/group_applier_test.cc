// Which records of a write group are tried, and which wait, when a store doesn't take one.
#include "fuse_secondary/group_applier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <vector>

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Records of a group are told apart by their sequences, which are their places from 1 on.
class GroupApplierTest : public testing::TestWithParam<std::size_t> {
 protected:
  // One of the file with this id; 0: of a node that has none.
  void Add(std::uint64_t file) {
    ReplayRecord record{0, Record{}, {}, Sequence(group_.records.size() + 1)};
    record.record.body = SetAttr{FileId(file), {}, 0600, {}, {}, {}, {}};
    group_.records.push_back(std::move(record));
    group_.bytes = GetParam() > 1 ? kMiB : 0;  // enough for several threads
  }

  // What was tried, in order within each file; those that fail do.
  std::vector<std::uint64_t> Apply(GroupInProgress& progress, std::set<std::uint64_t> failing) {
    std::vector<std::uint64_t> tried;
    std::mutex mutex;
    again_.clear();
    failed_.clear();
    GroupApplier applier(GetParam(), [&](const ReplayRecord& record, bool again) -> Status {
      const std::lock_guard lock(mutex);
      tried.push_back(record.sequence.value);
      if (again) again_.push_back(record.sequence.value);
      if (failing.contains(record.sequence.value)) return Error{EIO, "no"};
      return {};
    });
    for (const GroupFailure& failure : applier.Apply(progress))
      failed_.push_back(group_.records[failure.record].sequence.value);
    return tried;
  }

  ReplayGroup group_;
  std::vector<std::uint64_t> again_;   // tried once more
  std::vector<std::uint64_t> failed_;  // in order
};

TEST_P(GroupApplierTest, WhatFollowsOnTheSameFileWaits) {
  for (const std::uint64_t file : {7, 8, 7, 8, 7}) Add(file);
  GroupInProgress progress(group_);
  EXPECT_THAT(Apply(progress, {1}), UnorderedElementsAre(1, 2, 4));
  EXPECT_THAT(failed_, ElementsAre(1));
  EXPECT_THAT(progress.done, ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(Apply(progress, {3}), ElementsAre(1, 3)) << "only what is missing, in order";
  EXPECT_THAT(again_, ElementsAre(1));
  EXPECT_THAT(failed_, ElementsAre(3));
  EXPECT_THAT(Apply(progress, {}), ElementsAre(3, 5));
  EXPECT_THAT(again_, ElementsAre(3));
  EXPECT_THAT(progress.done, ElementsAre(1, 1, 1, 1, 1));
}

TEST_P(GroupApplierTest, NodesWithoutIdsWaitForNobody) {
  for (int i = 0; i < 3; ++i) Add(0);
  GroupInProgress progress(group_);
  EXPECT_THAT(Apply(progress, {1}), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(failed_, ElementsAre(1));
}

INSTANTIATE_TEST_SUITE_P(Threads, GroupApplierTest, testing::Values(1, 3));

}  // namespace
}  // namespace hawser
