#include "node/reporter.h"

#include "common/base/log.h"
#include "common/net/heartbeat.h"
#include "common/net/requester.h"

namespace hawser {

namespace {

constexpr auto kAnswerPatience = kSilentAfter;
constexpr auto kTick = std::chrono::milliseconds(25);
constexpr auto kHurry = 2 * kTick;

}  // namespace

Reporter::Reporter(NetContext& context, std::string endpoint, Calls calls,
                   std::chrono::milliseconds first_after)
    : context_(context),
      endpoint_(std::move(endpoint)),
      calls_(std::move(calls)),
      first_after_(first_after),
      thread_(&Reporter::Run, this) {}

Reporter::~Reporter() {
  stopping_ = true;
  thread_.join();
}

void Reporter::Run() {
  Requester requester(context_, endpoint_);
  requester.set_resend_after(kSilentAfter / 2);
  for (Rest(first_after_); !stopping_; Rest(hurry_ ? kHurry : kReportInterval)) {
    const bool answered = ReportOnce(requester, &stopping_);
    if (!stopping_) calls_.reported(answered);
  }
}

void Reporter::Rest(std::chrono::milliseconds time) const {
  for (auto waited = kTick; waited < time && !stopping_; waited += kTick) std::this_thread::sleep_for(kTick);
}

// Whether there was an answer.
bool Reporter::ReportOnce(Requester& requester, const std::atomic<bool>* cancel) {
  hurry_ = false;
  const auto asked = SteadyClock::now();
  const Buffer report = Encode(calls_.report());
  const auto reply =
      requester.Request(MessageType::kReport, {report}, SteadyClock::now() + kAnswerPatience, cancel);
  if (!reply || reply->parts() == 0) return false;
  if (reply->type() == MessageType::kOverview) {
    if (const auto overview = Decode<Overview>(reply->part(0))) Take(*overview, asked);
  } else if (reply->type() == MessageType::kRefusal) {
    if (const auto refusal = Decode<Refusal>(reply->part(0))) calls_.refused(*refusal);
  }
  return true;
}

void Reporter::Take(const Overview& overview, SteadyClock::time_point asked) {
  hurry_ = overview.hurry;
  calls_.heard(overview, asked);
}

}  // namespace hawser
