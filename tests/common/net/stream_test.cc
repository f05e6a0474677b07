#include <gtest/gtest.h>

#include <zmq.hpp>

#include "common/net/publisher.h"
#include "common/net/subscriber.h"
#include "tests/common/net/responder.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Patience;

class StreamTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(Bind("tcp://127.0.0.1:*")); }

  // A publisher has a context of its own: when that has gone, the port is free again.
  void Bind(const std::string& endpoint) {
    publisher_.reset();
    publishers_context_ = std::make_unique<NetContext>();
    auto publisher = Publisher::Bind(*publishers_context_, endpoint, 16);
    ASSERT_TRUE(publisher) << publisher.error().Text();
    publisher_ = *std::move(publisher);
  }

  void Publish(std::string text, MessageType type = MessageType::kFrame) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const Bytes parts[] = {AsBytes(*owner)};
    EXPECT_TRUE(publisher_->Publish(type, parts, owner));
  }

  // Publishes heads until one arrives: from then on the subscription is known. Each time other ones: what a
  // publisher that is gone has sent may still be on its way.
  void Join(Subscriber& subscriber) {
    const std::string word = "join " + std::to_string(++joins_);
    const Deadline deadline = Patience();
    while (SteadyClock::now() < deadline) {
      Publish(word, MessageType::kHead);
      auto got = subscriber.Receive(SteadyClock::now() + 5ms);
      if (got && *got && AsText((*got)->part(0)) == word) return;
    }
    ADD_FAILURE() << "the subscriber never joined";
  }

  // The next frame's text.
  std::string NextFrame(Subscriber& subscriber) {
    for (;;) {
      auto got = subscriber.Receive(Patience());
      if (!got || !*got) return "nothing came";
      if ((*got)->type() == MessageType::kFrame) return std::string(AsText((*got)->part(0)));
    }
  }

  NetContext context_;
  std::unique_ptr<NetContext> publishers_context_;
  std::unique_ptr<Publisher> publisher_;
  int joins_ = 0;
};

TEST_F(StreamTest, MessagesArriveInOrderAndWhole) {
  Subscriber subscriber(context_, publisher_->endpoint());
  Join(subscriber);
  for (const std::size_t size : {1UL, 2'000UL, 200'000UL}) {
    Publish(std::string(size, 'a'));
    Publish(std::string(size, 'b'));
    EXPECT_EQ(NextFrame(subscriber), std::string(size, 'a'));
    EXPECT_EQ(NextFrame(subscriber), std::string(size, 'b'));
  }
}

TEST_F(StreamTest, TheOwnerIsKeptUntilEverybodyHasItAndNoLonger) {
  Subscriber first(context_, publisher_->endpoint());
  Subscriber second(context_, publisher_->endpoint());
  Join(first);
  Join(second);
  auto owner = std::make_shared<const std::string>(500'000, 'x');
  const std::weak_ptr<const std::string> watch = owner;
  const Bytes parts[] = {AsBytes(*owner), AsBytes(*owner)};
  EXPECT_TRUE(publisher_->Publish(MessageType::kFrame, parts, owner));
  owner.reset();
  EXPECT_EQ(NextFrame(first).size(), 500'000U);
  EXPECT_EQ(NextFrame(second).size(), 500'000U);
  const Deadline deadline = Patience();
  while (!watch.expired() && SteadyClock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(watch.expired());
}

TEST_F(StreamTest, WithNobodyListeningTheOwnerIsLetGoAtOnce) {
  auto owner = std::make_shared<const std::string>(500'000, 'x');
  const std::weak_ptr<const std::string> watch = owner;
  const Bytes parts[] = {AsBytes(*owner)};
  EXPECT_TRUE(publisher_->Publish(MessageType::kFrame, parts, std::move(owner)));
  EXPECT_TRUE(watch.expired());
}

TEST_F(StreamTest, ASubscriberComesBackAfterThePublisherWasRestarted) {
  const std::string endpoint = publisher_->endpoint();
  Subscriber subscriber(context_, endpoint);
  Join(subscriber);
  ASSERT_NO_FATAL_FAILURE(Bind(endpoint));
  Join(subscriber);
  Publish("again");
  EXPECT_EQ(NextFrame(subscriber), "again");
}

TEST_F(StreamTest, NothingComesUntilTheDeadline) {
  Subscriber subscriber(context_, publisher_->endpoint());
  auto got = subscriber.Receive(SteadyClock::now() + 5ms);
  ASSERT_TRUE(got);
  EXPECT_FALSE(*got);
}

// libzmq aborts the process when it replaces a connection whose input stands still (its issue 3937), and its
// own heartbeats do just that to a subscriber that doesn't read for some seconds.
TEST_F(StreamTest, ASubscriberThatReadsNothingForLongIsServedWhenItReadsAgain) {
  constexpr auto kLong = 6s;
  Subscriber subscriber(context_, publisher_->endpoint(), 1);
  Join(subscriber);
  const Deadline end = SteadyClock::now() + kLong;
  while (SteadyClock::now() < end) {
    Publish(std::string(100'000, 'x'));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(NextFrame(subscriber).size(), 100'000U);
  Join(subscriber);
}

TEST_F(StreamTest, ASubscriberConnectsAnewWhenNothingComesAnyMore) {
  zmq::socket_t silent(context_.zmq(), zmq::socket_type::xpub);
  silent.set(zmq::sockopt::linger, 0);
  silent.set(zmq::sockopt::xpub_verbose, 1);
  silent.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(test::kPatience).count()));
  silent.bind("tcp://127.0.0.1:*");
  Subscriber subscriber(context_, silent.get(zmq::sockopt::last_endpoint));
  subscriber.set_silence(20ms);
  std::atomic<bool> stop = false;
  std::thread listener([&] {
    while (!stop.load()) EXPECT_TRUE(subscriber.Receive(SteadyClock::now() + 5ms));
  });
  for (int subscriptions = 0; subscriptions < 3;) {
    zmq::message_t message;
    const auto got = silent.recv(message);
    EXPECT_TRUE(got);
    if (!got) break;
    if (message.size() > 0 && *message.data<char>() == 1) ++subscriptions;
  }
  stop.store(true);
  listener.join();
}

TEST_F(StreamTest, MalformedMessagesAreDroppedAndCounted) {
  zmq::socket_t liar(context_.zmq(), zmq::socket_type::xpub);
  liar.set(zmq::sockopt::linger, 0);
  liar.bind("tcp://127.0.0.1:*");
  Subscriber subscriber(context_, liar.get(zmq::sockopt::last_endpoint));
  zmq::message_t subscription;
  ASSERT_TRUE(liar.recv(subscription));
  liar.send(zmq::str_buffer("garbage"));
  liar.send(zmq::str_buffer("HW\x09\x21"));
  liar.send(zmq::str_buffer("HW\x08\x21"));
  auto got = subscriber.Receive(Patience());
  ASSERT_TRUE(got);
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->type(), MessageType::kHead);
  EXPECT_EQ(subscriber.malformed(), 2U);
}

TEST_F(StreamTest, JunkSentToThePublisherChangesNothing) {
  zmq::socket_t junk(context_.zmq(), zmq::socket_type::dealer);
  junk.set(zmq::sockopt::linger, 0);
  junk.connect(publisher_->endpoint());
  junk.send(zmq::str_buffer("junk"), zmq::send_flags::dontwait);
  Subscriber subscriber(context_, publisher_->endpoint());
  Join(subscriber);
  Publish("fine");
  EXPECT_EQ(NextFrame(subscriber), "fine");
}

}  // namespace
}  // namespace hawser
