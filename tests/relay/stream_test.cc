// Publishing and catching up.
#include <fstream>
#include <zmq.hpp>

#include "relay/limits.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * 4096;
}

// A frame as the stream carries it.
Result<Frame> FrameIn(const Incoming& message) {
  std::vector<Bytes> parts;
  for (std::size_t i = 1; i < message.parts(); ++i) parts.push_back(message.part(i));
  return ParseFrameParts(message.part(0), parts);
}

class StreamTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
  }

  // The next message of a type.
  std::optional<Incoming> Next(Subscriber& subscriber, MessageType type) {
    const Deadline deadline = Patience();
    for (;;) {
      auto message = subscriber.Receive(deadline);
      if (!message || !*message) break;
      if ((*message)->type() == type) return std::move(*message);
    }
    ADD_FAILURE() << "no message of type " << static_cast<int>(type);
    return std::nullopt;
  }

  Progress NextHead(Subscriber& subscriber) {
    const auto message = Next(subscriber, MessageType::kHead);
    const auto head = message ? Decode<Head>(message->part(0)) : Error{ETIMEDOUT, ""};
    return head ? head->head : Progress{};
  }
};

TEST_F(StreamTest, AnIdleRelayKeepsTellingTheHead) {
  Subscriber subscriber(context_, config_.relay.StreamEndpoint());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(NextHead(subscriber).position.sequence, Sequence(3));
}

TEST_F(StreamTest, AFrameIsPublishedByteForByteAsJournaled) {
  Subscriber subscriber(context_, config_.relay.StreamEndpoint());
  NextHead(subscriber);
  Primary alpha = MakePrimary();
  const std::string payload(20'000, 'p');
  const auto ack = alpha.Write(payload);
  ASSERT_TRUE(ack) << ack.error().Text();
  // What the relay journaled before may come late.
  std::optional<Incoming> message;
  Result<Frame> frame = Error{ENOENT, "none yet"};
  do {
    message = Next(subscriber, MessageType::kFrame);
    ASSERT_TRUE(message);
    frame = FrameIn(*message);
    ASSERT_TRUE(frame) << frame.error().Text();
  } while (frame->header.group < ack->group.position.group);
  EXPECT_EQ(frame->header.progress(), ack->group);
  const auto records = Unpack(*frame);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].record, alpha.record());
  EXPECT_EQ(records[0].payload, payload);
}

TEST_F(StreamTest, AFrameTooLargeForTheStreamIsAnnouncedAndPulled) {
  Subscriber subscriber(context_, config_.relay.StreamEndpoint());
  NextHead(subscriber);
  Primary alpha = MakePrimary();
  const std::string payload(kMaxPayloadBytes, 'p');
  const auto large = alpha.Write(payload);
  ASSERT_TRUE(large) << large.error().Text();
  while (NextHead(subscriber).position != large->group.position) {
  }
  EXPECT_EQ(PullAll().back().payload, payload);
  // The stream goes on behind it.
  const auto small = alpha.Write("small");
  ASSERT_TRUE(small) << small.error().Text();
  const auto message = Next(subscriber, MessageType::kFrame);
  ASSERT_TRUE(message);
  EXPECT_EQ(FrameIn(*message)->header.progress(), small->group);
}

// A secondary that comes late pulls what it lacks and goes on with the stream where they meet: every record
// once, in an unbroken chain.
TEST_F(StreamTest, PullAndStreamMeet) {
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    Primary alpha = MakePrimary();
    while (!stop.load()) {
      ASSERT_TRUE(alpha.Write("x"));
      ++written;
    }
  });
  AwaitThat("writes before the subscription", [&] { return written.load() >= 20; });
  Subscriber subscriber(context_, config_.relay.StreamEndpoint());

  std::vector<Received> received;
  Progress at;
  int joined = 0;
  const Deadline deadline = Patience();
  while (joined < 50 && SteadyClock::now() < deadline) {
    const auto message = subscriber.Receive(deadline);
    ASSERT_TRUE(message && *message);
    if ((*message)->type() != MessageType::kFrame) continue;
    const auto frame = FrameIn(**message);
    ASSERT_TRUE(frame) << frame.error().Text();
    const FrameHeader& header = frame->header;
    if (header.group <= at.position.group) continue;
    if (at.position.group.value + 1 != header.group.value) {
      // A gap: pull up to here, or beyond.
      Position position = at.position;
      while (position.group < header.group) {
        ASSERT_EQ(PullOnce(kCharlie, position, received).answer, PullReply::Answer::kFrames);
      }
      at.position = position;
      continue;
    }
    if (joined > 0) {
      ASSERT_TRUE(CheckFollows(at, header));
    }
    for (Received& one : Unpack(*frame)) received.push_back(std::move(one));
    at = header.progress();
    ++joined;
  }
  stop.store(true);
  writer.join();
  EXPECT_EQ(joined, 50);
  for (std::size_t i = 0; i < received.size(); ++i) ASSERT_EQ(received[i].sequence, Sequence(1 + i));
}

TEST_F(StreamTest, APullGoesOnWhereTheLastOneEnded) {
  Primary alpha = MakePrimary();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(alpha.Write(std::string(30'000, 'x')));
  Position position;
  std::vector<Received> received;
  int pulls = 0;
  while (received.size() < 11 && pulls < 20) {
    ASSERT_EQ(PullOnce(kCharlie, position, received).answer, PullReply::Answer::kFrames);
    ++pulls;
  }
  EXPECT_GT(pulls, 2);
  ASSERT_EQ(received.size(), 11U);
  for (std::size_t i = 0; i < received.size(); ++i) EXPECT_EQ(received[i].sequence, Sequence(1 + i));
}

TEST_F(StreamTest, APullAtTheHeadGivesNothing) {
  Position position = relay_->recovery().end.position;
  std::vector<Received> received;
  PullOnce(kCharlie, position, received);
  ASSERT_EQ(received.size(), 3U);  // primaries, a session
  const PullReply reply = PullOnce(kCharlie, position, received);
  EXPECT_EQ(reply.answer, PullReply::Answer::kFrames);
  EXPECT_EQ(reply.head.position, position);
  EXPECT_EQ(received.size(), 3U);
}

TEST_F(StreamTest, APullFromAnotherHistoryIsDiverged) {
  Primary alpha = MakePrimary();
  const auto ack = alpha.Write("x");
  ASSERT_TRUE(ack) << ack.error().Text();
  const auto expect_diverged = [this](Position position) {
    std::vector<Received> received;
    const PullReply reply = PullOnce(kCharlie, position, received);
    EXPECT_EQ(reply.answer, PullReply::Answer::kDiverged);
    EXPECT_FALSE(reply.text.empty());
    EXPECT_TRUE(received.empty());
  };
  Position wrong = ack->group.position;
  wrong.digest.bytes[0] ^= std::byte{1};
  expect_diverged(wrong);
  wrong = ack->group.position;
  wrong.journal.bytes[0] ^= std::byte{1};
  expect_diverged(wrong);
  wrong = ack->group.position;
  wrong.group = Group(1000);
  expect_diverged(wrong);
  wrong = Position{};
  wrong.journal.bytes.fill(std::byte{9});
  expect_diverged(wrong);
}

// A subscriber that connects and never reads. What the relay keeps for it is bounded.
TEST_F(StreamTest, AStuckSubscriberDoesNotGrowTheRelay) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep freed memory";
  zmq::socket_t stuck(context_.zmq(), zmq::socket_type::sub);
  stuck.set(zmq::sockopt::linger, 0);
  stuck.set(zmq::sockopt::rcvhwm, 1);
  stuck.set(zmq::sockopt::rcvbuf, 4096);
  stuck.set(zmq::sockopt::subscribe, "");
  stuck.connect(config_.relay.StreamEndpoint());
  Subscriber witness(context_, config_.relay.StreamEndpoint());
  NextHead(witness);

  Primary alpha = MakePrimary();
  const std::string payload(200 * kKiB, 'x');
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(alpha.Write(payload));
  };
  write(800);  // 160 MiB: all queues are full, here and there
  const std::uint64_t before = ResidentBytes();
  write(1000);  // 200 MiB more
  const std::uint64_t after = ResidentBytes();
  EXPECT_LT(after, before + 50 * kMiB);
  // Others are served on.
  const auto head = alpha.Write("end");
  ASSERT_TRUE(head) << head.error().Text();
  while (NextHead(witness).position != head->group.position) {
  }
}

}  // namespace
}  // namespace hawser::test
