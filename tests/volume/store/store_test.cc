// What each kind of record does to a store, and what is refused.
#include "volume/store/store.h"

#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"
#include "volume/store/checkpoint.h"
#include "volume/store/file_ids.h"
#include "volume/store/rehearsal.h"

namespace hawser {
namespace {

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }
constexpr Timestamp kTime{1'700'000'000'000'000'001};
constexpr Timestamp kLater{1'700'000'001'000'000'002};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::Open({folder_.path(), "group", VolumeName("docs")});
    ASSERT_TRUE(store) << store.error().Text();
    store_ = *std::move(store);
  }

  Status Apply(Body body, std::string_view payload = {}) {
    const Record record{VolumeName("docs"), Generation(1), {NodeName("alpha"), 1, 1}, std::move(body)};
    return store_->Apply(record, AsBytes(payload));
  }
  Create NewFile(std::string_view path, std::uint64_t id) {
    Create create;
    create.file = FileId(id);
    create.path = Path(path);
    create.mode = 0640;
    create.uid = ::geteuid();
    create.gid = ::getegid();
    create.time = kTime;
    return create;
  }
  Create NewFolder(std::string_view path, std::uint64_t id) {
    Create create = NewFile(path, id);
    create.kind = NodeKind::kDirectory;
    create.mode = 0755;
    return create;
  }
  Write NewWrite(std::string_view path, std::uint64_t id, FileState before, std::uint64_t offset,
                 std::uint64_t length) {
    return {FileId(id), Path(path), offset, length, before, kLater, {}};
  }
  struct stat Stat(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::lstat((folder_ / path).c_str(), &info), 0) << path;
    return info;
  }
  bool Exists(const std::string& path) {
    return std::filesystem::exists(std::filesystem::symlink_status(folder_ / path));
  }
  std::string Content(const std::string& path) {
    std::ifstream file(folder_ / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void ExpectDiverged(const Status& status, const std::string& path) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, kStoreDiverged) << status.error().Text();
    EXPECT_NE(status.error().message.find("'" + path + "'"), std::string::npos) << status.error().message;
  }

  test::TempDir folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ANewFileHasItsIdModeOwnerAndTimes) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  const struct stat info = Stat("f");
  EXPECT_EQ(info.st_mode, static_cast<mode_t>(S_IFREG | 0640));
  EXPECT_EQ(Timestamp::From(info.st_mtim), kTime);
  EXPECT_EQ(Timestamp::From(Stat(".").st_mtim), kTime);
  EXPECT_EQ(*ReadFileId(folder_ / "f"), FileId(7));
}

TEST_F(StoreTest, TheProcessUmaskDoesNotMatter) {
  const mode_t before = ::umask(0777);
  const auto file = Apply(NewFile("f", 7));
  const auto folder = Apply(NewFolder("d", 8));
  ::umask(before);
  ASSERT_TRUE(file && folder);
  EXPECT_EQ(Stat("f").st_mode & 07777, 0640U);
  EXPECT_EQ(Stat("d").st_mode & 07777, 0755U);
}

TEST_F(StoreTest, AWriteChangesDataTimeAndMode) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  Write write = NewWrite("f", 7, {0, kTime}, 2, 3);
  write.mode = 0600;
  ASSERT_TRUE(Apply(write, "abc"));
  EXPECT_EQ(Content("f"), std::string("\0\0abc", 5));
  EXPECT_EQ(Timestamp::From(Stat("f").st_mtim), kLater);
  EXPECT_EQ(Stat("f").st_mode & 07777, 0600U);
}

TEST_F(StoreTest, AFileThatSomebodyElseChangedIsNotWritten) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  std::ofstream(folder_ / "f") << "touched";
  ExpectDiverged(Apply(NewWrite("f", 7, {0, kTime}, 0, 3), "abc"), "f");
  EXPECT_EQ(Content("f"), "touched");
}

TEST_F(StoreTest, AnotherFileAtThePathIsNotWritten) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  ExpectDiverged(Apply(NewWrite("f", 8, {0, kTime}, 0, 3), "abc"), "f");
  ExpectDiverged(Apply(NewWrite("missing", 7, {0, kTime}, 0, 3), "abc"), "missing");
}

TEST_F(StoreTest, NothingIsMadeOverWhatIsThere) {
  std::ofstream(folder_ / "f") << "stranger";
  ExpectDiverged(Apply(NewFile("f", 7)), "f");
  EXPECT_EQ(Content("f"), "stranger");
}

TEST_F(StoreTest, ADirectoryWithStrangersIsNotRemoved) {
  ASSERT_TRUE(Apply(NewFolder("d", 7)));
  std::ofstream(folder_ / "d/stranger") << "x";
  ExpectDiverged(Apply(Rmdir{FileId(7), Path("d"), kLater}), "d");
}

TEST_F(StoreTest, ARenameReplacesOnlyWhatTheRecordKnows) {
  ASSERT_TRUE(Apply(NewFile("a", 7)) && Apply(NewFile("b", 8)));
  ExpectDiverged(Apply(Rename{FileId(7), Path("a"), Path("b"), RenameMode::kReplace, {}, kLater}), "b");
  ExpectDiverged(Apply(Rename{FileId(7), Path("a"), Path("b"), RenameMode::kReplace, FileId(9), kLater}),
                 "b");
  ASSERT_TRUE(Apply(Rename{FileId(7), Path("a"), Path("b"), RenameMode::kReplace, FileId(8), kLater}));
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(*ReadFileId(folder_ / "b"), FileId(7));
}

TEST_F(StoreTest, AnExchangeSwaps) {
  ASSERT_TRUE(Apply(NewFile("a", 7)) && Apply(NewFolder("d", 8)));
  ASSERT_TRUE(Apply(Rename{FileId(7), Path("a"), Path("d"), RenameMode::kExchange, FileId(8), kLater}));
  EXPECT_TRUE(S_ISDIR(Stat("a").st_mode));
  EXPECT_TRUE(S_ISREG(Stat("d").st_mode));
}

TEST_F(StoreTest, SymlinksAndSpecialFilesAreValues) {
  Create link;
  link.path = Path("l");
  link.kind = NodeKind::kSymlink;
  link.mode = 0777;
  link.uid = ::geteuid();
  link.gid = ::getegid();
  link.target = "to/nowhere";
  link.time = kTime;
  ASSERT_TRUE(Apply(link));
  EXPECT_EQ(std::filesystem::read_symlink(folder_ / "l"), "to/nowhere");
  EXPECT_EQ(Timestamp::From(Stat("l").st_mtim), kTime);
  Create fifo = link;
  fifo.path = Path("p");
  fifo.kind = NodeKind::kFifo;
  fifo.mode = 0600;
  fifo.target.clear();
  ASSERT_TRUE(Apply(fifo));
  EXPECT_TRUE(S_ISFIFO(Stat("p").st_mode));
  ASSERT_TRUE(Apply(Unlink{kNoFileId, Path("l"), kLater}));
  EXPECT_FALSE(Exists("l"));
}

TEST_F(StoreTest, ASymlinkInAPathIsNotFollowed) {
  test::TempDir outside;
  ASSERT_EQ(::symlink(outside.path().c_str(), (folder_ / "way_out").c_str()), 0);
  ExpectDiverged(Apply(NewFile("way_out/f", 7)), "way_out");
  EXPECT_TRUE(std::filesystem::is_empty(outside.path()));
}

TEST_F(StoreTest, AttributesXattrsAndLinks) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  ASSERT_TRUE(Apply(SetAttr{FileId(7), Path("f"), 0400, {}, {}, {}, kLater}));
  EXPECT_EQ(Stat("f").st_mode & 07777, 0400U);
  EXPECT_EQ(Timestamp::From(Stat("f").st_mtim), kLater);
  ASSERT_TRUE(Apply(SetXattr{FileId(7), Path("f"), "user.k"}, "value"));
  char value[16];
  EXPECT_EQ(::getxattr((folder_ / "f").c_str(), "user.k", value, sizeof value), 5);
  ASSERT_TRUE(Apply(RemoveXattr{FileId(7), Path("f"), "user.k"}));
  ExpectDiverged(Apply(RemoveXattr{FileId(7), Path("f"), "user.k"}), "f");
  ASSERT_TRUE(Apply(Link{FileId(7), Path("f"), Path("g"), kLater}));
  EXPECT_EQ(Stat("g").st_nlink, 2U);
}

TEST_F(StoreTest, TruncateAndPunch) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  ASSERT_TRUE(Apply(Truncate{FileId(7), Path("f"), 65536, {0, kTime}, kLater, {}}));
  EXPECT_EQ(Stat("f").st_size, 65536);
  ASSERT_TRUE(Apply(Allocate{FileId(7),
                             Path("f"),
                             FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             0,
                             4096,
                             {65536, kLater},
                             kLater,
                             {}}));
  EXPECT_EQ(Stat("f").st_size, 65536);
}

TEST_F(StoreTest, PathsDeeperThanOneSystemCallTakes) {
  std::string path;
  std::uint64_t id = 100;
  for (int level = 0; level < 40; ++level) {
    path += (path.empty() ? "" : "/") + std::string(120, 'd');
    ASSERT_TRUE(Apply(NewFolder(path, id++)));
  }
  ASSERT_GT(path.size(), 4096U);
  ASSERT_TRUE(Apply(NewFile(path + "/f", id)));
  EXPECT_TRUE(store_->Stat(Path(path + "/f")));
}

TEST_F(StoreTest, IsTakenByOneProcessAtATime) {
  const auto again = Store::Open({folder_.path(), "group", VolumeName("docs")});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EBUSY);
}

TEST_F(StoreTest, IsNotTakenForAnotherVolume) {
  store_.reset();
  const auto other = Store::Open({folder_.path(), "group", VolumeName("mail")});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("group/docs"), std::string::npos);
  EXPECT_NE(other.error().message.find("holds no files"), std::string::npos);
  EXPECT_TRUE(Store::Open({folder_.path(), "group", VolumeName("docs")}));
}

TEST(StoreOpen, AFolderWithUnknownFilesIsRefused) {
  test::TempDir folder;
  std::ofstream(folder / "precious") << "x";
  const auto store = Store::Open({folder.path(), "group", VolumeName("docs")});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ENOTEMPTY);
  EXPECT_NE(store.error().message.find("precious"), std::string::npos);
}

TEST(StoreOpen, AFilesystemWithoutUserXattrsIsRefused) {
  const auto store = Store::Open({"/proc", "group", VolumeName("docs")});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ENOTSUP) << store.error().Text();
}

TEST_F(StoreTest, RehearsalsTellWhatTheStoreWouldSay) {
  ASSERT_TRUE(Apply(NewFile("f", 7)));
  EXPECT_TRUE(RehearseSetXattr(store_->root_fd(), folder_ / "f", "user.k", AsBytes("v")));
  EXPECT_FALSE(RehearseSetXattr(store_->root_fd(), folder_ / "f", "nonsense.k", AsBytes("v")));
  const auto collapse = RehearseAllocate(store_->root_fd(), 8192, FALLOC_FL_COLLAPSE_RANGE, 1, 4096);
  EXPECT_FALSE(collapse) << "not at a block's boundary";
  EXPECT_FALSE(RehearseSize(store_->root_fd(), INT64_MAX));
}

TEST(CheckpointFile, ComesBackAsWrittenAndDamageIsSaid) {
  test::TempDir folder;
  const std::string path = folder / "checkpoint";
  EXPECT_FALSE(ReadCheckpoint(path)->has_value());
  Checkpoint checkpoint;
  checkpoint.progress.position.journal = JournalId::Random();
  checkpoint.progress.position.sequence = Sequence(12);
  checkpoint.progress.position.group = Group(3);
  checkpoint.progress.position.digest.bytes[15] = std::byte{0xab};
  checkpoint.progress.journal_bytes = 999;
  checkpoint.progress.time = kTime;
  checkpoint.clean = true;
  checkpoint.mark = UINT64_MAX;
  ASSERT_TRUE(WriteCheckpoint(path, checkpoint));
  const auto read = ReadCheckpoint(path);
  ASSERT_TRUE(read && read->has_value());
  EXPECT_EQ((*read)->progress, checkpoint.progress);
  EXPECT_TRUE((*read)->clean);
  EXPECT_EQ((*read)->mark, UINT64_MAX);
  std::ofstream(path) << "{\"journal\": \"short\"}";
  EXPECT_EQ(ReadCheckpoint(path).error().code, EBADMSG);
}

// ---- which checkpoint a store is of

TEST_F(StoreTest, CarriesTheMarksOfItsCheckpoints) {
  EXPECT_EQ(*store_->Marks(), StoreMarks{});
  Position at{JournalId::Random(), Sequence(20), Group(3), {}};
  at.digest.bytes[15] = std::byte{0xab};
  ASSERT_OK(store_->SetMarks({UINT64_MAX, 7, at}));
  EXPECT_EQ(*store_->Marks(), (StoreMarks{UINT64_MAX, 7, at}));
}

TEST_F(StoreTest, MarksThatCannotBeUnderstoodAreSaid) {
  ASSERT_EQ(::setxattr(store_->root_path().c_str(), "user.hawser.checkpoint", "12 34", 5, 0), 0);
  const auto marks = store_->Marks();
  ASSERT_FALSE(marks);
  EXPECT_EQ(marks.error().code, EBADMSG);
  EXPECT_NE(marks.error().message.find(store_->root_path()), std::string::npos) << marks.error().message;
}

TEST(StoreMarks, AStoreIsTheCheckpointsIfItCarriesItsMark) {
  const VolumeName docs("docs");
  Checkpoint checkpoint;
  checkpoint.mark = 5;
  EXPECT_OK(CheckMarks(std::nullopt, {}, docs, "/store"));
  EXPECT_OK(CheckMarks(checkpoint, {5, 4, {}}, docs, "/store"));
  EXPECT_OK(CheckMarks(checkpoint, {6, 5, {}}, docs, "/store"));  // the next one isn't written yet
  for (const StoreMarks& others : {StoreMarks{}, StoreMarks{4, 3, {}}, StoreMarks{7, 6, {}}}) {
    const Status wrong = CheckMarks(checkpoint, others, docs, "/store");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, ESTALE);
    for (const char* said : {"/store", "docs", "put the right one there"})
      EXPECT_NE(wrong.error().message.find(said), std::string::npos) << wrong.error().message;
  }
}

TEST(StoreMarks, AnEmptyFolderIsNotTakenForTheStoreOfACheckpoint) {
  test::TempDir folder;
  StoreOptions options{folder.path(), "demo", VolumeName("docs")};
  options.has_checkpoint = true;
  const auto store = Store::Open(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ESTALE);
  EXPECT_LT(::getxattr(folder.path().c_str(), "user.hawser.id", nullptr, 0), 0);  // nothing was changed
}

TEST(FileIds, AreTheSessionsAndNeverGivenTwice) {
  FileIds ids(2);
  FileIds later(3);
  FileId last;
  for (int i = 0; i < 3; ++i) {
    const auto id = ids.Next();
    ASSERT_TRUE(id);
    EXPECT_GT(*id, last);
    EXPECT_EQ(id->value >> FileIds::kCounterBits, 2U);
    last = *id;
  }
  EXPECT_GT(*later.Next(), last);
  EXPECT_FALSE(FileIds(FileIds::kMaxSession + 1).Next());
}

}  // namespace
}  // namespace hawser
