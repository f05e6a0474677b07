// What a relay knows after a restart.
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

TEST_F(RecoveryTest, TheSavedStateOfAnotherJournalIsNotUsed) {
  TempDir elsewhere;
  Config other = config_;
  other.relay.journal = elsewhere / "journal";
  other.relay.write_port = other.relay.stream_port = other.relay.control_port = 0;
  { ASSERT_TRUE(Relay::Start(other)); }
  const auto foreign = ReadFile(SavedStatePath(other.relay.journal));
  ASSERT_TRUE(foreign);
  ExpectNothingForgottenAfter([&] { ASSERT_TRUE(WriteFileAtomically(StatePath(), *foreign)); });
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
