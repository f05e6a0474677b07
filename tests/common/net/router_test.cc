#include "common/net/router.h"

#include <gtest/gtest.h>

#include <zmq.hpp>

#include "common/net/wake.h"
#include "tests/common/net/responder.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Patience;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    auto router = Router::Bind(context_, "tcp://127.0.0.1:*");
    if (router) router_ = *std::move(router);
  }

  Arrival Next() {
    auto arrival = router_->Receive(test::kPatience);
    if (arrival && *arrival) return **std::move(arrival);
    ADD_FAILURE() << "nothing came";
    return {{}, Error{ETIMEDOUT, "nothing"}};
  }

  zmq::socket_t Connect(zmq::socket_type type) {
    zmq::socket_t socket(context_.zmq(), type);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 30'000);
    socket.connect(router_->endpoint());
    return socket;
  }

  NetContext context_;
  std::unique_ptr<Router> router_;
};

TEST_F(RouterTest, AnEndpointInUseIsNamed) {
  auto second = Router::Bind(context_, router_->endpoint());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().message.find(router_->endpoint()), std::string::npos);
}

TEST_F(RouterTest, GarbageIsAnErrorThatCanBeAnswered) {
  zmq::socket_t peer = Connect(zmq::socket_type::req);
  peer.send(zmq::str_buffer("GET / HTTP/1.1"));
  const Arrival arrival = Next();
  ASSERT_FALSE(arrival.message);
  EXPECT_EQ(arrival.message.error().code, EINVAL);
  std::vector<Buffer> parts;
  parts.push_back(Encode(Refusal{RefusalCode::kBadMessage, "no"}));
  router_->Reply(arrival.from, MessageType::kRefusal, std::move(parts));
  zmq::message_t envelope;
  ASSERT_TRUE(peer.recv(envelope));
  EXPECT_EQ(envelope.to_string(), "HW\x08\x05");
}

TEST_F(RouterTest, APeerThatSendsNoDelimiterIsAnsweredWithoutOne) {
  zmq::socket_t peer = Connect(zmq::socket_type::dealer);
  peer.send(zmq::str_buffer("HW\x08\x14"));
  const Arrival arrival = Next();
  ASSERT_TRUE(arrival.message);
  EXPECT_EQ(arrival.message->type(), MessageType::kStatus);
  router_->Reply(arrival.from, MessageType::kStatusText, {});
  zmq::message_t envelope;
  ASSERT_TRUE(peer.recv(envelope));
  EXPECT_EQ(envelope.to_string(), "HW\x08\x15");
}

TEST_F(RouterTest, TheIdOfARequestComesBackWithItsAnswer) {
  zmq::socket_t peer = Connect(zmq::socket_type::req);
  peer.set(zmq::sockopt::req_correlate, 1);  // libzmq drops an answer without the request's id
  peer.send(zmq::str_buffer("HW\x08\x14"));
  const Arrival arrival = Next();
  ASSERT_TRUE(arrival.message);
  EXPECT_FALSE(arrival.from.id.empty());
  router_->Reply(arrival.from, MessageType::kStatusText, {});
  zmq::message_t envelope;
  ASSERT_TRUE(peer.recv(envelope));
  EXPECT_EQ(envelope.to_string(), "HW\x08\x15");
}

TEST_F(RouterTest, AnEmptyMessageIsAnError) {
  zmq::socket_t peer = Connect(zmq::socket_type::dealer);
  peer.send(zmq::message_t(), zmq::send_flags::none);
  EXPECT_FALSE(Next().message);
}

TEST_F(RouterTest, AnAnswerToAPeerThatHasGoneIsDropped) {
  router_->Reply({"nobody", true}, MessageType::kAnswers, {});
  zmq::socket_t peer = Connect(zmq::socket_type::req);
  peer.send(zmq::str_buffer("HW\x08\x14"));
  EXPECT_TRUE(Next().message);
}

TEST_F(RouterTest, AnOversizedPartCostsThePeerItsConnectionAndNobodyElse) {
  zmq::socket_t large = Connect(zmq::socket_type::dealer);
  large.send(zmq::message_t(17 * kMiB), zmq::send_flags::none);
  zmq::socket_t peer = Connect(zmq::socket_type::req);
  peer.send(zmq::str_buffer("HW\x08\x14"));
  const Arrival arrival = Next();
  ASSERT_TRUE(arrival.message);
  EXPECT_EQ(arrival.message->type(), MessageType::kStatus);
}

TEST_F(RouterTest, AWakeEndsTheWait) {
  Wake wake;
  std::thread waker([&wake] { wake.Notify(); });
  const auto begin = SteadyClock::now();
  EXPECT_TRUE(router_->Wait(begin + test::kPatience, wake.fd()));
  EXPECT_LT(SteadyClock::now(), begin + test::kPatience);
  waker.join();
}

}  // namespace
}  // namespace hawser
