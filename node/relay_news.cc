#include "node/relay_news.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/net/heartbeat.h"

namespace hawser {

namespace {

constexpr int kGrowth = 3;
constexpr auto kMostBetween = std::chrono::minutes(10);

double Seconds(SteadyClock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::optional<log::Line> RelayNews::Reported(bool answered, Deadline now) {
  const auto last = heard_;
  if (answered) heard_ = now;
  if (answered == !silent_) return std::nullopt;
  silent_ = !answered;
  if (silent_)
    return log::Line{true,
                     fmt::format("the relay at {} doesn't answer; it is asked again and again", endpoint_)};
  const std::string after = last ? fmt::format(" after {:.1f} s", Seconds(now - *last)) : "";
  return log::Line{false, fmt::format("the relay at {} answers again{}", endpoint_, after)};
}

std::optional<log::Line> RelayNews::Waiting(std::size_t changes, std::uint64_t answered, Deadline now) {
  const auto before = standstill_;
  if (changes == 0 || !before || before->answered != answered) {
    standstill_.reset();
    if (changes > 0) standstill_ = Standstill{answered, now, now + kSilentAfter, false};
    if (!before || !before->said) return std::nullopt;
    return log::Line{false, fmt::format("changes go on after {:.1f} s", Seconds(now - before->since))};
  }
  if (now < before->say_at) return std::nullopt;
  const auto waited = now - before->since;
  standstill_->say_at = now + std::min<SteadyClock::duration>(waited * kGrowth, kMostBetween);
  standstill_->said = true;
  return log::Line{true,
                   fmt::format("{} change{} wait{} for the relay's answer, for {:.1f} s by now", changes,
                               changes == 1 ? "" : "s", changes == 1 ? "s" : "", Seconds(waited))};
}

}  // namespace hawser
