// Redo after an end that left anything of what came after the checkpoint.

#include "volume/store/redo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "common/record/kinds.h"
#include "tests/support/ok.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tree_compare.h"
#include "tests/volume/store/random_author.h"
#include "volume/store/acl_names.h"

namespace hawser::test {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Store> OpenStore(const std::string& folder, bool value_ids = true) {
  fs::create_directories(folder);
  auto store =
      Store::Open({.root = folder, .group = "test", .volume = VolumeName("docs"), .value_ids = value_ids});
  EXPECT_OK(store);
  return *std::move(store);
}

// Every node's id by path.
std::map<std::string, std::uint64_t> IdsIn(const std::string& folder) {
  std::map<std::string, std::uint64_t> ids;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const UniqueFd fd(::open(entry.path().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    ids[entry.path().lexically_relative(folder)] = ReadFileId(ProcPath(fd.get()))->value;
  }
  return ids;
}

Status ApplyAll(Store& store, const std::vector<Written>& records, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i)
    HAWSER_TRY(store.Apply(records[i].record, AsBytes(records[i].payload)));
  return {};
}

// Redoes [from, to); stops before `stop` as a crash would.
Status RedoAll(Store& store, const std::vector<Written>& records, std::size_t from, std::size_t to,
               std::optional<std::size_t> stop = {}) {
  Redo redo(store);
  for (std::size_t i = from; i < to; ++i) redo.Expect(records[i].record);
  for (std::size_t i = from; i < to; ++i) {
    if (stop && i >= *stop) return {};
    if (Status applied = redo.Apply(records[i].record, AsBytes(records[i].payload)); !applied) {
      return Error{applied.error().code, "record " + std::to_string(i) + " (" + Describe(records[i].record) +
                                             "): " + applied.error().message};
    }
  }
  return redo.Finish();
}

// What the disk keeps of what was applied after the checkpoint.
enum class Kept {
  kPrefix,        // the process ended: everything up to some record
  kNamesInOrder,  // names up to some record, of the data some
  kAnything,      // any records, as far as they can be done without the others
};

class Disk {
 public:
  // `alive`: the ids in the real tree in the end.
  Disk(Store& store, std::mt19937_64& random, std::set<std::uint64_t> alive)
      : store_(store), random_(random), alive_(std::move(alive)) {}

  void Keep(Kept kept, const std::vector<Written>& records, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const bool lose = Chance(2);
      if (kept == Kept::kAnything && lose) continue;
      if (kept == Kept::kAnything && WouldLoseFile(records[i].record.body)) continue;
      if (kept == Kept::kNamesInOrder && lose && IsData(records[i].record.body)) continue;
      Apply(records[i]);
    }
    if (to < records.size() && Chance(2)) HalfCreate(records[to]);
  }

 private:
  bool Chance(int one_in) { return std::uniform_int_distribution<int>(0, one_in - 1)(random_) == 0; }

  static bool IsData(const Body& body) {
    const TreeEffect effect = EffectOf(body);
    return effect == TreeEffect::kContent || effect == TreeEffect::kAttributes;
  }

  // On the node that is meant if its path holds it, whatever it was like before.
  void Apply(const Written& written) {
    UniqueFd pin;
    std::visit(
        [&](const auto& r) {
          if constexpr (requires {
                          r.file;
                          r.path;
                        }) {
            if (!IsData(written.record.body)) return;
            auto fd = store_.Pin(r.path);
            if (fd && *ReadFileId(ProcPath(fd->get())) == r.file) pin = *std::move(fd);
          }
        },
        written.record.body);
    if (IsData(written.record.body) ? !pin : !AreParentsInPlace(written)) return;
    static_cast<void>(store_.Apply(written.record, AsBytes(written.payload), {.orphan = pin.get()}));
    if (Chance(4) && AreParentsInPlace(written)) LoseTimes(written.record);
  }

  bool AreParentsInPlace(const Written& written) const {
    const auto is = [&](const StorePath& path, FileId id) {
      const auto fd = store_.Pin(path.Parent());
      return fd && *ReadFileId(ProcPath(fd->get())) == id;
    };
    return std::visit(
        [&](const auto& r) {
          if constexpr (requires { r.path; }) {
            if (!is(r.path, written.parent)) return false;
          }
          if constexpr (requires { r.new_path; }) return is(r.new_path, written.new_parent);
          return true;
        },
        written.record.body);
  }

  // Without the other names that records before this one have made, this one would take the last.
  bool WouldLoseFile(const Body& body) const {
    const auto is_last = [&](const StorePath& path, FileId id) {
      const auto info = store_.Stat(path);
      return alive_.contains(id.value) && id != kNoFileId && info && !S_ISDIR(info->st_mode) &&
             info->st_nlink == 1;
    };
    if (const auto* unlink = std::get_if<Unlink>(&body)) return is_last(unlink->path, unlink->file);
    const auto* rename = std::get_if<Rename>(&body);
    return rename != nullptr && rename->mode != RenameMode::kExchange && rename->replaced &&
           is_last(rename->new_path, *rename->replaced);
  }

  // The record's change is there, the times that go with it are not.
  void LoseTimes(const Record& record) {
    const timespec times[2] = {{0, UTIME_OMIT}, {12345, 678}};
    std::visit(Overloaded{
                   [&](const OneOf<Write, Truncate> auto& r) { SetTimes(r.path, times); },
                   [&](const OneOf<Create, Unlink, Rename> auto& r) { SetTimes(r.path.Parent(), times); },
                   [](const OneOf<Allocate, Link, Rmdir, SetAttr, SetXattr, RemoveXattr> auto&) {},
                   [](const ControlKind auto&) {},
               },
               record.body);
  }

  void SetTimes(const StorePath& path, const timespec times[2]) {
    if (const auto fd = store_.Pin(path)) ::utimensat(fd->get(), "", times, AT_EMPTY_PATH);
  }

  // Made, but not marked with its id.
  void HalfCreate(const Written& written) {
    const auto* create = std::get_if<Create>(&written.record.body);
    if (create == nullptr || create->file == kNoFileId || store_.Stat(create->path)) return;
    if (!AreParentsInPlace(written)) return;
    const std::string path = store_.root_path() + "/" + create->path.text();
    if (create->kind == NodeKind::kDirectory) {
      ::mkdir(path.c_str(), 0700);
    } else if (create->kind == NodeKind::kSymlink) {
      static_cast<void>(::symlink(create->target.c_str(), path.c_str()));
    } else if (create->kind == NodeKind::kFifo) {
      ::mkfifo(path.c_str(), 0600);
    } else {
      UniqueFd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600));
    }
  }

  Store& store_;
  std::mt19937_64& random_;
  const std::set<std::uint64_t> alive_;
};

std::string Story(const std::vector<Written>& records, std::size_t checkpoint, std::size_t applied) {
  std::string story;
  for (std::size_t i = checkpoint; i < records.size(); ++i) {
    story += (i == checkpoint ? "checkpoint\n" : "") + std::to_string(i) + " " + Describe(records[i].record) +
             (i + 1 == applied ? "\nnothing after this was applied\n" : "\n");
  }
  return story;
}

std::uint64_t FirstSeed() {
  const char* seed = std::getenv("HAWSER_REDO_SEED");
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1;
}

int Trials() {
  const char* trials = std::getenv("HAWSER_REDO_TRIALS");
  return trials != nullptr ? std::atoi(trials) : 150;
}

struct Remains {
  Kept kept;
  bool value_ids;  // of symlinks and special files
  bool xfs = false;
};

class RedoPropertyTest : public ::testing::TestWithParam<Remains> {
 protected:
  void SetUp() override {
    if (!GetParam().xfs) return;
    if (!SmallDisk::Available()) GTEST_SKIP() << "this user can't mount a disk here";
    auto disk = SmallDisk::Make(temp_ / "image", temp_ / "mount", 320 * kMiB, {"mkfs.xfs", "-q", "-f"});
    ASSERT_OK(disk);
    disk_ = *std::move(disk);
  }
  // Gone with the next one's.
  std::string EmptyFolder() const {
    const std::string folder = disk_ ? disk_->folder() + "/trial" : temp_ / "trial";
    fs::remove_all(folder);
    fs::create_directories(folder);
    return folder;
  }

 private:
  TempDir temp_{"hawser-redo-"};
  std::unique_ptr<SmallDisk> disk_;
};

// Set HAWSER_REDO_SEED and HAWSER_REDO_TRIALS to replay or to go on for longer.
TEST_P(RedoPropertyTest, AnyRemainsBecomeTheRealTree) {
  for (std::uint64_t seed = FirstSeed(); seed < FirstSeed() + static_cast<std::uint64_t>(Trials()); ++seed) {
    SCOPED_TRACE("HAWSER_REDO_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t bound) {
      return std::uniform_int_distribution<std::size_t>(0, bound)(random);
    };
    const fs::path temp = EmptyFolder();
    fs::create_directories(temp / "real");
    Author author(temp / "real", "docs", GetParam().value_ids);
    // Values without an id are told apart by names being kept in order.
    RandomAuthor changes(author, seed, GetParam().kept != Kept::kAnything);
    std::vector<Written> records;
    const std::size_t count = 20 + below(60);
    for (std::size_t i = 0; i < count; ++i) records.push_back(changes.Next());

    const std::size_t checkpoint = below(count);
    const std::size_t applied = checkpoint + below(count - checkpoint);
    const auto store = OpenStore(temp / "copy", GetParam().value_ids);
    ASSERT_OK(ApplyAll(*store, records, 0, checkpoint));
    std::set<std::uint64_t> alive;
    for (const auto& [path, id] : IdsIn(temp / "real")) alive.insert(id);
    Disk(*store, random, std::move(alive)).Keep(GetParam().kept, records, checkpoint, applied);
    if (below(3) == 0)
      ASSERT_OK(RedoAll(*store, records, checkpoint, count, checkpoint + below(count - checkpoint)));
    const Status redone = RedoAll(*store, records, checkpoint, count);
    ASSERT_TRUE(redone) << redone.error().Text() << "\n" << Story(records, checkpoint, applied);

    const auto report = CompareTrees(temp / "real", temp / "copy");
    ASSERT_OK(report);
    ASSERT_TRUE(report->equal()) << report->Text() << "\n" << Story(records, checkpoint, applied);
    ASSERT_EQ(IdsIn(temp / "real"), IdsIn(temp / "copy"));
  }
}

INSTANTIATE_TEST_SUITE_P(Redo, RedoPropertyTest,
                         ::testing::Values(Remains{Kept::kPrefix, true}, Remains{Kept::kNamesInOrder, true},
                                           Remains{Kept::kAnything, true}, Remains{Kept::kPrefix, false},
                                           Remains{Kept::kNamesInOrder, false},
                                           Remains{Kept::kAnything, false},
                                           Remains{Kept::kPrefix, true, true},
                                           Remains{Kept::kAnything, true, true}),
                         [](const auto& test) {
                           const Kept kept = test.param.kept;
                           return std::string(kept == Kept::kPrefix         ? "ProcessEnded"
                                              : kept == Kept::kNamesInOrder ? "NamesInOrderDataLost"
                                                                            : "AnySubset") +
                                  (test.param.value_ids ? "" : "WithoutIdsOfValues") +
                                  (test.param.xfs ? "OnXfs" : "");
                         });

// Single situations that are worth a name.
class RedoTest : public ::testing::Test {
 protected:
  RedoTest() {
    fs::create_directories(temp_ / "real");
    author_.emplace(temp_ / "real", "docs");
    copy_ = OpenStore(temp_ / "copy");
  }

  // Everything up to here is on the copy's disk.
  void Checkpoint() {
    ASSERT_OK(ApplyAll(*copy_, records_, checkpoint_, records_.size()));
    checkpoint_ = records_.size();
  }
  // A file has its second name on the copy already, and its first one is another's.
  void ApplyWhatNeedsRedosFolder() {
    Do(author_->Create("d", NodeKind::kDirectory));
    Checkpoint();
    Do(author_->Create("d/a"));
    Do(author_->Rename("d/a", "d/b"));
    Do(author_->Create("d/a"));
    ApplyToCopy(3);
  }
  void Do(Written written) { records_.push_back(std::move(written)); }
  void ApplyToCopy(std::size_t count) {
    ASSERT_OK(ApplyAll(*copy_, records_, checkpoint_, checkpoint_ + count));
  }
  std::string Copy(const std::string& path) const { return temp_ / ("copy/" + path); }

  void RedoAndCompare() {
    const Status redone = RedoAll(*copy_, records_, checkpoint_, records_.size());
    ASSERT_OK(redone);
    const auto report = CompareTrees(temp_ / "real", temp_ / "copy");
    ASSERT_OK(report);
    EXPECT_TRUE(report->equal()) << report->Text();
    EXPECT_EQ(IdsIn(temp_ / "real"), IdsIn(temp_ / "copy"));
  }

  TempDir temp_;
  std::optional<Author> author_;
  std::unique_ptr<Store> copy_;
  std::vector<Written> records_;
  std::size_t checkpoint_ = 0;
};

TEST_F(RedoTest, FileWrittenAsideAndRenamedOverManyTimes) {
  Do(author_->Create("current"));
  Checkpoint();
  for (int i = 0; i < 5; ++i) {
    Do(author_->Create("tmp"));
    Do(author_->Write("tmp", 0, "version " + std::to_string(i)));
    Do(author_->Rename("tmp", "current"));
  }
  ApplyToCopy(14);
  RedoAndCompare();
}

// The end came between making redo's own folder and setting the root's times again: no record does that.
TEST_F(RedoTest, EndInsideOfRedoLeavesTheRootsTimes) {
  ApplyWhatNeedsRedosFolder();
  ASSERT_OK(RedoAll(*copy_, records_, checkpoint_, records_.size(), checkpoint_ + 1));
  ASSERT_TRUE(fs::exists(Copy(".hawser.redo"))) << "this redo needs no folder of its own";
  const timespec now[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  ASSERT_EQ(::utimensat(AT_FDCWD, Copy("").c_str(), now, 0), 0);
  RedoAndCompare();
}

// ext4 has one block for them.
TEST_F(RedoTest, RootWhoseXattrsLeaveNoRoom) {
  ApplyWhatNeedsRedosFolder();
  int failed = 0;
  for (const std::size_t size : {500, 10}) {
    failed = 0;
    for (int i = 0; i < 400 && failed == 0; ++i) {
      const std::string name = "user." + std::to_string(size) + "." + std::to_string(i);
      const std::string value(size, 'x');
      failed = ::setxattr(Copy("").c_str(), name.c_str(), value.data(), size, 0);
      if (failed == 0) {
        ASSERT_EQ(::setxattr((temp_ / "real").c_str(), name.c_str(), value.data(), size, 0), 0);
      }
    }
  }
  if (failed == 0) GTEST_SKIP() << "xattrs have all the room that they like here";
  RedoAndCompare();
}

// A default ACL that the directory got later isn't inherited, and one that it had is, whatever the disk has.
TEST_F(RedoTest, NewNodesHaveTheAclsOfTheirTime) {
  Do(author_->Create("d", NodeKind::kDirectory));
  Checkpoint();
  Do(author_->Create("d/before"));
  Do(author_->SetDefaultAcl("d", 6));
  Do(author_->Create("d/after"));
  Do(author_->Create("d/below", NodeKind::kDirectory));
  Do(author_->RemoveXattr("d", kDefaultAcl));
  Do(author_->Create("d/last"));
  // The directory's ACL has reached the disk, and of the nodes only the names.
  ASSERT_OK(copy_->Apply(records_[2].record, AsBytes(records_[2].payload)));
  for (const std::string name : {"d/after", "d/below"}) {
    if (name == "d/below") {
      ASSERT_EQ(::mkdir(Copy(name).c_str(), 0755), 0);
    } else {
      std::ofstream(Copy(name)).flush();
    }
    for (const char* acl : {kAccessAcl, kDefaultAcl}) ::removexattr(Copy(name).c_str(), acl);
  }
  RedoAndCompare();
}

TEST_F(RedoTest, RotatedLogsMoveUpOneByOne) {
  for (const std::string name : {"log", "log.1", "log.2"}) {
    Do(author_->Create(name));
    Do(author_->Write(name, 0, name));
  }
  Checkpoint();
  Do(author_->Rename("log.1", "log.2"));
  Do(author_->Rename("log", "log.1"));
  Do(author_->Create("log"));
  ApplyToCopy(3);
  RedoAndCompare();
}

TEST_F(RedoTest, DirectoriesThatChangedPlacesAboveAndBelow) {
  Do(author_->Create("a", NodeKind::kDirectory));
  Do(author_->Create("b", NodeKind::kDirectory));
  Do(author_->Create("a/in", NodeKind::kDirectory));
  Checkpoint();
  Do(author_->Rename("b", "a/in/b"));
  Do(author_->Create("a/in/b/f"));
  Do(author_->Rename("a/in/b", "b"));
  Do(author_->Rename("a", "b/a"));
  Do(author_->Create("b/a/in/g"));
  ApplyToCopy(5);
  RedoAndCompare();
}

TEST_F(RedoTest, WriteReachesFileThatLostTheNameItWasWrittenBy) {
  Do(author_->Create("a"));
  Do(author_->Link("a", "other"));
  Checkpoint();
  Do(author_->Write("a", 0, "written before the name went"));
  Do(author_->Unlink("a"));
  ASSERT_EQ(::unlink(Copy("a").c_str()), 0);  // of both, the disk kept the second
  RedoAndCompare();
}

TEST_F(RedoTest, NamesOfOneFifoStayOneNode) {
  if (!copy_->keeps_value_ids()) GTEST_SKIP() << "this process may not set trusted xattrs";
  Do(author_->Create("a", NodeKind::kFifo));
  Do(author_->Create("b", NodeKind::kFifo));
  Do(author_->Link("a", "a2"));
  Do(author_->Link("b", "b2"));
  Checkpoint();
  Do(author_->Rename("a", "b", RenameMode::kExchange));
  Do(author_->Rename("a2", "c"));
  Do(author_->Rename("b2", "a2"));
  ApplyToCopy(2);
  RedoAndCompare();
}

TEST_F(RedoTest, FileWithoutIdIsAdopted) {
  Checkpoint();
  Do(author_->Create("new"));
  Do(author_->Create("folder", NodeKind::kDirectory));
  std::ofstream(Copy("new"));
  ASSERT_EQ(::mkdir(Copy("folder").c_str(), 0700), 0);
  RedoAndCompare();
}

TEST_F(RedoTest, SymlinkSwitchedToAnotherTarget) {
  Do(author_->Symlink("current", "v1"));
  Checkpoint();
  for (int i = 2; i < 5; ++i) {
    Do(author_->Symlink("new", "v" + std::to_string(i)));
    Do(author_->Rename("new", "current"));
  }
  ApplyToCopy(5);
  RedoAndCompare();
}

TEST_F(RedoTest, CollapsedRangeIsNotCollapsedTwice) {
  Do(author_->Create("f"));
  Do(author_->Write("f", 0, std::string(4096, 'a') + std::string(4096, 'b') + std::string(4096, 'c')));
  Checkpoint();
  Do(author_->Allocate("f", FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
  EXPECT_TRUE(NeedsCheckpoint(records_.back().record.body));
  ApplyToCopy(1);
  RedoAndCompare();
}

TEST_F(RedoTest, FileThatNoRecordAccountsForIsADivergence) {
  Checkpoint();
  Do(author_->Create("new"));
  std::ofstream(Copy("new")) << "somebody's data";
  const Status redone = RedoAll(*copy_, records_, checkpoint_, records_.size());
  ASSERT_FALSE(redone);
  EXPECT_EQ(redone.error().code, kStoreDiverged);
}

TEST_F(RedoTest, FileThatIsMissingWithoutReasonIsADivergence) {
  Do(author_->Create("a"));
  Checkpoint();
  Do(author_->Write("a", 0, "data"));
  ASSERT_EQ(::unlink(Copy("a").c_str()), 0);
  const Status redone = RedoAll(*copy_, records_, checkpoint_, records_.size());
  ASSERT_FALSE(redone);
  EXPECT_EQ(redone.error().code, kStoreDiverged);
}

}  // namespace
}  // namespace hawser::test
