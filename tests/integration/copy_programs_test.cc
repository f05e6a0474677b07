// What docs/CONSISTENCY.md says of programs on a copy, and of overlay on a volume, holds.
#include <sqlite3.h>
#include <sys/inotify.h>
#include <sys/mount.h>

#include <filesystem>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

// A connection. Statements answer with their last row's first column, or with "error: ...".
class Database {
 public:
  explicit Database(const std::string& uri) {
    EXPECT_EQ(sqlite3_open_v2(uri.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
                              nullptr),
              SQLITE_OK);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db_); }

  sqlite3* get() const { return db_; }

  std::string Run(const std::string& sql) const {
    std::string answer;
    const auto take = [](void* into, int count, char** columns, char**) {
      if (count > 0 && columns[0] != nullptr) *static_cast<std::string*>(into) = columns[0];
      return 0;
    };
    if (sqlite3_exec(db_, sql.c_str(), take, &answer, nullptr) == SQLITE_OK) return answer;
    return std::string("error: ") + sqlite3_errmsg(db_);
  }

 private:
  sqlite3* db_ = nullptr;
};

constexpr char kTable[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, pad);"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<3999)"
    "INSERT INTO t SELECT i, 0, hex(zeroblob(100)) FROM n;";

class CopyProgramsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.Start()); }

  std::string Docs(const std::string& name) const { return cluster_.Mount("alpha", "docs") + "/" + name; }
  std::string Copy(const std::string& name) const { return cluster_.Mount("charlie", "docs") + "/" + name; }
  std::string ReadOnly(const std::string& name) const { return "file:" + Copy(name) + "?mode=ro"; }

  // What a copy's reader of `name` sees of column a, in one transaction, before and after the primary changes
  // all of it: once for each value.
  std::vector<int> SeenInOneTransaction(const std::string& name, const Database& primary) {
    const Database reader(ReadOnly(name));
    EXPECT_EQ(reader.Run("PRAGMA cache_size=2; BEGIN;"), "");
    sqlite3_stmt* rows = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(reader.get(), "SELECT a FROM t ORDER BY id", -1, &rows, nullptr), SQLITE_OK);
    std::vector<int> seen;
    for (int row = 0; sqlite3_step(rows) == SQLITE_ROW; ++row) {
      const int value = sqlite3_column_int(rows, 0);
      if (seen.empty() || seen.back() != value) seen.push_back(value);
      if (row != 1000) continue;
      EXPECT_EQ(primary.Run("UPDATE t SET a = a + 1"), "");
      EXPECT_OK(cluster_.WaitForSecondaries());
    }
    sqlite3_finalize(rows);
    return seen;
  }

  Cluster cluster_;
};

TEST_F(CopyProgramsTest, WriteAheadLogIsReadWhileTheWriterHasItOpen) {
  const Database primary(Docs("db"));
  ASSERT_EQ(primary.Run("PRAGMA journal_mode=WAL"), "wal");
  ASSERT_EQ(primary.Run(kTable), "");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Database(ReadOnly("db")).Run("SELECT count(*) FROM t"), "4000");
  EXPECT_EQ(Database(ReadOnly("db")).Run("PRAGMA integrity_check"), "ok");
  // One snapshot, to the end of the transaction; the next transaction shows the next.
  EXPECT_EQ(SeenInOneTransaction("db", primary), std::vector<int>{0});
  EXPECT_EQ(Database(ReadOnly("db")).Run("SELECT sum(a) FROM t"), "4000");
  // immutable=1 reads past the log.
  EXPECT_EQ(Database(ReadOnly("db") + "&immutable=1").Run("SELECT count(*) FROM t"),
            "error: no such table: t");
}

TEST_F(CopyProgramsTest, WriteAheadLogThatIsPutAwayTakesImmutable) {
  {
    const Database primary(Docs("db"));
    ASSERT_EQ(primary.Run("PRAGMA journal_mode=WAL"), "wal");
    ASSERT_EQ(primary.Run(kTable), "");
  }
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_FALSE(Exists(Copy("db-wal")));
  EXPECT_EQ(Database(ReadOnly("db")).Run("SELECT count(*) FROM t"), "error: unable to open database file");
  EXPECT_EQ(Database(ReadOnly("db") + "&immutable=1").Run("SELECT count(*) FROM t"), "4000");
}

TEST_F(CopyProgramsTest, RollbackJournalHoldsNoReaderOfACopyTogether) {
  const Database primary(Docs("db"));
  ASSERT_EQ(primary.Run("PRAGMA journal_mode=DELETE"), "delete");
  ASSERT_EQ(primary.Run(kTable), "");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Database(ReadOnly("db")).Run("SELECT count(*) FROM t"), "4000");
  // Its lock is the copy's own, and holds no replay back.
  EXPECT_EQ(SeenInOneTransaction("db", primary), (std::vector<int>{0, 1}));

  // In the middle of a transaction whose pages have been written.
  ASSERT_EQ(primary.Run("PRAGMA cache_size=2; BEGIN IMMEDIATE; UPDATE t SET a = a + 1;"), "");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Database(ReadOnly("db")).Run("SELECT sum(a) FROM t"),
            "error: attempt to write a readonly database");
  // A copy of both files is what a power cut would have left.
  const TempDir taken;
  for (const char* name : {"db", "db-journal"}) std::filesystem::copy_file(Copy(name), taken / name);
  EXPECT_EQ(Database(taken / "db").Run("SELECT sum(a) FROM t"), "4000");
  EXPECT_EQ(Database(taken / "db").Run("PRAGMA integrity_check"), "ok");
}

TEST_F(CopyProgramsTest, InotifyIsSilentOnACopy) {
  ASSERT_SYSCALL(::mkdir(Docs("folder").c_str(), 0755));
  Write(Docs("folder/file"), "one");
  ASSERT_OK(cluster_.WaitForSecondaries());
  const auto watch = [](const std::string& folder) {
    UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    EXPECT_GE(::inotify_add_watch(events.get(), folder.c_str(), IN_ALL_EVENTS), 0);
    return events;
  };
  const UniqueFd primary = watch(Docs("folder"));
  const UniqueFd copy = watch(Copy("folder"));
  Write(Docs("folder/new"), "x");
  Append(Docs("folder/file"), "two");
  ASSERT_SYSCALL(::rename(Docs("folder/new").c_str(), Docs("folder/newer").c_str()));
  ASSERT_SYSCALL(::unlink(Docs("folder/file").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  char events[4096];
  EXPECT_GT(::read(primary.get(), events, sizeof events), 0);
  EXPECT_EQ(::read(copy.get(), events, sizeof events), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_TRUE(Exists(Copy("folder/newer"))) << "who looks sees it";
}

class OverlayOnAVolumeTest : public CopyProgramsTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting takes root";
    CopyProgramsTest::SetUp();
    for (const char* name : {"lower", "upper", "work", "view"})
      std::filesystem::create_directory(own_ / name);
    if (Overlay(own_ / "lower", own_.path()) != 0) GTEST_SKIP() << "no overlay can be mounted here";
    Unmount();
  }
  void TearDown() override { Unmount(); }

  // An overlay over `lower` with its upper and work folders in `upper`; the errno.
  int Overlay(const std::string& lower, const std::string& upper) const {
    const std::string options =
        "lowerdir=" + lower + ",upperdir=" + upper + "/upper,workdir=" + upper + "/work";
    return ::mount("overlay", (own_ / "view").c_str(), "overlay", 0, options.c_str()) == 0 ? 0 : errno;
  }
  void Unmount() const { ::umount2((own_ / "view").c_str(), MNT_DETACH); }

  const TempDir own_;
};

TEST_F(OverlayOnAVolumeTest, LowerFolderIsFineUpperFolderIsRefused) {
  for (const char* name : {"upper", "work", "lower"}) std::filesystem::create_directory(Docs(name));
  Write(Docs("lower/file"), "from the volume");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Overlay(own_ / "lower", Docs("")), EINVAL);
  for (const std::string& lower : {Docs("lower"), Copy("lower")}) {
    EXPECT_EQ(Overlay(lower, own_.path()), 0) << lower;
    EXPECT_EQ(Read(own_ / "view/file"), "from the volume");
    Unmount();
  }
}

}  // namespace
}  // namespace hawser::test
