// Ordinary programs work in a mount, and what they leave is behind the secondary.
#include <sys/mman.h>

#include <filesystem>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class ProgramsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.Start()); }

  std::string Docs() const { return cluster_.Mount("alpha", "docs"); }
  std::string Copy() const { return cluster_.Mount("charlie", "docs"); }

  void Sqlite(const std::string& journal_mode) {
    const std::string database = Docs() + "/db";
    std::string sql =
        "PRAGMA journal_mode=" + journal_mode + "; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);\n";
    for (int i = 0; i < 60; ++i) {
      sql += "BEGIN; INSERT INTO t(b) VALUES('row " + std::to_string(i) + "'),(hex(randomblob(2000)));";
      sql += i % 5 == 4 ? "ROLLBACK;\n" : "COMMIT;\n";
    }
    Write(Docs() + "/script.sql", sql);
    ASSERT_OK(RunSuccessfully({"sqlite3", database, ".read script.sql"}, Docs()));
    // Integrity, on both sides; the copy is opened as what it is, a file that cannot change.
    for (const std::string& path : {database, Copy() + "/db"}) {
      ASSERT_OK(cluster_.WaitForSecondaries());
      const auto check = RunCommand(
          {"sqlite3", "file:" + path + "?immutable=1", "PRAGMA integrity_check; SELECT count(*) FROM t;"});
      ASSERT_OK(check);
      EXPECT_EQ(check->output, "ok\n96\n") << path;
    }
    EXPECT_OK(cluster_.CompareAllTrees());
  }

  Cluster cluster_;
};

TEST_F(ProgramsTest, SqliteWithARollbackJournal) { Sqlite("DELETE"); }

TEST_F(ProgramsTest, SqliteWithAWriteAheadLog) { Sqlite("WAL"); }

TEST_F(ProgramsTest, GitCommitsAndFindsNothingWrong) {
  const std::string repository = Docs() + "/repository";
  const auto git = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=Test", "-c", "user.email=test@localhost",
                                         "-c", "safe.directory=*", "-C", repository});
    return RunSuccessfully(arguments);
  };
  ASSERT_OK(RunSuccessfully({"git", "init", "-q", repository}));
  for (int commit = 0; commit < 5; ++commit) {
    for (int file = 0; file < 20; ++file)
      Write(repository + "/file" + std::to_string(file),
            "commit " + std::to_string(commit) + std::string(file * 100, 'x'));
    ASSERT_OK(git({"add", "-A"}));
    ASSERT_OK(git({"commit", "-q", "-m", "commit " + std::to_string(commit)}));
  }
  ASSERT_OK(git({"gc", "-q"}));
  ASSERT_OK(git({"fsck", "--strict"}));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_OK(
      RunSuccessfully({"git", "-c", "safe.directory=*", "-C", Copy() + "/repository", "fsck", "--strict"}));
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ProgramsTest, UnpackedProjectIsBuilt) {
  const TempDir outside("hawser-project-");
  const std::string source = outside / "project";
  ASSERT_SYSCALL(mkdir(source.c_str(), 0755));
  std::string main = "#include <stdio.h>\n";
  std::string objects;
  std::string sum;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "part" + std::to_string(i);
    Write(source + "/" + name + ".c", "int " + name + "(void) { return " + std::to_string(i) + "; }\n");
    main += "int " + name + "(void);\n";
    objects += " " + name + ".o";
    sum += " + " + name + "()";
  }
  Write(source + "/main.c", main + "int main(void) { printf(\"%d\\n\", 0" + sum + "); return 0; }\n");
  Write(source + "/Makefile",
        "program: main.o" + objects + "\n\tcc -o $@ $^\n%.o: %.c\n\tcc -O1 -c -o $@ $<\n");
  ASSERT_OK(RunSuccessfully({"tar", "-C", outside.path(), "-czf", outside / "project.tar.gz", "project"}));

  ASSERT_OK(RunSuccessfully({"tar", "-C", Docs(), "-xzf", outside / "project.tar.gz"}));
  ASSERT_OK(RunSuccessfully({"make", "-s", "-j2"}, Docs() + "/project"));
  const auto run = RunCommand({Docs() + "/project/program"});
  ASSERT_OK(run);
  EXPECT_EQ(run->output, "66\n");
  ASSERT_OK(cluster_.WaitForSecondaries());
  const auto copy = RunCommand({Copy() + "/project/program"});
  ASSERT_OK(copy);
  EXPECT_EQ(copy->output, "66\n");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ProgramsTest, RealTreeIsCopiedWithEverything) {
  // A folder of headers: deep enough, with symlinks, and not too large for a test.
  const std::string original = "/usr/include/linux";
  if (!Exists(original)) GTEST_SKIP() << original << " isn't here";
  ASSERT_OK(RunSuccessfully({"cp", "-a", original, Docs() + "/copied"}));
  EXPECT_OK(RunSuccessfully({"diff", "-r", original, Docs() + "/copied"}));
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_OK(RunSuccessfully({"diff", "-r", original, Copy() + "/copied"}));
}

TEST_F(ProgramsTest, MappedFileArrives) {
  constexpr std::size_t kSize = 1 << 20;
  const UniqueFd fd(open((Docs() + "/mapped").c_str(), O_RDWR | O_CREAT, 0644));
  ASSERT_TRUE(fd);
  ASSERT_SYSCALL(ftruncate(fd.get(), kSize));
  auto* map = static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
  ASSERT_NE(map, MAP_FAILED);
  for (std::size_t i = 0; i < kSize; ++i) map[i] = static_cast<char>(i * 7);
  ASSERT_SYSCALL(msync(map, kSize, MS_SYNC));
  munmap(map, kSize);
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::string copy = Read(Copy() + "/mapped");
  ASSERT_EQ(copy.size(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(copy[i], static_cast<char>(i * 7)) << i;
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ProgramsTest, ProgramsOfOtherUsersWork) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const std::string folder = Docs() + "/theirs";
  ASSERT_SYSCALL(mkdir(folder.c_str(), 0700));
  ASSERT_SYSCALL(chown(folder.c_str(), 65534, 65534));
  const auto as_nobody = [&](const std::string& script) {
    return RunCommand({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-ec", script},
                      folder);
  };
  const auto work = as_nobody(
      "echo data > file; sqlite3 db 'CREATE TABLE t(a); INSERT INTO t VALUES(1);'; mkdir sub; cat file");
  ASSERT_OK(work);
  EXPECT_EQ(work->exit, 0) << work->output;
  struct stat info {};
  ASSERT_SYSCALL(stat((folder + "/file").c_str(), &info));
  EXPECT_EQ(info.st_uid, 65534u);
  Write(Docs() + "/secret", "of root");
  ASSERT_SYSCALL(chmod((Docs() + "/secret").c_str(), 0600));
  const auto refused = as_nobody("cat ../secret");
  ASSERT_OK(refused);
  EXPECT_NE(refused->exit, 0);
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ProgramsTest, AclToolsWork) {
  Write(Docs() + "/file", "content");
  ASSERT_OK(RunSuccessfully({"setfacl", "-m", "u:65534:rw,g:60000:r", Docs() + "/file"}));
  ASSERT_SYSCALL(mkdir((Docs() + "/folder").c_str(), 0755));
  ASSERT_OK(RunSuccessfully({"setfacl", "-d", "-m", "u:65534:rwx", Docs() + "/folder"}));
  Write(Docs() + "/folder/inherits", "x");
  const auto acl = RunCommand({"getfacl", "-nc", Docs() + "/folder/inherits"});
  ASSERT_OK(acl);
  EXPECT_NE(acl->output.find("user:65534:rwx"), std::string::npos) << acl->output;
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
