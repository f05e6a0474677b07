#include "node/relay_news.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

class RelayNewsTest : public testing::Test {
 protected:
  static std::string Text(const std::optional<log::Line>& line) {
    return line ? (line->bad ? "bad: " : "good: ") + line->text : "";
  }
  std::string Reported(bool answered) { return Text(news_.Reported(answered, now_)); }
  std::string Waiting(std::size_t changes, std::uint64_t answered, std::uint64_t refused = 0) {
    return Text(news_.Waiting({changes, answered, refused}, now_));
  }

  Deadline now_ = Deadline() + 1h;
  RelayNews news_{"tcp://relay:7403", true};
};

TEST_F(RelayNewsTest, SilenceAndReturnAreSaidOnce) {
  EXPECT_EQ(Reported(true), "");
  now_ += 2s;
  EXPECT_EQ(Reported(false),
            "bad: the relay at tcp://relay:7403 doesn't answer (last heard of 2.0 s ago); it is asked again "
            "and again: see "
            "whether it runs, and whether this machine reaches it");
  now_ += 2s;
  EXPECT_EQ(Reported(false), "");
  now_ += 8s;
  EXPECT_EQ(Reported(true), "good: the relay at tcp://relay:7403 answers again after 12.0 s");
  EXPECT_EQ(Reported(true), "");
}

TEST_F(RelayNewsTest, ChangesThatWaitAreSaidAtGrowingIntervals) {
  EXPECT_EQ(Waiting(1, 7), "");
  now_ += 1s;
  EXPECT_EQ(Waiting(3, 7), "");
  now_ += 1s;
  EXPECT_EQ(Waiting(3, 7), "bad: 3 changes wait for the relay's answer, for 2.0 s by now");
  now_ += 5s;
  EXPECT_EQ(Waiting(3, 7), "");
  now_ += 1s;
  EXPECT_EQ(Waiting(1, 7), "bad: 1 change waits for the relay's answer, for 8.0 s by now");
  now_ += 23s;
  EXPECT_EQ(Waiting(1, 7), "");
  now_ += 1s;
  EXPECT_NE(Waiting(1, 7), "");
  EXPECT_EQ(Waiting(0, 8), "good: changes go on after 32.0 s");
  EXPECT_EQ(Waiting(0, 8), "");
}

TEST_F(RelayNewsTest, ThatChangesAreRefusedIsSaidAtOnceAndHowManyLater) {
  EXPECT_EQ(Waiting(0, 7, 5), "");
  EXPECT_EQ(Waiting(2, 7, 5), "");
  now_ += 1s;
  EXPECT_EQ(Waiting(2, 7, 6),
            "bad: 2 changes wait for the relay's answer, for 1.0 s by now; others are refused, 1 so far");
  now_ += 1s;
  EXPECT_EQ(Waiting(2, 7, 900), "");
  now_ += 2s;
  EXPECT_EQ(Waiting(2, 7, 1000),
            "bad: 2 changes wait for the relay's answer, for 4.0 s by now; others are refused, 995 so far");
  now_ += 1s;
  EXPECT_EQ(Waiting(0, 9, 1001), "good: changes go on after 5.0 s; 996 were refused meanwhile");
  EXPECT_EQ(Waiting(0, 9, 1001), "");
}

TEST_F(RelayNewsTest, ChangesThatWereRefusedBetweenTwoReportsAreSaid) {
  EXPECT_EQ(Waiting(1, 7, 0), "");
  now_ += 1s;
  EXPECT_EQ(Waiting(0, 8, 3), "good: changes go on after 1.0 s; 3 were refused meanwhile");
}

TEST_F(RelayNewsTest, ChangesThatAreAnsweredDoNotWait) {
  for (std::uint64_t answered = 0; answered < 100; ++answered) {
    EXPECT_EQ(Waiting(16, answered), "");
    now_ += 1s;
  }
}

}  // namespace
}  // namespace hawser
