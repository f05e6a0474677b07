// Works tell a tree that existed from one that never did. In plain folders: nothing of Hawser takes part.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/crash/work_files.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

class WorksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* volume : {"docs", "mail"}) {
      trees_[volume] = folder_ / volume;
      std::filesystem::create_directories(trees_[volume] + "/" + kWorkFolder);
    }
  }

  // The work of that name after `steps` steps.
  Work& After(const std::string& name, std::uint64_t steps) {
    for (const auto& work : works_) {
      if (work->name() != name) continue;
      for (std::uint64_t n = 1; n <= steps; ++n) EXPECT_OK(work->Step(trees_, n));
      work->Forget();
      return *work;
    }
    ADD_FAILURE() << "no work " << name;
    return *works_.front();
  }

  std::string In(const std::string& path) const { return trees_.at("docs") + "/" + kWorkFolder + "/" + path; }

  void ExpectImpossible(const Work& work) const {
    const auto found = work.Find(trees_);
    ASSERT_FALSE(found) << "found step " << *found;
    EXPECT_EQ(found.error().code, kImpossible) << found.error().Text();
  }

  TempDir folder_{"hawser-works-"};
  Trees trees_;
  const Works works_ = AllWorks();
};

TEST_F(WorksTest, EachFindsTheStepItHasMade) {
  for (const auto& work : works_) {
    const auto none = work->Find(trees_);
    ASSERT_OK(none);
    EXPECT_EQ(*none, 0u) << work->name();
    After(work->name(), 45);
    const auto found = work->Find(trees_);
    ASSERT_OK(found);
    EXPECT_EQ(*found, 45u) << work->name();
  }
}

TEST_F(WorksTest, StepThatIsMadeTwiceIsMadeOnce) {
  for (const auto& work : works_) {
    After(work->name(), 30);
    EXPECT_OK(work->Step(trees_, 30));
    const auto found = work->Find(trees_);
    ASSERT_OK(found);
    EXPECT_EQ(*found, 30u) << work->name();
  }
}

TEST_F(WorksTest, FolderWithNothingMountedIsNotAnEmptyVolume) {
  std::filesystem::remove_all(trees_["docs"] + "/" + kWorkFolder);
  const auto found = After("docs-append", 0).Find(trees_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ENOENT);
}

TEST_F(WorksTest, LineThatIsThereTwiceIsImpossible) {
  const Work& work = After("docs-append", 20);
  std::ofstream(In("append"), std::ios::app) << Numbered(20, 16);
  ExpectImpossible(work);
}

TEST_F(WorksTest, HalfALineIsImpossible) {
  const Work& work = After("docs-append", 20);
  ASSERT_SYSCALL(truncate(In("append").c_str(), 20 * 16 - 3));
  ExpectImpossible(work);
}

TEST_F(WorksTest, BlockThatWasLeftOutIsImpossible) {
  const Work& work = After("docs-blocks", 40);
  // The ring's block of step 39 as it was one turn before.
  std::fstream file(In("blocks"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(39 % 32 * 4096);
  file << Numbered(7, 4096);
  file.close();
  ExpectImpossible(work);
}

TEST_F(WorksTest, HalfABlockIsImpossible) {
  const Work& work = After("docs-blocks", 40);
  std::fstream file(In("blocks"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(39 % 32 * 4096 + 2048);
  file << Numbered(7, 100);
  file.close();
  ExpectImpossible(work);
}

TEST_F(WorksTest, RenameOfTheFolderWithoutTheOneOfTheFileBeforeItIsImpossible) {
  const Work& work = After("docs-rename", 9);
  std::filesystem::rename(In("rename/folder-9"), In("rename/folder-10"));
  ExpectImpossible(work);
}

TEST_F(WorksTest, FolderUnderItsOldAndItsNewNameIsImpossible) {
  const Work& work = After("docs-rename", 9);
  std::filesystem::create_directory(In("rename/folder-8"));
  ExpectImpossible(work);
}

TEST_F(WorksTest, FileThatIsMissingInTheMiddleIsImpossible) {
  const Work& work = After("docs-links", 30);
  std::filesystem::remove(In("links/first-25"));
  ExpectImpossible(work);
}

TEST_F(WorksTest, FileThatShouldBeGoneIsImpossible) {
  const Work& work = After("docs-links", 40);
  std::ofstream(In("links/second-5")) << "again";
  ExpectImpossible(work);
}

TEST_F(WorksTest, DatabaseWithoutItsNewestPageIsImpossible) {
  const Work& work = After("docs-sqlite-delete", 40);
  std::filesystem::resize_file(In("sqlite-delete/db"),
                               std::filesystem::file_size(In("sqlite-delete/db")) - 4096);
  ExpectImpossible(work);
}

TEST_F(WorksTest, DatabaseWithoutTheEndOfItsLogIsAnOlderState) {
  Work& work = After("docs-sqlite-wal", 30);
  ASSERT_OK(work.Step(trees_, 31));  // and stays open: the log is there
  ASSERT_OK(work.Step(trees_, 32));
  const std::string log = In("sqlite-wal/db-wal");
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 100);
  const auto found = work.Find(trees_);
  ASSERT_OK(found);
  EXPECT_EQ(*found, 31u);
}

TEST_F(WorksTest, TokenThatIsAheadInTheSecondVolumeIsImpossible) {
  const Work& work = After("token", 5);
  std::ofstream(trees_["mail"] + "/" + kWorkFolder + "/token") << Numbered(6, 16);
  ExpectImpossible(work);
}

}  // namespace
}  // namespace hawser::test
