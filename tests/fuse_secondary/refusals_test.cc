// Copies on real stores that refuse records for good: what a copy names as different is all that differs,
// whether records are replayed, redone after a kill, or tried again.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fuse_secondary/frozen_copy.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"
#include "tests/volume/store/random_author.h"
#include "volume/store/redo.h"

namespace hawser::test {
namespace {

namespace fs = std::filesystem;

using ::testing::IsEmpty;

std::uint64_t NumberFrom(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class RefusalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string probe = temp_ / "probe";
    UniqueFd(::open(probe.c_str(), O_CREAT | O_WRONLY, 0600));
    if (!SetFrozen(probe, true)) GTEST_SKIP() << "this user can't freeze files here";
    SetFrozen(probe, false);
    fs::create_directories(real());
    author_.emplace(real(), "docs");
  }
  std::string real() const { return temp_ / "real"; }
  std::string Copied(const std::string& path) const { return temp_ / ("copy/" + path); }
  void Do(Written written) { records_.push_back(std::move(written)); }

  TempDir temp_{"hawser-refusals-"};
  std::optional<Author> author_;
  std::vector<Written> records_;
};

// ---- anything

enum class ValueIds { kKept, kNotKept };

class RefusalsPropertyTest : public RefusalsTest, public ::testing::WithParamInterface<ValueIds> {
 protected:
  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound)(random_);
  }
  bool has_ids() const { return GetParam() == ValueIds::kKept; }

  void Write(std::uint64_t seed) {
    random_.seed(seed);
    author_.reset();
    fs::remove_all(real());
    fs::create_directories(real());
    author_.emplace(real(), "docs", has_ids());
    RandomAuthor changes(*author_, seed, has_ids());
    records_.clear();
    const std::size_t count = 20 + Below(60);
    while (records_.size() < count) records_.push_back(changes.Next());
  }

  void FreezeOthers(FrozenCopy& copy) {
    copy.ThawAll();
    copy.FreezeAtRandom(random_, 6);
  }

  // Replayed to the checkpoint and on, then killed, and started again once or twice.
  Status Follow(FrozenCopy& copy) {
    const std::size_t count = records_.size();
    checkpoint_ = Below(count);
    killed_ = checkpoint_ + Below(count - checkpoint_);
    for (const std::size_t stop : {checkpoint_ / 2, checkpoint_, killed_}) {
      FreezeOthers(copy);
      HAWSER_TRY(copy.Replay(stop));
      if (stop == checkpoint_) copy.KeepCheckpoint();
    }
    const std::size_t received = killed_ + Below(count - killed_);
    if (Below(1) == 0) FreezeOthers(copy);
    if (Below(2) == 0) HAWSER_TRY(copy.Recover(received, checkpoint_ + Below(received - checkpoint_)));
    if (Below(1) == 0) FreezeOthers(copy);
    HAWSER_TRY(copy.Recover(received));
    return copy.Replay(count);
  }

  void ExpectAllNamed(const FrozenCopy& copy, bool may_have_left) {
    ASSERT_THAT(copy.Unnamed(real(), may_have_left), IsEmpty()) << Story(copy);
  }
  std::string Story(const FrozenCopy& copy) const {
    std::string story = fmt::format("checkpoint {}, killed after {}\n", checkpoint_, killed_);
    for (std::size_t i = 0; i < records_.size(); ++i)
      story += fmt::format("{} {}\n", i + 1, Describe(records_[i].record));
    return story + copy.NamedText();
  }

  std::mt19937_64 random_;
  std::size_t checkpoint_ = 0;
  std::size_t killed_ = 0;
};

// Set HAWSER_REFUSALS_SEED and HAWSER_REFUSALS_TRIALS to replay or to go on for longer.
TEST_P(RefusalsPropertyTest, NothingDiffersButWhatIsNamed) {
  const std::uint64_t first = NumberFrom("HAWSER_REFUSALS_SEED", 1);
  const std::uint64_t trials = NumberFrom("HAWSER_REFUSALS_TRIALS", 100);
  for (std::uint64_t seed = first; seed < first + trials; ++seed) {
    SCOPED_TRACE(fmt::format("HAWSER_REFUSALS_SEED={}", seed));
    Write(seed);
    fs::remove_all(Copied(""));
    FrozenCopy copy(Copied(""), records_, has_ids());
    const Status followed = Follow(copy);
    ASSERT_TRUE(followed) << followed.error().Text() << "\n" << Story(copy);
    ASSERT_NO_FATAL_FAILURE(ExpectAllNamed(copy, true));
    // The next start, at which all may be taken.
    copy.ThawAll();
    copy.KeepCheckpoint(true);
    const Status started = copy.Recover(records_.size());
    ASSERT_TRUE(started) << started.error().Text() << "\n" << Story(copy);
    ASSERT_NO_FATAL_FAILURE(ExpectAllNamed(copy, !copy.differences().empty()));
  }
}

INSTANTIATE_TEST_SUITE_P(Refusals, RefusalsPropertyTest,
                         ::testing::Values(ValueIds::kKept, ValueIds::kNotKept), [](const auto& test) {
                           return test.param == ValueIds::kKept ? "WithIdsOfValues" : "WithoutIdsOfValues";
                         });

// ---- single situations that are worth a name

TEST_F(RefusalsTest, RenameOverAFileThatIsRefusedLeavesBothAndNoFolderBehind) {
  Do(author_->Create("a"));
  Do(author_->Create("b"));
  Do(author_->Rename("a", "b"));
  FrozenCopy copy(Copied(""), records_);
  ASSERT_OK(copy.Replay(2));
  copy.Freeze("a");
  EXPECT_FALSE(RedoOne(copy.store(), records_.back().record, {}));
  EXPECT_TRUE(fs::exists(Copied("a")));
  EXPECT_TRUE(fs::exists(Copied("b")));
  EXPECT_FALSE(fs::exists(Copied(".hawser.redo")));
}

// The first redo can't give a file its place; the second one can.
TEST_F(RefusalsTest, WhatARedoFindsNoPlaceForIsThereForTheNext) {
  Do(author_->Create("d", NodeKind::kDirectory));
  Do(author_->Create("d/a"));
  Do(author_->Rename("d/a", "b"));
  Do(author_->Create("d/a"));
  Do(author_->Rename("b", "d/c"));
  FrozenCopy copy(Copied(""), records_);
  ASSERT_OK(copy.Replay(2));
  copy.KeepCheckpoint();
  ASSERT_OK(copy.Replay(5));
  copy.Freeze("d");
  ASSERT_OK(copy.Recover(5));
  EXPECT_THAT(copy.Unnamed(real(), true), IsEmpty()) << copy.NamedText();
  copy.ThawAll();
  ASSERT_OK(copy.Recover(5));
  EXPECT_THAT(copy.Unnamed(real(), true), IsEmpty()) << copy.NamedText();
  EXPECT_TRUE(copy.differences().empty()) << copy.NamedText();
}

// The symlink that moves couldn't be recognised after an end inside of the redo.
TEST_F(RefusalsTest, RedoThatCannotBeginLeavesAllAsItIs) {
  Do(author_->Create("d", NodeKind::kDirectory));
  Do(author_->Symlink("symlink", "target"));
  Do(author_->Rename("symlink", "moved"));
  Do(author_->Create("d/a"));
  FrozenCopy copy(Copied(""), records_, false);
  ASSERT_OK(copy.Replay(2));
  copy.KeepCheckpoint();
  copy.Freeze(".");
  ASSERT_OK(copy.Recover(4));
  EXPECT_THAT(copy.Unnamed(real(), false), IsEmpty()) << copy.NamedText();
  copy.ThawAll();
  ASSERT_OK(copy.Recover(4));
  EXPECT_THAT(copy.Unnamed(real(), false), IsEmpty()) << copy.NamedText();
  EXPECT_TRUE(copy.differences().empty()) << copy.NamedText();
}

}  // namespace
}  // namespace hawser::test
