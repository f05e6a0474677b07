#include "tests/support/process.h"

#include <gtest/gtest.h>

#include <csignal>

#include "common/base/files.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

TEST(ProcessTest, CommandGivesExitCodeAndOutput) {
  const auto result = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 5"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 5);
  EXPECT_EQ(result->output, "out\nerr\n");
}

TEST(ProcessTest, CommandThatTakesTooLongIsKilled) {
  const auto result = RunCommand({"sleep", "1000"}, "", std::chrono::milliseconds(50));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ETIMEDOUT);
}

TEST(ProcessTest, MissingProgramIsExit127) {
  const auto result = RunCommand({"/nowhere/program"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 127);
}

TEST(ProcessTest, SignalThatEndedItIsTold) {
  const TempDir temp;
  auto process =
      Process::Start({.command = {"sleep", "1000"}, .output = temp / "log", .folder = "", .environment = {}});
  ASSERT_OK(process);
  EXPECT_TRUE(process->running());
  EXPECT_GT(process->ResidentBytes(), 0u);
  process->Signal(SIGTERM);
  const auto exit = process->Wait();
  ASSERT_OK(exit);
  EXPECT_EQ(*exit, 128 + SIGTERM);
}

TEST(ProcessTest, FrozenOneStandsStillFromThenOnEachTime) {
  auto process = Process::Start({.command = {"sh", "-c", "while :; do echo; done"},
                                 .output = "/dev/null",
                                 .folder = "",
                                 .environment = {}});
  ASSERT_OK(process);
  for (int i = 0; i < 100; ++i) {
    process->Freeze();
    const auto stat = ReadFile("/proc/" + std::to_string(process->pid()) + "/stat");
    ASSERT_OK(stat);
    EXPECT_NE(stat->find(" T "), std::string::npos) << *stat;
    process->Signal(SIGCONT);
  }
}

TEST(ProcessTest, ChildIsGoneWithItsOwner) {
  const TempDir temp;
  pid_t child = 0;
  {
    auto process = Process::Start(
        {.command = {"sleep", "1000"}, .output = temp / "log", .folder = "", .environment = {}});
    ASSERT_OK(process);
    child = process->pid();
  }
  EXPECT_EQ(kill(child, 0), -1);
}

}  // namespace
}  // namespace hawser::test
