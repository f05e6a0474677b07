// What peers send that no ZeroMQ socket would: none of them costs more than it may, and the others go on.
#include <gtest/gtest.h>

#include <deque>

#include "common/net/publisher.h"
#include "common/net/requester.h"
#include "common/net/subscriber.h"
#include "tests/common/net/responder.h"
#include "tests/support/raw_peer.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Patience;
using test::RawPeer;

// Far more than any limit; without one all of it would be taken.
constexpr std::uint64_t kFarTooMuch = 2 * kGiB;
constexpr std::uint64_t kFarTooManyTiny = 64 * kMiB;  // each part of two bytes costs the receiver 64

std::uint16_t PortOf(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

std::string Repeat(const std::string& part, std::size_t bytes) {
  std::string repeated;
  while (repeated.size() < bytes) repeated += part;
  return repeated;
}

bool Await(const std::function<bool()>& condition) {
  const Deadline deadline = Patience();
  while (!condition()) {
    if (SteadyClock::now() >= deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class PeerWatchTest : public testing::Test {
 protected:
  bool IsAnswered(Requester& requester) {
    const Buffer part = test::ToBuffer("ping");
    return static_cast<bool>(requester.Request(MessageType::kStatus, {part}, Patience()));
  }

  test::Responder responder_{"tcp://127.0.0.1:*", test::Echo};
  NetContext context_;
};

TEST_F(PeerWatchTest, AMessageWithoutEndLosesItsConnection) {
  Requester requester(context_, responder_.endpoint());
  ASSERT_TRUE(IsAnswered(requester));
  RawPeer peer(PortOf(responder_.endpoint()), "DEALER");
  const std::string parts = Repeat(RawPeer::Part(std::string(64 * kKiB, 'x'), true), kMiB);
  EXPECT_LT(peer.SendUntilClosed(parts, kFarTooMuch), kFarTooMuch);
  EXPECT_TRUE(IsAnswered(requester));
}

TEST_F(PeerWatchTest, SoDoesOneOfManySmallParts) {
  RawPeer peer(PortOf(responder_.endpoint()), "DEALER");
  const std::string parts = Repeat(RawPeer::Part("", true), 64 * kKiB);
  EXPECT_LT(peer.SendUntilClosed(parts, kFarTooManyTiny), kFarTooManyTiny);
}

TEST_F(PeerWatchTest, LargeMessagesThatWaitForABusyReceiverAreKept) {
  std::atomic<bool> busy = true;
  test::Responder slow("tcp://127.0.0.1:*", [&](Router& router, Arrival& arrival) {
    Await([&] { return !busy.load(); });
    test::Echo(router, arrival);
  });
  RawPeer peer(PortOf(slow.endpoint()), "DEALER");
  const std::string message =
      RawPeer::Part(std::string(EncodeEnvelope(MessageType::kStatus).size(), 'h'), true) +
      RawPeer::Part(std::string(2 * kMiB, 'x'), false);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(peer.Send(message));
  Requester requester(context_, slow.endpoint());
  busy = false;
  EXPECT_TRUE(IsAnswered(requester));
  EXPECT_FALSE(peer.Closed());
}

TEST_F(PeerWatchTest, ASubscriberOfManyThingsLosesItsConnectionAndOthersStay) {
  auto publisher = Publisher::Bind(context_, "tcp://127.0.0.1:*", 16);
  ASSERT_TRUE(publisher) << publisher.error().Text();
  Subscriber subscriber(context_, (*publisher)->endpoint());
  RawPeer peer(PortOf((*publisher)->endpoint()), "SUB");
  std::string subscriptions;
  for (int i = 0; i < 1000; ++i)
    subscriptions += RawPeer::Part("\x01" + std::to_string(i) + std::string(500, 's'), false);
  const auto body = std::make_shared<const Buffer>(test::ToBuffer("news"));
  const auto reaches = [&] {
    const Bytes parts[] = {*body};
    EXPECT_TRUE((*publisher)->Publish(MessageType::kHead, parts, body));
    const auto message = subscriber.Receive(SteadyClock::now() + 20ms);
    return message && message->has_value();
  };
  EXPECT_TRUE(Await(reaches));
  std::atomic<bool> closed = false;
  std::thread sender([&] {
    EXPECT_LT(peer.SendUntilClosed(subscriptions, kFarTooManyTiny), kFarTooManyTiny);
    closed = true;
  });
  EXPECT_TRUE(Await([&] { return reaches() && closed; }));
  sender.join();
  EXPECT_TRUE(Await(reaches));
}

TEST_F(PeerWatchTest, OfTooManyConnectionsTheOneThatIsSilentTheLongestGoes) {
  test::Responder small("tcp://127.0.0.1:*", test::Echo, PeerLimits{.connections = 3});
  const std::uint16_t port = PortOf(small.endpoint());
  Requester requester(context_, small.endpoint());
  ASSERT_TRUE(IsAnswered(requester));
  RawPeer one(port, "DEALER");
  RawPeer other(port, "DEALER");
  std::deque<RawPeer> more;
  EXPECT_TRUE(Await([&] {
    EXPECT_TRUE(IsAnswered(requester));
    more.emplace_back(port, "DEALER");
    return one.Closed() && other.Closed();
  }));
  EXPECT_TRUE(IsAnswered(requester));
}

}  // namespace
}  // namespace hawser
