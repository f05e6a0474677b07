// `hawser relay` as a process: readiness, signals, and what it says when it cannot start.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RelayCommand : public ProgramTest {
 protected:
  void SetUp() override { WriteConfig(); }

  Process StartRelay() const {
    Process relay = StartHawser({"relay"}, Path("relay.log"));
    EXPECT_TRUE(WaitUntil([&] { return Content(Path("relay.log")).find("ready: ") != std::string::npos; }))
        << Content(Path("relay.log"));
    return relay;
  }
};

TEST_F(RelayCommand, EndsCleanlyOnTermAndInt) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Process relay = StartRelay();
    EXPECT_EQ(Hawser({"status"}).exit, 0);
    relay.Signal(signal);
    const auto exit = relay.Wait();
    ASSERT_TRUE(exit) << exit.error().Text();
    EXPECT_EQ(*exit, 0) << Content(Path("relay.log"));
    EXPECT_THAT(Content(Path("relay.log")), HasSubstr("stopped"));
  }
}

TEST_F(RelayCommand, SecondRelayIsRefused) {
  const Process relay = StartRelay();
  const ProgramResult second = Hawser({"relay"});
  EXPECT_EQ(second.exit, 3);
  EXPECT_THAT(second.err, HasSubstr("\nhawser: relay: "));
  EXPECT_EQ(Hawser({"status"}).exit, 0) << "the first one goes on";
}

TEST_F(RelayCommand, CheckKnowsTheGroupsOwnRelay) {
  const Process relay = StartRelay();
  const ProgramResult check = Hawser({"check", "--relay"});
  EXPECT_EQ(check.exit, 0) << check.out;
  EXPECT_THAT(check.out,
              HasSubstr("in use by the group's relay, hawser (process " + std::to_string(relay.pid()) + ")"));
}

TEST_F(RelayCommand, DamagedJournalIsSaidWithExitCodeThree) {
  StartRelay().Signal(SIGKILL);
  const auto listed = Hawser({"journal", "list"});
  ASSERT_EQ(listed.exit, 0) << listed.err;
  // The journal's folder holds something, but nothing that is a journal any more.
  ASSERT_EQ(RunCommand(
                {"sh", "-c",
                 "for f in relay/*; do [ -s $f ] && printf garbage | dd of=$f conv=notrunc 2>&1; done; true"},
                folder())
                ->exit,
            0);
  const ProgramResult result = Hawser({"relay"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("\nhawser: relay: "), HasSubstr(Path("relay"))));
}

}  // namespace
}  // namespace hawser::test
