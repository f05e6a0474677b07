#include "node/relay_news.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  if (silent_) {
    const std::string since = last ? fmt::format(" (last heard of {:.1f} s ago)", Seconds(now - *last)) : "";
    return log::Line{true, fmt::format("the relay at {} doesn't answer{}; it is asked again and again: see "
                                       "whether it runs, and whether this machine reaches it",
                                       endpoint_, since)};
  }
  const std::string after = last ? fmt::format(" after {:.1f} s", Seconds(now - *last)) : "";
  return log::Line{false, fmt::format("the relay at {} answers again{}", endpoint_, after)};
}

std::optional<log::Line> RelayNews::Waiting(const Changes& changes, Deadline now) {
  const auto before = standstill_;
  const std::uint64_t refused_before = std::exchange(refused_, changes.refused);
  const std::uint64_t refused = before ? changes.refused - before->refused : 0;
  if (changes.waiting == 0 || !before || before->answered != changes.answered) {
    standstill_.reset();
    if (changes.waiting > 0)
      standstill_ = Standstill{changes.answered, refused_before, now, now + kSilentAfter, false};
    if (!before || (!before->said && refused == 0)) return std::nullopt;
    const std::string others = refused > 0 ? fmt::format("; {} were refused meanwhile", refused) : "";
    return log::Line{false,
                     fmt::format("changes go on after {:.1f} s{}", Seconds(now - before->since), others)};
  }
  const bool news = refused > 0 && !before->said;
  if (now < before->say_at && !news) return std::nullopt;
  const auto waited = now - before->since;
  standstill_->say_at = now + std::min<SteadyClock::duration>(waited * kGrowth, kMostBetween);
  standstill_->said = true;
  const std::string others = refused > 0 ? fmt::format("; others are refused, {} so far", refused) : "";
  return log::Line{true, fmt::format("{} change{} wait{} for the relay's answer, for {:.1f} s by now{}",
                                     changes.waiting, changes.waiting == 1 ? "" : "s",
                                     changes.waiting == 1 ? "s" : "", Seconds(waited), others)};
}

}  // namespace hawser
