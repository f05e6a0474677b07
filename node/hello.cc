#include "node/hello.h"

#include <algorithm>
#include <thread>
#include <variant>

#include "common/net/requester.h"
#include "fuse_primary/patience.h"

namespace hawser {

namespace {

// How often a relay is asked again that can't journal a session now.
constexpr auto kGreetAgain = std::chrono::milliseconds(500);

bool MayPass(const Refusal& refusal) {
  return refusal.code == RefusalCode::kJournalFailed || refusal.code == RefusalCode::kJournalFull;
}

Result<std::variant<Welcome, Refusal>> Greet(Requester& requester, const Hello& hello,
                                             std::optional<Deadline> deadline,
                                             const std::atomic<bool>* cancel) {
  HAWSER_ASSIGN(const Incoming reply,
                requester.Request(MessageType::kHello, {Encode(hello)}, deadline, cancel));
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kWelcome) {
    HAWSER_ASSIGN(Welcome welcome, Decode<Welcome>(body));
    return std::variant<Welcome, Refusal>(std::move(welcome));
  }
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(Refusal refusal, Decode<Refusal>(body));
    return std::variant<Welcome, Refusal>(std::move(refusal));
  }
  return Error{EPROTO, "the relay didn't answer the greeting by a welcome"};
}

Status WaitToAskAgain(const std::string& why, const Patience& patience) {
  const Deadline again = SteadyClock::now() + kGreetAgain;
  while (SteadyClock::now() < again) {
    if (const auto over = patience.Over()) return Error{over->code, why};
    std::this_thread::sleep_until(std::min(again, patience.NextLook()));
  }
  return {};
}

}  // namespace

Result<Welcome> SayHello(NetContext& context, const std::string& endpoint, const Hello& hello,
                         std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  Requester requester(context, endpoint);
  for (;;) {
    HAWSER_ASSIGN(auto answer, Greet(requester, hello, deadline, cancel));
    if (auto* welcome = std::get_if<Welcome>(&answer)) return std::move(*welcome);
    const Refusal& refusal = std::get<Refusal>(answer);
    if (!MayPass(refusal))
      return Error{ToErrno(refusal.code), "the relay refused this node: " + refusal.text};
    HAWSER_TRY(WaitToAskAgain(refusal.text, {deadline, cancel}));
  }
}

}  // namespace hawser
