#include "relay/orders.h"

#include <gmock/gmock.h>

#include "relay/limits.h"

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const NodeName kCharlie("charlie");

class OrderBookTest : public ::testing::Test {
 protected:
  std::optional<OrderState> Ask(std::uint64_t id, const NodeName& node = kCharlie) {
    return orders_.Ask({"demo", node, id, OrderKind::kPause}, now_);
  }
  std::vector<NodeOrder> Of(const NodeName& node) { return orders_.Of(node, now_); }

  OrderBook orders_;
  Deadline now_ = Deadline() + std::chrono::hours(1);
};

TEST_F(OrderBookTest, AnOrderIsItsNodesUntilThatHasSettledIt) {
  EXPECT_FALSE(Ask(5)->settled);
  EXPECT_THAT(Of(kCharlie), ElementsAre(NodeOrder{5, OrderKind::kPause}));
  EXPECT_THAT(Of(NodeName("delta")), IsEmpty());
  const OrderResult result{5, "no", {}};
  orders_.Heard(NodeName("delta"), {result});
  EXPECT_FALSE(Ask(5)->settled);
  orders_.Heard(kCharlie, {{6, "", {}}, result});
  EXPECT_TRUE(Ask(5)->settled);
  EXPECT_EQ(Ask(5)->result, result);
}

TEST_F(OrderBookTest, AnOrderIsForgottenOnceNobodyAsksForIt) {
  for (int i = 0; i < 3; ++i) {
    (void)Ask(5);
    now_ += kOrderIsKept;
    EXPECT_EQ(Of(kCharlie).size(), 1U);
  }
  now_ += std::chrono::milliseconds(1);
  EXPECT_THAT(Of(kCharlie), IsEmpty());
}

TEST_F(OrderBookTest, ThereIsRoomForSoManyAndForThoseAfterThem) {
  for (std::uint64_t id = 1; id <= kMostOrders; ++id) EXPECT_TRUE(Ask(id));
  EXPECT_FALSE(Ask(kMostOrders + 1));
  EXPECT_TRUE(Ask(1));
  now_ += kOrderIsKept + std::chrono::milliseconds(1);
  EXPECT_TRUE(Ask(kMostOrders + 1));
}

}  // namespace
}  // namespace hawser
