#include "common/net/requester.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <zmq.hpp>

#include "tests/common/net/responder.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Echo;
using test::Patience;
using test::Responder;
using test::ToBuffer;

constexpr const char* kAnyPort = "tcp://127.0.0.1:*";

class RequesterTest : public testing::Test {
 protected:
  NetContext context_;
};

TEST_F(RequesterTest, PartsOfAllSizesArriveAndComeBack) {
  Responder peer(kAnyPort, Echo);
  Requester requester(context_, peer.endpoint());
  for (const std::size_t size : {0UL, 1UL, 33UL, 1024UL, 1025UL, 8192UL, 100'000UL, 1'048'576UL}) {
    const std::string header(size % 97, 'h');
    const std::string payload(size, 'p');
    auto reply = requester.Request(MessageType::kSubmit, {AsBytes(header), AsBytes(payload)}, Patience());
    ASSERT_TRUE(reply) << reply.error().Text();
    EXPECT_EQ(reply->type(), MessageType::kAnswers);
    ASSERT_EQ(reply->parts(), 2U);
    EXPECT_EQ(AsText(reply->part(0)), header);
    EXPECT_EQ(AsText(reply->part(1)), payload);
  }
}

TEST_F(RequesterTest, AMessageWithoutPartsIsTheEnvelopeOnly) {
  Responder peer(kAnyPort, Echo);
  Requester requester(context_, peer.endpoint());
  auto reply = requester.Request(MessageType::kStatus, {}, Patience());
  ASSERT_TRUE(reply) << reply.error().Text();
  EXPECT_EQ(reply->parts(), 0U);
}

TEST_F(RequesterTest, AskedAgainWhenRepliesAreLost) {
  std::atomic<int> asked = 0;
  Responder peer(kAnyPort, [&asked](Router& router, Arrival& arrival) {
    if (++asked >= 3) Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  requester.set_resend_after(20ms);
  const std::string payload(200'000, 'x');
  auto reply = requester.Request(MessageType::kSubmit, {AsBytes("h"), AsBytes(payload)}, Patience());
  ASSERT_TRUE(reply) << reply.error().Text();
  EXPECT_EQ(AsText(reply->part(1)), payload);
  EXPECT_GE(asked.load(), 3);
}

TEST_F(RequesterTest, WaitsForAPeerThatComesLater) {
  std::string endpoint;
  { endpoint = Responder(kAnyPort, Echo).endpoint(); }
  Requester requester(context_, endpoint);
  auto reply = std::async(std::launch::async, [&] {
    return requester.Request(MessageType::kSubmit, {AsBytes("late")}, Patience());
  });
  Responder peer(endpoint, Echo);
  auto got = reply.get();
  ASSERT_TRUE(got) << got.error().Text();
  EXPECT_EQ(AsText(got->part(0)), "late");
}

TEST_F(RequesterTest, GoesOnWithAPeerThatWasRestarted) {
  auto peer = std::make_unique<Responder>(kAnyPort, Echo);
  const std::string endpoint = peer->endpoint();
  Requester requester(context_, endpoint);
  requester.set_resend_after(50ms);
  for (int i = 0; i < 3; ++i) {
    auto reply = requester.Request(MessageType::kSubmit, {AsBytes("again")}, Patience());
    ASSERT_TRUE(reply) << reply.error().Text();
    peer.reset();
    peer = std::make_unique<Responder>(endpoint, Echo);
  }
}

TEST_F(RequesterTest, WithNobodyThereTheDeadlineEndsIt) {
  Requester requester(context_, "tcp://127.0.0.1:1");
  requester.set_resend_after(10ms);
  auto reply = requester.Request(MessageType::kSubmit, {AsBytes("h")}, SteadyClock::now() + 60ms);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ETIMEDOUT);
}

// ---- in two steps, with parts that are shared

void Ask(Requester& requester, std::string_view text) {
  requester.Begin(MessageType::kSubmit, {Payload::CopyOf(AsBytes(text))});
}

std::string Answer(Requester& requester) {
  const auto reply = requester.Await(Patience());
  if (!reply) return reply.error().Text();
  return *reply ? std::string(AsText((*reply)->message.part(0))) : "none in time";
}

Payload Large() { return Payload::Of(Buffer(1'000'000)); }

TEST_F(RequesterTest, WhoeverWaitsGoesOnWhereTheLastOneLeftOff) {
  std::atomic<bool> answering = false;
  std::atomic<int> asked = 0;
  Responder peer(kAnyPort, [&](Router& router, Arrival& arrival) {
    ++asked;
    while (!answering) std::this_thread::sleep_for(1ms);
    Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  requester.Begin(MessageType::kSubmit, {Large()});
  auto none = requester.Await(SteadyClock::now() + 20ms);
  ASSERT_TRUE(none) << none.error().Text();
  EXPECT_FALSE(*none);
  auto other = std::async(std::launch::async, [&] { return requester.Await(Patience()); });
  answering = true;
  auto reply = other.get();
  ASSERT_TRUE(reply && *reply);
  EXPECT_EQ((*reply)->message.part(0).size(), 1'000'000U);
  EXPECT_FALSE((*reply)->sent_again);
  EXPECT_EQ(asked, 1);
}

TEST_F(RequesterTest, WhatIsGivenUpIsNotAnswered) {
  std::atomic<int> asked = 0;
  Responder peer(kAnyPort, [&](Router& router, Arrival& arrival) {
    if (++asked > 1) Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  Ask(requester, "first");
  (void)requester.Await(SteadyClock::now() + 20ms);
  requester.GiveUp();
  Ask(requester, "second");
  EXPECT_EQ(Answer(requester), "second");
}

// ---- several under way

TEST_F(RequesterTest, RequestsArriveInOrderAndSoAreTheAnswersInWhateverOrderTheyCome) {
  std::vector<Asker> askers;
  std::vector<std::string> texts;
  auto peer = std::make_unique<Responder>(kAnyPort, [&](Router& router, Arrival& arrival) {
    askers.push_back(arrival.from);
    texts.emplace_back(AsText(arrival.message->part(0)));
    if (texts.size() < 3) return;
    for (std::size_t i = texts.size(); i-- > 0;) {
      std::vector<Buffer> parts;
      parts.push_back(ToBuffer(texts[i]));
      router.Reply(askers[i], MessageType::kAnswers, std::move(parts));
    }
  });
  Requester requester(context_, peer->endpoint());
  for (const char* text : {"one", "two", "three"}) Ask(requester, text);
  for (const char* text : {"one", "two", "three"}) EXPECT_EQ(Answer(requester), text);
  peer.reset();
  EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(RequesterTest, ARequestGoesOutWhileAnotherThreadWaits) {
  std::optional<Asker> first;
  Responder peer(kAnyPort, [&](Router& router, Arrival& arrival) {
    if (!first) {
      first = arrival.from;
      return;
    }
    router.Reply(*first, MessageType::kAnswers, {});
    Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  requester.set_resend_after(std::chrono::duration_cast<std::chrono::milliseconds>(test::kPatience));
  Ask(requester, "first");
  auto waiting = std::async(std::launch::async, [&] { return requester.Await(Patience()); });
  EXPECT_EQ(waiting.wait_for(20ms), std::future_status::timeout);
  Ask(requester, "second");
  const auto reply = waiting.get();
  ASSERT_TRUE(reply && *reply) << "the answer to the first, which the second brought";
  EXPECT_EQ((*reply)->message.parts(), 0U);
  EXPECT_EQ(Answer(requester), "second");
}

TEST_F(RequesterTest, AllThatIsUnderWayIsSentAgainInOrderIfTheOldestIsLate) {
  std::vector<std::string> texts;
  auto peer = std::make_unique<Responder>(kAnyPort, [&](Router& router, Arrival& arrival) {
    texts.emplace_back(AsText(arrival.message->part(0)));
    if (texts.size() > 2) Echo(router, arrival);
  });
  Requester requester(context_, peer->endpoint());
  requester.set_resend_after(50ms);
  Ask(requester, "one");
  Ask(requester, "two");
  for (const char* text : {"one", "two"}) {
    const auto reply = requester.Await(Patience());
    ASSERT_TRUE(reply && *reply);
    EXPECT_EQ(AsText((*reply)->message.part(0)), text);
    EXPECT_TRUE((*reply)->sent_again);
  }
  peer.reset();
  texts.resize(4);
  EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "one", "two"}));
}

TEST_F(RequesterTest, ManyThreadsAskAtOnceAndEachRequestIsAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::counting_semaphore<8> room(8);
  std::atomic<int> asked = 0;
  Responder peer(kAnyPort, [&](Router& router, Arrival& arrival) {
    ++asked;
    Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  requester.set_resend_after(std::chrono::duration_cast<std::chrono::milliseconds>(test::kPatience));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        room.acquire();
        Ask(requester, "x");
      }
    });
  }
  int answered = 0;
  for (; answered < kThreads * kEach && Answer(requester) == "x"; ++answered) room.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kEach);
  EXPECT_EQ(asked, answered);
}

TEST_F(RequesterTest, SharedPartsAreLetGoAfterTheAnswer) {
  Responder peer(kAnyPort, Echo);
  Requester requester(context_, peer.endpoint());
  Payload large = Large();
  const std::weak_ptr<const void> memory = large.owner();
  requester.Begin(MessageType::kSubmit, {std::move(large)});
  large = {};
  auto reply = requester.Await(Patience());
  ASSERT_TRUE(reply && *reply);
  const Deadline patience = Patience();
  while (!memory.expired() && SteadyClock::now() < patience) std::this_thread::yield();
  EXPECT_TRUE(memory.expired());
}

TEST_F(RequesterTest, APeerThatNeverReadsDoesNotKeepTheMemory) {
  // A listener that nobody accepts from: the kernel takes the connection, and no byte is ever read.
  zmq::context_t other;
  zmq::socket_t sink(other, zmq::socket_type::stream);
  sink.bind(kAnyPort);
  Payload large = Large();
  const std::weak_ptr<const void> memory = large.owner();
  {
    Requester requester(context_, sink.get(zmq::sockopt::last_endpoint));
    requester.Begin(MessageType::kSubmit, {std::move(large)});
    large = {};
    (void)requester.Await(SteadyClock::now() + 60ms);
    EXPECT_FALSE(memory.expired()) << "it may have to be sent again";
  }
  const Deadline patience = Patience();
  while (!memory.expired() && SteadyClock::now() < patience) std::this_thread::yield();
  EXPECT_TRUE(memory.expired());
}

TEST_F(RequesterTest, CancellingEndsItWithoutADeadline) {
  Requester requester(context_, "tcp://127.0.0.1:1");
  std::atomic<bool> cancel = false;
  auto reply = std::async(std::launch::async, [&] {
    return requester.Request(MessageType::kSubmit, {AsBytes("h")}, std::nullopt, &cancel);
  });
  cancel.store(true);
  ASSERT_EQ(reply.wait_for(test::kPatience), std::future_status::ready);
  auto got = reply.get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ECANCELED);
}

TEST_F(RequesterTest, TheAnswerOfACancelledRequestIsNotTakenForTheNextOnes) {
  Responder peer(kAnyPort, [](Router& router, Arrival& arrival) {
    if (AsText(arrival.message->part(0)) == "first") std::this_thread::sleep_for(20ms);  // past its deadline
    Echo(router, arrival);
  });
  Requester requester(context_, peer.endpoint());
  auto first = requester.Request(MessageType::kSubmit, {AsBytes("first")}, SteadyClock::now() + 5ms);
  auto second = requester.Request(MessageType::kSubmit, {AsBytes("second")}, Patience());
  ASSERT_TRUE(second) << second.error().Text();
  EXPECT_EQ(AsText(second->part(0)), "second");
}

TEST_F(RequesterTest, AnAnswerOfAnotherWireVersionIsAnError) {
  zmq::socket_t peer(context_.zmq(), zmq::socket_type::rep);
  peer.set(zmq::sockopt::linger, 0);
  peer.bind(kAnyPort);
  Requester requester(context_, peer.get(zmq::sockopt::last_endpoint));
  auto reply =
      std::async(std::launch::async, [&] { return requester.Request(MessageType::kStatus, {}, Patience()); });
  zmq::message_t request;
  ASSERT_TRUE(peer.recv(request));
  peer.send(zmq::str_buffer("HW\x09\x15"));
  auto got = reply.get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, EPROTONOSUPPORT);
}

TEST_F(RequesterTest, AnEndpointThatIsNoneIsAnError) {
  Requester requester(context_, "carrier pigeon");
  auto reply = requester.Request(MessageType::kStatus, {}, Patience());
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message.find("carrier pigeon"), std::string::npos);
}

}  // namespace
}  // namespace hawser
