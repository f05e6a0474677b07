// A store that refused a journaled record, wholly or in part, and replicas that took it or didn't: after the
// remedy all are the same.
#include "fuse_primary/remedy.h"

#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"
#include "tests/support/tree_compare.h"
#include "volume/store/redo.h"

namespace hawser {
namespace {

constexpr FileId kFile{100};
constexpr FileId kFolder{101};
constexpr Timestamp kBefore{1'700'000'000'000'000'001};
constexpr Timestamp kNow{1'700'000'001'000'000'002};

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }
const FileState kTenBytes{10, kBefore};

class RemedyTest : public testing::Test {
 protected:
  void SetUp() override {
    full_ = OpenStore(full_folder_);
    replica_ = OpenStore(replica_folder_);
    for (Store* store : {full_.get(), replica_.get()}) {
      Apply(*store, NewNode(kFile, "f", NodeKind::kRegular));
      Apply(*store, NewNode(kFolder, "d", NodeKind::kDirectory));
      Apply(*store, Write{kFile, Path("f"), 0, 10, {0, kBefore}, kBefore, {}}, "0123456789");
      Apply(*store, SetAttr{kRootFileId, {}, {}, {}, {}, {}, kBefore});
    }
  }

  static std::unique_ptr<Store> OpenStore(const test::TempDir& folder) {
    auto store = Store::Open({folder.path(), "group", VolumeName("docs")});
    EXPECT_TRUE(store) << store.error().Text();
    return *std::move(store);
  }
  static Record Named(Body body) {
    return {VolumeName("docs"), Generation(1), {NodeName("alpha"), 1, 1}, std::move(body)};
  }
  static void Apply(Store& store, Body body, std::string_view payload = {}) {
    const Record record = Named(std::move(body));
    const Status applied = store.Apply(record, AsBytes(payload));
    ASSERT_TRUE(applied) << Describe(record) << ": " << applied.error().Text();
  }
  static Create NewNode(FileId id, std::string_view path, NodeKind kind) {
    Create create;
    create.file = id;
    create.path = Path(path);
    create.kind = kind;
    create.mode = 0755;
    create.uid = ::geteuid();
    create.gid = ::getegid();
    create.time = kBefore;
    if (kind == NodeKind::kSymlink) create.target = "f";
    return create;
  }

  // Only the replica has taken the record. Then the remedy twice, so that the second time it meets a replica
  // that is right already.
  void Refuse(Body body, std::string_view payload = {}) {
    ASSERT_NO_FATAL_FAILURE(Apply(*replica_, body, payload));
    const auto before = test::CompareTrees(full_folder_.path(), replica_folder_.path());
    ASSERT_TRUE(before && !before->equal()) << "nothing to remedy";
    for (const char* time : {"took it", "had not taken it"}) {
      Mend(body);
      const auto after = test::CompareTrees(full_folder_.path(), replica_folder_.path());
      ASSERT_TRUE(after) << after.error().Text();
      EXPECT_TRUE(after->equal()) << "a replica that " << time << ": " << after->Text();
    }
  }

  void Mend(const Body& refused) {
    records_ = 0;
    bool ended = false;
    const Status remedied = Remedy(*full_, Named(refused), Sequence(7),
                                   [&](const Body& remedy, const Payload& content, RemedyOf of) {
                                     ++records_;
                                     EXPECT_EQ(of.refused, Sequence(7));
                                     EXPECT_FALSE(std::exchange(ended, of.last));
                                     return RedoOne(*replica_, Named(remedy), content.bytes());
                                   });
    ASSERT_TRUE(remedied) << remedied.error().Text();
    EXPECT_TRUE(ended);
  }

  // What an application in part left in the full store.
  void WriteInPart(std::uint64_t offset, std::string_view content) {
    std::fstream file(full_folder_ / "f", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << content;
  }

  test::TempDir full_folder_;
  test::TempDir replica_folder_;
  std::unique_ptr<Store> full_;
  std::unique_ptr<Store> replica_;
  int records_ = 0;
};

TEST_F(RemedyTest, WriteThatWasNotDoneAtAll) {
  Refuse(Write{kFile, Path("f"), 5, 10, kTenBytes, kNow, {}}, "abcdefghij");
}

TEST_F(RemedyTest, WriteThatWasDoneInPart) {
  WriteInPart(5, "abcdefg");
  Refuse(Write{kFile, Path("f"), 5, 10, kTenBytes, kNow, {}}, "abcdefghij");
}

TEST_F(RemedyTest, WriteFarBehindTheEnd) {
  Refuse(Write{kFile, Path("f"), 1 << 20, 3, kTenBytes, kNow, {}}, "abc");
}

TEST_F(RemedyTest, WriteThatWouldHaveClearedSetuid) {
  for (Store* store : {full_.get(), replica_.get()})
    Apply(*store, SetAttr{kFile, Path("f"), 04755, {}, {}, {}, {}});
  Refuse(Write{kFile, Path("f"), 0, 3, kTenBytes, kNow, 0755}, "abc");
}

TEST_F(RemedyTest, TruncateToMoreAndToLess) {
  Refuse(Truncate{kFile, Path("f"), 5000, kTenBytes, kNow, {}});
  Refuse(Truncate{kFile, Path("f"), 4, kTenBytes, kNow, {}});
}

TEST_F(RemedyTest, AllocationAndZeroedRange) {
  Refuse(Allocate{kFile, Path("f"), 0, 0, 8192, kTenBytes, kNow, {}});
  Refuse(Allocate{kFile, Path("f"), FALLOC_FL_KEEP_SIZE, 0, 8192, kTenBytes, kNow, {}});
  Refuse(Allocate{kFile, Path("f"), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 4, kTenBytes, kNow, {}});
}

TEST_F(RemedyTest, LongRangeComesInSeveralRecords) {
  const std::string content(3 << 20, 'x');
  for (Store* store : {full_.get(), replica_.get()})
    Apply(*store, Write{kFile, Path("f"), 0, content.size(), kTenBytes, kBefore, {}}, content);
  const FileState before{content.size(), kBefore};
  Refuse(Allocate{
      kFile, Path("f"), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, content.size(), before, kNow, {}});
  EXPECT_EQ(records_, 4);  // and the size before them
}

TEST_F(RemedyTest, NewNodesOfEachKind) {
  for (const NodeKind kind :
       {NodeKind::kRegular, NodeKind::kDirectory, NodeKind::kSymlink, NodeKind::kFifo}) {
    const bool has_id = kind == NodeKind::kRegular || kind == NodeKind::kDirectory;
    Create create = NewNode(has_id ? FileId(200) : kNoFileId, "d/new", kind);
    create.time = kNow;
    Refuse(create);
  }
}

TEST_F(RemedyTest, Link) { Refuse(Link{kFile, Path("f"), Path("d/g"), kNow}); }

TEST_F(RemedyTest, RenameWithinAFolderAndBetweenFolders) {
  Refuse(Rename{kFile, Path("f"), Path("g"), RenameMode::kReplace, {}, kNow});
  Refuse(Rename{kFile, Path("f"), Path("d/g"), RenameMode::kReplace, {}, kNow});
}

TEST_F(RemedyTest, Attributes) {
  Refuse(SetAttr{kFile, Path("f"), 0600, ::geteuid(), ::getegid(), {}, kNow});
}

TEST_F(RemedyTest, XattrThatWasThereAndThatWasNot) {
  Refuse(SetXattr{kFile, Path("f"), "user.colour"}, "blue");
  for (Store* store : {full_.get(), replica_.get()})
    Apply(*store, SetXattr{kFile, Path("f"), "user.colour"}, "red");
  Refuse(SetXattr{kFile, Path("f"), "user.colour"}, "blue");
  Refuse(RemoveXattr{kFile, Path("f"), "user.colour"});
}

TEST_F(RemedyTest, XattrOfADirectory) {
  Refuse(SetXattr{kFolder, Path("d"), "user.colour"}, std::string(3000, 'x'));
  Refuse(SetAttr{kFolder, Path("d"), 0700, {}, {}, {}, kNow});
}

TEST_F(RemedyTest, RenameOverAnotherFileBringsThatBackWithItsContent) {
  for (Store* store : {full_.get(), replica_.get()}) {
    Apply(*store, NewNode(FileId(300), "d/g", NodeKind::kRegular));
    Apply(*store, Write{FileId(300), Path("d/g"), 8192, 4, {0, kBefore}, kBefore, {}}, "gggg");
    Apply(*store, SetXattr{FileId(300), Path("d/g"), "user.colour"}, "green");
    Apply(*store, SetAttr{FileId(300), Path("d/g"), 04711, {}, {}, kBefore, kBefore});
  }
  Refuse(Rename{kFile, Path("f"), Path("d/g"), RenameMode::kReplace, FileId(300), kNow});
}

TEST_F(RemedyTest, Exchange) {
  Refuse(Rename{kFile, Path("f"), Path("d"), RenameMode::kExchange, kFolder, kNow});
}

TEST_F(RemedyTest, RenameThatTookPlaceButForTheTimes) {
  const Rename rename{kFile, Path("f"), Path("d/g"), RenameMode::kReplace, {}, kNow};
  Apply(*full_, rename);
  Apply(*full_, SetAttr{kFolder, Path("d"), {}, {}, {}, {}, kBefore});
  Refuse(rename);
}

TEST_F(RemedyTest, RemovalOfEachKindOfNode) {
  for (const NodeKind kind :
       {NodeKind::kRegular, NodeKind::kDirectory, NodeKind::kSymlink, NodeKind::kFifo}) {
    const bool is_value = kind != NodeKind::kRegular && kind != NodeKind::kDirectory;
    const FileId id = is_value ? kNoFileId : FileId(200 + static_cast<std::uint64_t>(kind));
    const StorePath path = Path("d/old" + std::to_string(static_cast<int>(kind)));
    for (Store* store : {full_.get(), replica_.get()}) {
      Apply(*store, NewNode(id, path.text(), kind));
      Apply(*store, SetAttr{kFolder, Path("d"), {}, {}, {}, {}, kBefore});
    }
    if (kind == NodeKind::kDirectory) {
      Refuse(Rmdir{id, path, kNow});
    } else {
      Refuse(Unlink{id, path, kNow});
    }
  }
}

TEST_F(RemedyTest, RemovalOfAFileWithHolesAndOfOneOfSeveralNames) {
  Apply(*full_, Write{kFile, Path("f"), 3 << 20, 4, kTenBytes, kBefore, {}}, "tail");
  Apply(*replica_, Write{kFile, Path("f"), 3 << 20, 4, kTenBytes, kBefore, {}}, "tail");
  Refuse(Unlink{kFile, Path("f"), kNow});
  for (Store* store : {full_.get(), replica_.get()})
    Apply(*store, Link{kFile, Path("f"), Path("d/g"), kBefore});
  Refuse(Unlink{kFile, Path("f"), kNow});
}

TEST_F(RemedyTest, ControlRecordHasNone) {
  const auto journal = [](const Body&, const Payload&, RemedyOf) -> Status { return {}; };
  EXPECT_FALSE(Remedy(*full_, Named(Mark{"note"}), Sequence(7), journal));
}

}  // namespace
}  // namespace hawser
