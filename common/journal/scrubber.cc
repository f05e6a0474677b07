#include "common/journal/scrubber.h"

#include "common/base/log.h"

namespace hawser {

Scrubber::Scrubber(Parts parts, ScrubPace pace, const std::vector<JournalFault>& found)
    : parts_(std::move(parts)), pace_(pace), scrub_(parts_.folder) {
  scrub_.Recall();
  for (const JournalFault& fault : scrub_.faults())
    log::error("{} was found damaged before: {}", parts_.name, TextOf(fault));
  scrub_.Note(found);
  parts_.changed(scrub_.faults());
  thread_ = std::make_unique<PeriodicThread>(pace_.interval, [this] { Step(); });
}

void Scrubber::Step() {
  if (SteadyClock::now() < resting_until_) return;
  const Group durable = parts_.durable();
  if (durable == Group{}) return;  // there may be no journal yet
  const auto ended = scrub_.Step(pace_.step_bytes, durable);
  TellNews();
  if (ended && !*ended) return;
  if (!ended && !has_failed_)
    log::error("{} can't be read to look for damage: {}", parts_.name, ended.error().Text());
  has_failed_ = !ended;
  const bool soon = !ended || !scrub_.faults().empty();
  resting_until_ = SteadyClock::now() + (soon ? pace_.rest_damaged : pace_.rest);
}

void Scrubber::TellNews() {
  const JournalScrub::News news = scrub_.TakeNews();
  for (const JournalFault& fault : news.found) log::error("{} is damaged: {}", parts_.name, TextOf(fault));
  for (const JournalFault& fault : news.mended)
    log::info("{}: segment {} is whole again, or was dropped", parts_.name, fault.segment);
  if (!news.found.empty() || !news.mended.empty()) parts_.changed(scrub_.faults());
}

}  // namespace hawser
