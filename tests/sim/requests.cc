#include "tests/sim/requests.h"

namespace hawser::sim {

namespace {

constexpr auto kResendAfter = milliseconds(60);

}  // namespace

void Requests::Send(Request request) {
  Open open{std::move(request), 0, std::nullopt};
  if (open.request.patience) open.until = world_.now() + *open.request.patience;
  Attempt(std::move(open));
}

void Requests::Attempt(Open open) {
  if (life_->dead) return;
  const std::uint64_t token = network_.NewToken();
  network_.Ask({node_, open.request.port, token, open.request.call, open.request.type,
                open.request.parts(open.attempts)});
  ++open.attempts;
  open_.emplace(token, std::move(open));
  world_.After(kResendAfter + Duration(world_.rng().Between(0, 10'000'000)), life_, [this, token] {
    auto waiting = open_.extract(token);
    if (waiting.empty()) return;
    Open again = std::move(waiting.mapped());
    if (again.until && world_.now() >= *again.until) return again.request.answered(std::nullopt);
    Attempt(std::move(again));
  });
}

void Requests::TakeAnswer(std::uint64_t token, MessageType type, const std::vector<Buffer>& parts) {
  auto waiting = open_.extract(token);
  if (waiting.empty()) return;  // of an attempt that was given up
  waiting.mapped().request.answered(Incoming::Of(type, parts));
}

}  // namespace hawser::sim
