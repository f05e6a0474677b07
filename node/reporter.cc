#include "node/reporter.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/heartbeat.h"
#include "common/net/requester.h"

namespace hawser {

namespace {

constexpr auto kAnswerPatience = std::chrono::seconds(2);
constexpr auto kTick = std::chrono::milliseconds(25);

}  // namespace

Reporter::Reporter(NetContext& context, std::string endpoint, Calls calls)
    : context_(context),
      endpoint_(std::move(endpoint)),
      calls_(std::move(calls)),
      thread_(&Reporter::Run, this) {}

Reporter::~Reporter() {
  stopping_ = true;
  thread_.join();
}

void Reporter::Run() {
  Requester requester(context_, endpoint_);
  while (!stopping_) {
    ReportOnce(requester, &stopping_);
    for (auto waited = kTick; waited < kReportInterval && !stopping_; waited += kTick)
      std::this_thread::sleep_for(kTick);
  }
}

// The relay being away is no news here: status says it, and whoever needs it waits by itself.
void Reporter::ReportOnce(Requester& requester, const std::atomic<bool>* cancel) {
  const Buffer report = Encode(calls_.report());
  const auto reply =
      requester.Request(MessageType::kReport, {report}, SteadyClock::now() + kAnswerPatience, cancel);
  if (!reply || reply->parts() == 0) return;
  if (reply->type() == MessageType::kOverview) {
    if (const auto overview = Decode<Overview>(reply->part(0))) calls_.heard(*overview);
  } else if (reply->type() == MessageType::kRefusal) {
    if (const auto refusal = Decode<Refusal>(reply->part(0))) calls_.refused(*refusal);
  }
}

}  // namespace hawser
