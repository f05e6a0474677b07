#include "common/record/codec.h"
#include "tests/sim/relay_machine.h"

namespace hawser::sim {

JournalStatus WatchedJournal::Append(std::span<const Frame* const> frames) {
  if (!life_->dead) {
    for (const Frame* frame : frames) checker_.Appended(*frame);
  }
  JournalStatus appended = ForwardingJournal::Append(frames);
  if (life_->dead) return appended;
  // Nothing of them was written. After any other failure the disk may have them.
  if (!appended && appended.why() == JournalFailure::kNoRoom)
    checker_.Abandoned(frames.front()->header.group);
  if (appended && on_appended_) {
    for (const Frame* frame : frames) on_appended_(*frame);
  }
  return appended;
}

JournalStatus WatchedJournal::Flush() {
  if (!world_.mutations().Has(Fault::kReplyBeforeFlush)) return FlushNow();
  world_.After(milliseconds(1), life_, [this] { static_cast<void>(FlushNow()); });
  return {};
}

JournalStatus WatchedJournal::FlushNow() {
  // What the disk has is what counts, also when the process ends before it hears of it.
  const Progress appended = ForwardingJournal::appended();
  JournalStatus flushed = ForwardingJournal::Flush();
  if (flushed) checker_.Durable(appended);
  return flushed;
}

// A relay that answers before it flushes would take what is appended for durable everywhere.
Progress WatchedJournal::durable() const {
  return world_.mutations().Has(Fault::kReplyBeforeFlush) ? ForwardingJournal::appended()
                                                          : ForwardingJournal::durable();
}

JournalStatus OldJournal::Append(std::span<const Frame* const> frames) {
  const Entry& entry = frames.front()->entries.front();
  const auto record = DecodeRecord(entry.header, entry.payload);
  world_.Fail(kI1, "on a journal that has gone back is written: " +
                       (record ? Describe(*record) : record.error().message));
  return ForwardingJournal::Append(frames);
}

}  // namespace hawser::sim
