// A store that refuses a journaled record, and a relay that answers when the test says so: nobody waits for
// the remedy beyond its time, and nothing that depends on it comes before it.
#include "fuse_primary/funnel.h"

#include <gtest/gtest.h>
#include <linux/falloc.h>

#include <future>

#include "common/record/codec.h"
#include "tests/fuse_primary/held_relay.h"
#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::HeldRelay;
using test::kPatience;
using test::WaitUntil;
using Numbers = HeldRelay::Numbers;

constexpr FileId kFile{100};

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }

// A call in a thread of its own.
struct Call {
  std::unique_ptr<std::atomic<bool>> killed = std::make_unique<std::atomic<bool>>(false);
  std::future<Status> outcome;

  int Errno() {
    if (outcome.wait_for(kPatience) != std::future_status::ready) return ETIME;
    const Status status = outcome.get();
    return status ? 0 : status.error().code;
  }
};

class Parcel : public Shipment {
 public:
  explicit Parcel(const void* owner)
      : Shipment(owner, {VolumeName("mail"), Generation(1), {}, Mark{"left behind"}}, {}) {}
  void FinishAlone(const Answer&) override { finished = true; }
  std::atomic<bool> finished = false;
};

class FunnelTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::Open({folder_.path(), "group", VolumeName("docs")});
    ASSERT_TRUE(store) << store.error().Text();
    volume_ = std::make_unique<Volume>(*std::move(store));
    Create create;
    create.file = kFile;
    create.path = Path("f");
    create.kind = NodeKind::kRegular;
    create.mode = 0644;
    create.uid = ::geteuid();
    create.gid = ::getegid();
    ASSERT_TRUE(volume_->store().Apply({VolumeName("docs"), Generation(1), {}, create}, {}));
  }
  // In this order: End() of one that still waits for a remedy is part of each test that fails.
  void TearDown() override {
    if (funnel_ != nullptr) funnel_->End();
    shipper_.Forget(this);
  }

  void Begin(OnRelayLoss on_relay_loss) {
    VolumeConfig config;
    config.on_relay_loss = on_relay_loss;
    config.timeout = 300ms;
    funnel_ = std::make_unique<Funnel>(*volume_, shipper_, config, Generation(1), Progress{},
                                       [this](const Setback&) { ++setbacks_; });
  }

  static std::vector<Answer> TakeAll(const Numbers& numbers, int) {
    std::vector<Answer> answers;
    for (const std::uint64_t number : numbers) {
      Progress group;
      group.position.group = Group(number);
      group.position.sequence = Sequence(number);
      answers.push_back(Ack{Sequence(number), group, false});
    }
    return answers;
  }

  Call Change(Body body) {
    Call call;
    call.outcome = std::async(std::launch::async, [this, body = std::move(body), killed = call.killed.get()] {
      Mutation mutation;
      mutation.locks = [] { return LockSet{{7}, {}, std::nullopt}; };
      mutation.decide = [&] { return std::optional(Decision{body, nullptr, nullptr}); };
      mutation.cancel = killed;
      mutation.came = SteadyClock::now();
      return funnel_->Mutate(mutation);
    });
    return call;
  }
  // The store, whatever its filesystem, takes no such range.
  Call ChangeThatIsRefused() {
    return Change(Allocate{kFile, Path("f"), FALLOC_FL_COLLAPSE_RANGE, 1, 1, State(), Now(), {}});
  }
  Call ChangeThatIsTaken() { return Change(Truncate{kFile, Path("f"), 3, State(), Now(), {}}); }
  FileState State() const {
    struct stat info {};
    EXPECT_EQ(::stat((folder_ / "f").c_str(), &info), 0);
    return StateOf(info);
  }

  // As if the relay were away: what it says of these makes no sense.
  template <std::uint64_t kLastTaken>
  static std::vector<Answer> TakeUntil(const Numbers& numbers, int nth) {
    return numbers.front() <= kLastTaken ? TakeAll(numbers, nth) : std::vector<Answer>();
  }
  bool AwaitOnItsWay(std::uint64_t number) {
    return WaitUntil([&] { return !relay_.batches().empty() && relay_.batches().back().back() == number; });
  }
  // Everything is in the journal and in the store, and the next change takes place.
  void ExpectAllSettled() {
    relay_.AnswerNow(TakeAll);
    EXPECT_TRUE(WaitUntil([&] { return funnel_->applied().idle(); }));
    EXPECT_TRUE(WaitUntil([&] { return ChangeThatIsTaken().Errno() == 0; }));
    EXPECT_EQ(State().size, 3U);
    EXPECT_EQ(setbacks_, 0);
  }

  test::TempDir folder_;
  std::unique_ptr<Volume> volume_;
  NetContext context_;
  HeldRelay relay_;
  KnownHead known_;
  Shipper shipper_{context_, relay_.endpoint(), NodeName("alpha"), 3, known_};
  std::atomic<int> setbacks_ = 0;
  std::unique_ptr<Funnel> funnel_;
};

TEST_F(FunnelTest, ACallIsAnsweredInItsTimeAlsoIfTheRelayIsLostBeforeItsRemedyIsJournaled) {
  Begin(OnRelayLoss::kFail);
  relay_.AnswerNow(TakeUntil<1>);
  Call refused = ChangeThatIsRefused();
  ASSERT_TRUE(AwaitOnItsWay(2)) << "the remedy";
  EXPECT_EQ(refused.Errno(), kGivenUp);
  EXPECT_EQ(funnel_->unanswered(), 1U);
  EXPECT_EQ(ChangeThatIsTaken().Errno(), kGivenUp) << "nothing that depends on the remedy comes before it";
  EXPECT_EQ(shipper_.records(), 1U);
  EXPECT_EQ(shipper_.refused(), 1U);
  ExpectAllSettled();
}

TEST_F(FunnelTest, ACallerThatIsKilledDoesNotWaitForARemedy) {
  Begin(OnRelayLoss::kBlock);
  relay_.AnswerNow(TakeUntil<1>);
  Call refused = ChangeThatIsRefused();
  ASSERT_TRUE(AwaitOnItsWay(2)) << "the remedy";
  *refused.killed = true;
  EXPECT_EQ(refused.Errno(), EINTR);
  ExpectAllSettled();
}

TEST_F(FunnelTest, WhoWaitsForARemedyGetsTheStoresErrno) {
  Begin(OnRelayLoss::kBlock);
  relay_.AnswerNow(TakeAll);
  const int errno_seen = ChangeThatIsRefused().Errno();
  EXPECT_TRUE(errno_seen == EINVAL || errno_seen == EOPNOTSUPP) << errno_seen;
  EXPECT_EQ(funnel_->unanswered(), 0U);
  ExpectAllSettled();
}

TEST_F(FunnelTest, OtherRecordsWhoseCallersLeftAreFinishedWhileARemedyWaits) {
  Begin(OnRelayLoss::kBlock);
  Call refused = ChangeThatIsRefused();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  const auto other = std::make_shared<Parcel>(this);
  ASSERT_TRUE(shipper_.Queue(other, {}));
  *refused.killed = true;
  EXPECT_EQ(refused.Errno(), EINTR);
  const std::atomic<bool> leaves = true;
  EXPECT_FALSE(shipper_.Await(*other, {std::nullopt, &leaves}));
  relay_.AnswerNow(TakeUntil<2>);
  ASSERT_TRUE(AwaitOnItsWay(3)) << "the remedy";
  EXPECT_TRUE(WaitUntil([&] { return other->finished.load(); }));
  EXPECT_FALSE(funnel_->applied().idle());
  ExpectAllSettled();
}

TEST_F(FunnelTest, AnEndDoesNotWaitForARemedy) {
  Begin(OnRelayLoss::kBlock);
  relay_.AnswerNow(TakeUntil<1>);
  Call refused = ChangeThatIsRefused();
  ASSERT_TRUE(AwaitOnItsWay(2)) << "the remedy";
  funnel_->End();
  EXPECT_EQ(refused.Errno(), kGivenUp);
  EXPECT_FALSE(funnel_->applied().idle()) << "the next start redoes from before it";
  EXPECT_EQ(setbacks_, 0);
}

// ---- held for a promotion

// What began before runs to its end; only then it is said to be held.
TEST_F(FunnelTest, HeldItLetsNoMoreChangesBeginAndThoseUnderWayEnd) {
  Begin(OnRelayLoss::kBlock);
  relay_.AnswerNow(TakeUntil<0>);
  Call before = ChangeThatIsTaken();
  ASSERT_TRUE(AwaitOnItsWay(1));
  funnel_->HoldFor(77);
  EXPECT_EQ(funnel_->held_for(), 0U) << "one is under way";
  relay_.AnswerNow(TakeAll);
  EXPECT_EQ(before.Errno(), 0);
  EXPECT_TRUE(WaitUntil([&] { return funnel_->held_for() == 77; }));

  Call held = ChangeThatIsTaken();
  const std::size_t batches = relay_.batches().size();
  EXPECT_EQ(held.outcome.wait_for(100ms), std::future_status::timeout);
  EXPECT_EQ(relay_.batches().size(), batches);
  EXPECT_EQ(funnel_->held_for(), 77U) << "who waits hasn't begun";
  funnel_->HoldFor(0);
  EXPECT_EQ(held.Errno(), 0);
  EXPECT_EQ(funnel_->held_for(), 0U);
}

TEST_F(FunnelTest, WhoWaitsInAHeldOneIsToldWhenAnotherNodeIsPrimary) {
  Begin(OnRelayLoss::kBlock);
  relay_.AnswerNow(TakeAll);
  funnel_->HoldFor(77);
  Call held = ChangeThatIsTaken();
  EXPECT_EQ(held.outcome.wait_for(50ms), std::future_status::timeout);
  funnel_->StopChanges({EROFS, "bravo is primary of docs now, in generation 2"});
  EXPECT_EQ(held.Errno(), EROFS);
}

TEST_F(FunnelTest, AHeldCallEndsWithItsCallerItsTimeAndTheRole) {
  Begin(OnRelayLoss::kFail);
  relay_.AnswerNow(TakeAll);
  funnel_->HoldFor(77);
  Call killed = ChangeThatIsTaken();
  *killed.killed = true;
  EXPECT_EQ(killed.Errno(), EINTR);
  EXPECT_EQ(ChangeThatIsTaken().Errno(), kGivenUp) << "its timeout";
  Begin(OnRelayLoss::kBlock);
  funnel_->HoldFor(77);
  Call ended = ChangeThatIsTaken();
  EXPECT_EQ(ended.outcome.wait_for(50ms), std::future_status::timeout);
  funnel_->End();
  EXPECT_EQ(ended.Errno(), kGivenUp);
}

}  // namespace
}  // namespace hawser
