#include "node/orders.h"

#include <gmock/gmock.h>

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeOrder kPause{5, OrderKind::kPause};
constexpr NodeOrder kResume{6, OrderKind::kResume};

class OrdersTest : public ::testing::Test {
 protected:
  void Take(const std::vector<NodeOrder>& listed) {
    orders_.Take(listed, [this](OrderKind kind) {
      begun_.push_back(kind);
      return problem_;
    });
  }
  static Progress At(std::uint64_t group) {
    Progress at;
    at.position.group = Group(group);
    return at;
  }

  Orders orders_;
  std::vector<OrderKind> begun_;
  std::string problem_;
};

TEST_F(OrdersTest, AnOrderIsBegunOnceHoweverOftenItIsListed) {
  for (int i = 0; i < 3; ++i) Take({kPause});
  EXPECT_THAT(begun_, ElementsAre(OrderKind::kPause));
}

TEST_F(OrdersTest, APauseIsSettledWhereReplayStoodFirst) {
  Take({kPause});
  EXPECT_THAT(orders_.Settled(false, At(3)), IsEmpty());
  EXPECT_THAT(orders_.Settled(true, At(4)), ElementsAre(OrderResult{5, "", At(4)}));
  Take({kPause});
  EXPECT_THAT(orders_.Settled(false, At(9)), ElementsAre(OrderResult{5, "", At(4)}));
}

TEST_F(OrdersTest, AResumeIsSettledAtOnceAndGivesUpThePausesThatHadNotStood) {
  Take({kPause});
  Take({kPause, kResume});
  EXPECT_THAT(orders_.Settled(false, At(3)),
              ElementsAre(OrderResult{5, "it was resumed before it stood", {}}, OrderResult{6, "", At(3)}));
}

TEST_F(OrdersTest, WhatCanNotBeBegunIsSettledWithTheReason) {
  problem_ = "no copies";
  Take({kPause});
  EXPECT_THAT(orders_.Settled(true, At(3)), ElementsAre(OrderResult{5, "no copies", {}}));
}

TEST_F(OrdersTest, AnOrderThatIsNoLongerListedIsForgotten) {
  Take({kPause});
  Take({});
  EXPECT_THAT(orders_.Settled(true, At(3)), IsEmpty());
}

}  // namespace
}  // namespace hawser
