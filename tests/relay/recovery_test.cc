// What a relay knows after a restart.
#include <gmock/gmock.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

class RecoveryTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
  }

  std::string StatePath() const { return SavedStatePath(config_.relay.journal); }

  // Writes twice, does `damage` while the relay is down, and expects that nothing is forgotten.
  void ExpectNothingForgottenAfter(const std::function<void()>& damage) {
    Primary alpha = MakePrimary();
    ASSERT_TRUE(alpha.Write("one"));
    const auto before = alpha.Write("two");
    ASSERT_TRUE(before) << before.error().Text();
    relay_.reset();
    damage();
    ASSERT_NO_FATAL_FAILURE(Start());
    const auto again = alpha.Repeat();
    ASSERT_TRUE(again) << again.error().Text();
    EXPECT_EQ(again->sequence, before->sequence);
    EXPECT_EQ(again->group, before->group);
    EXPECT_TRUE(again->repeated);
    const auto next = alpha.Write("three");
    ASSERT_TRUE(next) << next.error().Text();
    EXPECT_EQ(next->sequence, Next(before->sequence));
    EXPECT_EQ(ReadJournal().size(), 2U + 1U + 3U);  // primaries, session, writes
  }

  void ReplaceJournal(const std::string& by) const {
    std::filesystem::remove_all(config_.relay.journal);
    std::filesystem::copy(by, config_.relay.journal, std::filesystem::copy_options::recursive);
  }

  void ExpectRefused(const std::string& why) const {
    const auto started = Relay::Start(config_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, EBADMSG);
    EXPECT_THAT(started.error().message, testing::HasSubstr(why));
    EXPECT_THAT(started.error().message, testing::HasSubstr(config_.relay.journal));
    EXPECT_THAT(started.error().message,
                testing::HasSubstr("put the missing segments or the right journal back"));
  }

  TempDir scratch_;
};

TEST_F(RecoveryTest, TheLastAnswersAreKeptOverARestart) {
  ExpectNothingForgottenAfter([] {});
}

TEST_F(RecoveryTest, WithoutTheSavedStateTheJournalIsEnough) {
  ExpectNothingForgottenAfter([this] { ASSERT_EQ(::unlink(StatePath().c_str()), 0); });
}

TEST_F(RecoveryTest, ADamagedSavedStateIsNotUsed) {
  ExpectNothingForgottenAfter([this] {
    auto content = ReadFile(StatePath());
    ASSERT_TRUE(content);
    (*content)[content->size() / 2] ^= 1;
    ASSERT_TRUE(WriteFileAtomically(StatePath(), *content));
  });
}

TEST_F(RecoveryTest, AnEmptySavedStateIsNotUsed) {
  ExpectNothingForgottenAfter([this] { ASSERT_TRUE(WriteFileAtomically(StatePath(), "")); });
}

TEST_F(RecoveryTest, AnOldSavedStateIsBroughtUpToDateFromTheJournal) {
  const auto old = ReadFile(StatePath());
  ASSERT_TRUE(old);
  ExpectNothingForgottenAfter([&] { ASSERT_TRUE(WriteFileAtomically(StatePath(), *old)); });
}

TEST_F(RecoveryTest, AJournalThatIsNotTheOneOfTheSavedStateIsRefused) {
  TempDir elsewhere;
  Config other = config_;
  other.relay.journal = elsewhere / "journal";
  other.relay.write_port = other.relay.stream_port = other.relay.control_port = 0;
  { ASSERT_TRUE(Relay::Start(other)); }
  relay_.reset();
  std::filesystem::copy_file(SavedStatePath(other.relay.journal), StatePath(),
                             std::filesystem::copy_options::overwrite_existing);
  ExpectRefused("and the relay's was");
}

// What the saved state says stood in the journal: a backup of the segments, or a last one that is lost.
TEST_F(RecoveryTest, AJournalThatEndsBeforeTheSavedStateIsRefusedUntilItIsWhole) {
  const std::string old = scratch_ / "old";
  const std::string right = scratch_ / "right";
  relay_.reset();
  std::filesystem::copy(config_.relay.journal, old, std::filesystem::copy_options::recursive);
  ASSERT_NO_FATAL_FAILURE(Start());
  Primary alpha = MakePrimary();
  const auto written = alpha.Write("acknowledged");
  ASSERT_TRUE(written) << written.error().Text();
  relay_.reset();
  std::filesystem::copy(config_.relay.journal, right, std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(StatePath(), SavedStatePath(old),
                             std::filesystem::copy_options::overwrite_existing);
  ReplaceJournal(old);
  ExpectRefused("1 records are missing");
  ExpectRefused("1 records are missing");  // a start that was refused changed nothing
  ReplaceJournal(right);
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto again = alpha.Repeat();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->sequence, written->sequence);
}

TEST_F(RecoveryTest, AJournalWithoutSegmentsBesideASavedStateIsRefused) {
  relay_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(config_.relay.journal))
    if (entry.path().extension() == ".hwj") std::filesystem::remove(entry.path());
  ExpectRefused("and the relay's was");
}

TEST_F(RecoveryTest, WithoutTheSavedStateAPersonMayGoOnWithWhatIsThere) {
  relay_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(config_.relay.journal))
    if (entry.path().extension() == ".hwj") std::filesystem::remove(entry.path());
  ASSERT_EQ(::unlink(StatePath().c_str()), 0);
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_TRUE(SayHello(kAlpha, 1));
}

TEST_F(RecoveryTest, AnEndedSessionStaysEndedThoughTheNewOneWroteNothing) {
  Primary old = MakePrimary();
  ASSERT_TRUE(old.Write("one"));
  ASSERT_TRUE(SayHello(kAlpha, 2));
  Restart();
  const auto refused = old.Write("two");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ToErrno(RefusalCode::kOldSession)) << refused.error().Text();
  EXPECT_TRUE(MakePrimary().Write("new"));
}

// A primary that may not start never reports: what its hello has told is shown all the same.
TEST_F(RecoveryTest, WhatARefusedHelloKnowsOfIsShownAsMissing) {
  const auto welcome = SayHello(kAlpha, 1);
  ASSERT_TRUE(welcome) << welcome.error().Text();
  Hello ahead = HelloOf(kAlpha, 2);
  ahead.known = welcome->head.position;
  ahead.known.group = Group(ahead.known.group.value + 5);
  ahead.known.sequence = Sequence(ahead.known.sequence.value + 7);
  EXPECT_FALSE(SayHello(ahead));
  const nlohmann::json status = AskStatus();
  EXPECT_EQ(status["relay"]["state"], "went_back") << status;
  EXPECT_NE(std::string(status["nodes"]["alpha"]["problem"]).find("records are missing"), std::string::npos);
  // Who begins with what there is ends it.
  Hello right = HelloOf(kAlpha, 3);
  right.known = welcome->head.position;
  EXPECT_TRUE(SayHello(right));
  EXPECT_EQ(AskStatus()["relay"]["state"], "live");
}

TEST_F(RecoveryTest, AVolumeThatIsNewInTheConfigGetsItsPrimary) {
  relay_.reset();
  config_.volumes[VolumeName("more")].primary = kBravo;
  config_.nodes[kBravo].volumes[VolumeName("more")];
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto welcome = SayHello(kBravo, 1);
  ASSERT_TRUE(welcome) << welcome.error().Text();
  ASSERT_EQ(welcome->volumes.size(), 3U);
  EXPECT_EQ(welcome->volumes[2], (VolumeFact{VolumeName("more"), kBravo, Generation(1)}));
  EXPECT_EQ(welcome->head.position.group, Group(4));  // primaries, a session, a primary, a session
}

TEST_F(RecoveryTest, ThePrimaryIsWhoTheJournalSaysNotTheConfig) {
  relay_.reset();
  config_.volumes[kDocs].primary = kCharlie;
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(AskStatus()["volumes"]["docs"]["primary"], "alpha");
}

TEST_F(RecoveryTest, ASecondRelayOnTheSameJournalIsRefused) {
  Config other = config_;
  other.relay.write_port = other.relay.stream_port = other.relay.control_port = 0;
  const auto second = Relay::Start(other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY) << second.error().Text();
}

TEST_F(RecoveryTest, APortInUseIsNamed) {
  TempDir elsewhere;
  Config other = config_;
  other.relay.journal = elsewhere / "journal";
  const auto second = Relay::Start(other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().message.find(config_.relay.WriteEndpoint()), std::string::npos)
      << second.error().message;
}

TEST_F(RecoveryTest, StoppingTwiceIsHarmless) {
  relay_->Stop();
  relay_->Stop();
}

}  // namespace
}  // namespace hawser::test
