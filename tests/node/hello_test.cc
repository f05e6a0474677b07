// How a session begins: what a node makes of the relay's answers to its greeting.
#include "node/hello.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/common/net/responder.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Patience;
using test::Responder;

class HelloTest : public testing::Test {
 protected:
  // A relay that gives these answers, the last one for ever.
  std::unique_ptr<Responder> RelayThatSays(std::vector<std::variant<Welcome, Refusal>> answers) {
    return std::make_unique<Responder>(
        "tcp://127.0.0.1:*", [this, answers = std::move(answers)](Router& router, Arrival& arrival) {
          const std::size_t nth = std::min(asked_.fetch_add(1), answers.size() - 1);
          const auto type =
              std::holds_alternative<Welcome>(answers[nth]) ? MessageType::kWelcome : MessageType::kRefusal;
          std::vector<Buffer> parts;
          parts.push_back(std::visit([](const auto& answer) { return Encode(answer); }, answers[nth]));
          router.Reply(arrival.from, type, std::move(parts));
        });
  }
  Result<Welcome> Greet(const Responder& relay, std::optional<Deadline> deadline = Patience(),
                        const std::atomic<bool>* cancel = nullptr) {
    return SayHello(context_, relay.endpoint(),
                    Hello{.group = "demo", .node = NodeName("alpha"), .where = {}, .known = {}}, deadline,
                    cancel);
  }

  NetContext context_;
  std::atomic<std::size_t> asked_ = 0;
};

const Refusal kFailed{RefusalCode::kJournalFailed, "the disk is broken"};
const Refusal kFull{RefusalCode::kJournalFull, "no room"};

TEST_F(HelloTest, AWelcomeBeginsTheSession) {
  const auto relay = RelayThatSays({Welcome{1, 7, {}, {}, {}, {}}});
  const auto welcome = Greet(*relay);
  ASSERT_TRUE(welcome) << welcome.error().Text();
  EXPECT_EQ(welcome->session, 7U);
}

TEST_F(HelloTest, ARelayThatCanNotJournalASessionNowIsAskedAgain) {
  for (const Refusal& refusal : {kFailed, kFull}) {
    asked_ = 0;
    const auto relay = RelayThatSays({refusal, Welcome{1, 7, {}, {}, {}, {}}});
    const auto welcome = Greet(*relay);
    EXPECT_TRUE(welcome) << welcome.error().Text();
    EXPECT_EQ(asked_, 2U);
  }
}

TEST_F(HelloTest, AskingAgainEndsAtTheDeadlineAndSaysWhy) {
  const auto relay = RelayThatSays({kFull});
  const auto welcome = Greet(*relay, SteadyClock::now() + 50ms);
  ASSERT_FALSE(welcome);
  EXPECT_EQ(welcome.error().code, ETIMEDOUT);
  EXPECT_EQ(welcome.error().message, kFull.text);
}

TEST_F(HelloTest, AskingAgainEndsWhenItIsCancelled) {
  const auto relay = RelayThatSays({kFailed});
  std::atomic<bool> cancel = false;
  auto greeting = std::async(std::launch::async, [&] { return Greet(*relay, std::nullopt, &cancel); });
  cancel = true;
  ASSERT_EQ(greeting.wait_for(test::kPatience), std::future_status::ready);
  EXPECT_EQ(greeting.get().error().code, ECANCELED);
}

TEST_F(HelloTest, ARefusalForGoodIsTheEnd) {
  const auto relay = RelayThatSays({Refusal{RefusalCode::kOldSession, "somebody else is here"}});
  const auto welcome = Greet(*relay);
  ASSERT_FALSE(welcome);
  EXPECT_EQ(welcome.error().code, ESTALE);
  EXPECT_NE(welcome.error().message.find("somebody else is here"), std::string::npos);
  EXPECT_EQ(asked_, 1U);
}

}  // namespace
}  // namespace hawser
