// Promotions by a whole relay: what nodes report, what the journal says in the end, and what becomes of the
// former primary's calls (I6).
#include <gmock/gmock.h>

#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kAttempt = 77;

class PromotionTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    for (const NodeName& node : {kAlpha, kBravo, kCharlie}) ASSERT_TRUE(SayHello(node, 1));
    head_ = SayHello(kAlpha, 1)->head;
  }

  static VolumeReport Of(const VolumeName& volume, ReplicaRole role, const Progress& applied,
                         std::uint64_t generation = 0, std::uint64_t held_for = 0) {
    VolumeReport report{volume, role, ReplicaState::kLive, applied, applied, ""};
    report.generation = Generation(generation);
    report.held_for = held_for;
    return report;
  }
  Overview Report(const NodeName& node, std::vector<VolumeReport> volumes) {
    const auto overview = SendReport(node, head_, std::move(volumes));
    EXPECT_TRUE(overview) << overview.error().Text();
    return overview ? *overview : Overview{};
  }
  // The primaries as they are at first.
  Overview ReportAlpha(std::uint64_t held_for = 0) {
    return Report(kAlpha, {Of(kDocs, ReplicaRole::kPrimary, head_, 1, held_for)});
  }
  Overview ReportBravo(std::uint64_t held_for = 0) {
    return Report(kBravo, {Of(kMail, ReplicaRole::kPrimary, head_, 1, held_for)});
  }
  // One that can't be asked to stop.
  void ReportAlphaDiverged() {
    VolumeReport docs = Of(kDocs, ReplicaRole::kPrimary, head_, 1);
    docs.state = ReplicaState::kDiverged;
    Report(kAlpha, {docs});
  }
  // The copies, that have applied all up to `head_`.
  Overview ReportCharlie() {
    return Report(kCharlie,
                  {Of(kDocs, ReplicaRole::kSecondary, head_), Of(kMail, ReplicaRole::kSecondary, head_)});
  }
  Overview ReportCharlieServes() {
    return Report(kCharlie,
                  {Of(kDocs, ReplicaRole::kPrimary, head_, 2), Of(kMail, ReplicaRole::kSecondary, head_)});
  }
  void ReportAll() {
    ReportAlpha();
    ReportBravo();
    ReportCharlie();
  }

  Promotion Promote(const std::vector<VolumeName>& volumes = {kDocs}, const std::string& group = "demo") {
    const Buffer body = Encode(PromotionOrder{group, kAttempt, kCharlie, volumes, 30'000});
    const auto reply = Ask(config_.relay.ControlEndpoint(), MessageType::kPromote, {body});
    if (!reply || reply->type() != MessageType::kPromotion) {
      ADD_FAILURE() << "no promotion";
      return {};
    }
    const auto promotion = Decode<Promotion>(reply->part(0));
    EXPECT_TRUE(promotion);
    return *promotion;
  }
  void AwaitJournaled(const std::vector<VolumeName>& volumes = {kDocs}) {
    AwaitThat("the journal names charlie", [&] {
      const Promotion now = Promote(volumes);
      return now.settled || (!now.volumes.empty() && now.volumes[0].generation == Generation(2));
    });
  }
  Ack Write(Primary& primary, const std::string& payload) {
    const auto ack = primary.Write(payload);
    EXPECT_TRUE(ack) << ack.error().Text();
    if (!ack) return {};
    head_ = ack->group;
    return *ack;
  }

  Progress head_;  // that the nodes know of
};

TEST_F(PromotionTest, APlannedPromotionEndToEnd) {
  Primary alpha = MakePrimary();
  Write(alpha, "before");
  ReportAll();
  EXPECT_FALSE(Promote().settled);
  EXPECT_THAT(ReportBravo().holds, IsEmpty());
  ASSERT_THAT(ReportAlpha().holds, ElementsAre(Hold{kDocs, kAttempt}));
  const Ack last = Write(alpha, "was under way");
  ReportAlpha(kAttempt);
  EXPECT_EQ(Promote().volumes[0].generation, Generation(0)) << "charlie lacks the last one";
  ReportCharlie();
  AwaitJournaled();

  const Promotion now = Promote();
  EXPECT_FALSE(now.settled);
  EXPECT_EQ(now.volumes[0].from, "alpha");
  EXPECT_EQ(now.volumes[0].acknowledged, last.sequence);
  EXPECT_TRUE(now.volumes[0].planned);
  const Overview told = ReportAlpha(kAttempt);
  EXPECT_THAT(told.holds, IsEmpty());
  EXPECT_EQ(told.volumes[0], (VolumeFact{kDocs, kCharlie, Generation(2), last.sequence}));
  const Received promoted = ReadJournal().back();
  EXPECT_EQ(promoted.record.generation, Generation(2));
  EXPECT_EQ(std::get<hawser::Promote>(promoted.record.body),
            (hawser::Promote{kCharlie, kAlpha, last.sequence, true, kAttempt}));

  const auto late = alpha.Write("late");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ToErrno(RefusalCode::kFenced));
  Primary charlie = PrimaryOf(kCharlie, kDocs);
  charlie.set_generation(2);
  Write(charlie, "first of the new primary");
  ReportCharlieServes();
  EXPECT_TRUE(Promote().settled);
  EXPECT_EQ(Promote().problem, "");
}

// While the flush of earlier ones goes on, the promotion is decided and a later batch arrives: both are there
// when the writer looks up.
TEST_F(PromotionTest, ABatchThatComesWithAPromotionIsFencedAndThoseBeforeAreAnswered) {
  ReportAll();
  ReportAlphaDiverged();
  flushes_.Hold();
  Result<Ack> first = Error{EIO, "not asked"};
  std::thread earlier([&] { first = MakePrimary().Write("earlier"); });
  flushes_.AwaitHeld();
  EXPECT_EQ(Promote().progress, "the relay writes it into its journal");
  Result<Ack> second = Error{EIO, "not asked"};
  std::thread later([&] { second = MakePrimary(0, 2).Write("later"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that it is there, mostly
  flushes_.Release();
  earlier.join();
  later.join();
  ASSERT_TRUE(first) << first.error().Text();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ToErrno(RefusalCode::kFenced)) << second.error().Text();
  AwaitJournaled();
  EXPECT_EQ(Promote().volumes[0].acknowledged, first->sequence);
  EXPECT_FALSE(Promote().volumes[0].planned);
  const auto journal = ReadJournal();
  EXPECT_TRUE(std::holds_alternative<hawser::Promote>(journal.back().record.body));
}

// Whatever the writers do meanwhile: behind the promote record the journal holds nothing of the generation
// before, and all that was acknowledged stands before it.
TEST_F(PromotionTest, NothingOfAnOlderGenerationComesBehindAPromotionUnderLoad) {
  ReportAll();
  std::atomic<bool> wrote = false;
  std::vector<Sequence> acknowledged;
  std::thread writer([&] {
    Primary alpha = MakePrimary();
    while (true) {
      const auto ack = alpha.Write("x");
      if (!ack) return;
      acknowledged.push_back(ack->sequence);
      wrote.store(acknowledged.size() >= 20);
    }
  });
  AwaitThat("alpha writes", [&] { return wrote.load(); });
  ReportAlphaDiverged();
  ReportCharlie();
  Promote();
  writer.join();
  AwaitJournaled();
  const Sequence last = Promote().volumes[0].acknowledged;
  std::size_t found = 0;
  bool promoted = false;
  Group of_promotion;
  for (const Received& received : ReadJournal()) {
    if (received.record.volume != kDocs) continue;
    if (received.record.generation == Generation(2)) {
      promoted = true;
      of_promotion = received.group;
      EXPECT_EQ(received.sequence, Next(last));
    } else if (received.record.origin.node == kAlpha) {
      EXPECT_FALSE(promoted);
      ++found;
    }
  }
  EXPECT_TRUE(promoted);
  for (const Received& received : ReadJournal())
    EXPECT_TRUE(received.group != of_promotion || received.record.generation == Generation(2));
  EXPECT_EQ(found, acknowledged.size());
}

TEST_F(PromotionTest, VolumesOfAnAttemptStandInOneGroup) {
  ReportAll();
  Promote({kDocs, kMail});
  ReportAlpha();
  ReportBravo();
  ReportAlpha(kAttempt);
  ReportBravo(kAttempt);
  ReportCharlie();
  AwaitJournaled({kDocs, kMail});
  const auto journal = ReadJournal();
  const Received& docs = journal[journal.size() - 2];
  const Received& mail = journal[journal.size() - 1];
  EXPECT_EQ(docs.group, mail.group);
  EXPECT_EQ(docs.record.volume, kDocs);
  EXPECT_EQ(mail.record.volume, kMail);
  EXPECT_EQ(std::get<hawser::Promote>(mail.record.body).acknowledged,
            std::get<hawser::Promote>(docs.record.body).acknowledged);
}

TEST_F(PromotionTest, APrimaryThatFallsSilentIsFailedOver) {
  ReportAll();
  Promote();
  AwaitThat("alpha is silent", [&] {
    ReportBravo();
    ReportCharlie();
    return Promote().volumes[0].generation == Generation(2);
  });
  EXPECT_FALSE(Promote().volumes[0].planned);
}

TEST_F(PromotionTest, AJournaledPromotionIsKnownAfterARestart) {
  ReportAll();
  ReportAlphaDiverged();
  Promote();
  AwaitJournaled();
  Restart();
  const Promotion again = Promote();
  ASSERT_EQ(again.volumes.size(), 1U);
  EXPECT_EQ(again.volumes[0].from, "alpha");
  EXPECT_EQ(again.volumes[0].generation, Generation(2));
  const auto late = MakePrimary().Write("late");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ToErrno(RefusalCode::kFenced));
  head_ = SayHello(kCharlie, 1)->head;
  ReportCharlieServes();
  EXPECT_TRUE(Promote().settled);
  EXPECT_EQ(Promote().problem, "");
}

TEST_F(PromotionTest, WithoutRoomForTheRecordThePrimaryStays) {
  ReportAll();
  ReportAlphaDiverged();
  flushes_.Fill(true);
  AwaitThat("it is settled", [&] { return Promote().settled; });
  EXPECT_THAT(Promote().problem, HasSubstr("alpha stays primary"));
  flushes_.Fill(false);
  Primary alpha = MakePrimary();
  Write(alpha, "goes on");
}

TEST_F(PromotionTest, IfTheJournalFailsNobodyKnows) {
  ReportAll();
  ReportAlphaDiverged();
  flushes_.Fail();
  AwaitThat("it is settled", [&] { return Promote().settled; });
  EXPECT_THAT(Promote().problem, HasSubstr("it isn't known whether node charlie was promoted"));
}

TEST_F(PromotionTest, AnotherGroupsWishIsRefused) {
  const Buffer body = Encode(PromotionOrder{"other", kAttempt, kCharlie, {}, 1000});
  const auto reply = Ask(config_.relay.ControlEndpoint(), MessageType::kPromote, {body});
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->type(), MessageType::kRefusal);
  EXPECT_EQ(Decode<Refusal>(reply->part(0))->code, RefusalCode::kOtherGroup);
}

}  // namespace
}  // namespace hawser::test
