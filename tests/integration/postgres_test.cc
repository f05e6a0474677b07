// PostgreSQL, its tables on one volume and its log on another, each with a primary of its own: both are lost
// under load, another node takes both over, and no committed transaction is missing there. Then home again.
#include <glob.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

// Where Debian puts the programs, and whom it lets run the server.
std::string PostgresPrograms() {
  glob_t found{};
  std::string folder;
  if (glob("/usr/lib/postgresql/*/bin", 0, nullptr, &found) == 0) folder = found.gl_pathv[found.gl_pathc - 1];
  globfree(&found);
  return folder;
}
constexpr const char* kUser = "postgres";

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: PostgreSQL runs as a user of its own";
    if (programs_.empty()) GTEST_SKIP() << "PostgreSQL isn't installed";
    ASSERT_EQ(chmod(scratch_.path().c_str(), 0777), 0);
    ASSERT_OK(cluster_.Start());
  }

  std::vector<std::string> AsUser(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {
        "setpriv", "--reuid", kUser, "--regid", kUser, "--clear-groups", programs_ + "/" + program};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  Status Run(const std::string& program, const std::vector<std::string>& arguments) {
    return RunSuccessfully(AsUser(program, arguments), scratch_.path());
  }
  std::string Ask(const std::string& sql) {
    const auto result =
        RunCommand(AsUser("psql", {"-h", scratch_.path(), "-XAtq", "-d", "postgres", "-c", sql}));
    EXPECT_OK(result);
    return result ? result->output : "";
  }

  std::string Tables(const std::string& node) { return cluster_.Mount(node, "docs") + "/tables"; }
  std::string Log(const std::string& node) { return cluster_.Mount(node, "mail") + "/log"; }

  // `tables`: the node whose mounts are used; on machines of their own they would have one path.
  void StartServer(const std::string& tables, const std::string& log) {
    std::filesystem::remove(Tables(tables) + "/pg_wal");
    std::filesystem::create_directory_symlink(Log(log), Tables(tables) + "/pg_wal");
    auto server = Process::Start({.command = AsUser("postgres", {"-D", Tables(tables), "-k", scratch_.path(),
                                                                 "-c", "listen_addresses="}),
                                  .output = scratch_ / "server.log",
                                  .folder = scratch_.path(),
                                  .environment = {}});
    ASSERT_OK(server);
    server_.emplace(*std::move(server));
    const auto answers = [&] {
      return static_cast<bool>(RunSuccessfully(AsUser("pg_isready", {"-q", "-h", scratch_.path()})));
    };
    ASSERT_TRUE(WaitUntil(answers)) << Read(scratch_ / "server.log");
  }
  void StopServer() {
    server_->Signal(SIGINT);  // PostgreSQL's fast shutdown
    const auto ended = server_->Wait();
    ASSERT_OK(ended);
    EXPECT_EQ(*ended, 0);
    server_.reset();
  }
  // Each number is printed once its transaction is committed.
  void WriteCommits(const std::string& path, int from, int count) {
    std::ofstream script(path);
    for (int i = from; i < from + count; ++i)
      script << "INSERT INTO commits VALUES (" << i << ", repeat('x', 500));\n\\echo " << i << "\n";
  }
  int LastIn(const std::string& path) {
    std::ifstream in(path);
    int last = 0;
    for (int number = 0; in >> number;) last = number;
    return last;
  }

  const std::string programs_ = PostgresPrograms();
  const TempDir scratch_{"hawser-postgres-"};
  Cluster cluster_;
  std::optional<Process> server_;
};

TEST_F(PostgresTest, NoCommittedTransactionIsMissingAfterAFailover) {
  ASSERT_EQ(mkdir(Tables("alpha").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(Log("bravo").c_str(), 0700), 0);
  ASSERT_OK(RunSuccessfully({"chown", kUser, Tables("alpha"), Log("bravo")}));
  ASSERT_OK(Run("initdb", {"-D", Tables("alpha"), "--waldir", Log("bravo"), "-A", "trust", "--no-sync",
                           "--wal-segsize", "1"}));
  ASSERT_NO_FATAL_FAILURE(StartServer("alpha", "bravo"));
  ASSERT_OK(Run("pgbench", {"-h", scratch_.path(), "-i", "-q", "postgres"}));
  Ask("CREATE TABLE commits (number int PRIMARY KEY, filler text)");

  // Both under load: pgbench, and a client that says what was committed.
  WriteCommits(scratch_ / "commits.sql", 1, 100'000);
  auto bench = Process::Start(
      {.command = AsUser("pgbench", {"-h", scratch_.path(), "-c", "2", "-T", "60", "-n", "postgres"}),
       .output = scratch_ / "bench.log",
       .folder = scratch_.path(),
       .environment = {}});
  ASSERT_OK(bench);
  auto client =
      Process::Start({.command = AsUser("psql", {"-h", scratch_.path(), "-Xq", "-v", "ON_ERROR_STOP=1", "-f",
                                                 scratch_ / "commits.sql", "postgres"}),
                      .output = scratch_ / "committed",
                      .folder = scratch_.path(),
                      .environment = {}});
  ASSERT_OK(client);
  ASSERT_TRUE(WaitUntil([&] { return LastIn(scratch_ / "committed") > 100; }))
      << Read(scratch_ / "committed") << Read(scratch_ / "server.log");
  cluster_.Kill("alpha");
  cluster_.Kill("bravo");
  server_->Signal(SIGKILL);
  (void)server_->Wait();
  server_.reset();
  (void)client->Wait();
  (void)bench->Wait();
  const int committed = LastIn(scratch_ / "committed");

  const auto promoted = cluster_.Hawser({"promote", "charlie"});
  ASSERT_OK(promoted);
  ASSERT_EQ(promoted->exit, 0) << promoted->output;
  std::filesystem::remove(Tables("charlie") + "/postmaster.pid");  // of the server that was killed
  ASSERT_NO_FATAL_FAILURE(StartServer("charlie", "charlie"));
  EXPECT_EQ(Ask("SELECT count(*) FROM commits WHERE number <= " + std::to_string(committed)),
            std::to_string(committed) + "\n");
  EXPECT_OK(Run("pg_amcheck", {"-h", scratch_.path(), "--install-missing", "--heapallindexed", "postgres"}));

  // Home again, by plan, with what was committed meanwhile.
  Ask("INSERT INTO commits VALUES (1000000, 'on charlie')");
  ASSERT_NO_FATAL_FAILURE(StopServer());
  for (const std::string& node : {"alpha", "bravo"}) ASSERT_OK(cluster_.Start(node));
  for (const std::string& node : {"alpha", "bravo"}) {
    const auto home = cluster_.Hawser({"promote", node});
    ASSERT_OK(home);
    ASSERT_EQ(home->exit, 0) << home->output;
  }
  ASSERT_NO_FATAL_FAILURE(StartServer("alpha", "bravo"));
  EXPECT_EQ(Ask("SELECT count(*) FROM commits WHERE number <= " + std::to_string(committed)),
            std::to_string(committed) + "\n");
  EXPECT_EQ(Ask("SELECT filler FROM commits WHERE number = 1000000"), "on charlie\n");
  ASSERT_NO_FATAL_FAILURE(StopServer());
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
