#include "tests/sim/relay_machine.h"

namespace hawser::sim {

Status WatchedJournal::Append(const Frame& frame) {
  if (!life_->dead) checker_.Appended(frame);
  Status appended = journal_->Append(frame);
  // Nothing of it was written. After any other failure the disk may have it.
  if (!appended && IsNoRoom(appended.error()) && !life_->dead) checker_.Abandoned(frame.header.group);
  if (appended && on_appended_ && !life_->dead) on_appended_(frame);
  return appended;
}

Status WatchedJournal::Flush() {
  if (!world_.mutations().Has(Fault::kReplyBeforeFlush)) return FlushNow();
  world_.After(milliseconds(1), life_, [this] { static_cast<void>(FlushNow()); });
  return {};
}

Status WatchedJournal::FlushNow() {
  // What the disk has is what counts, also when the process ends before it hears of it.
  const Progress appended = journal_->appended();
  Status flushed = journal_->Flush();
  if (flushed) checker_.Durable(appended);
  return flushed;
}

// A relay that answers before it flushes would take what is appended for durable everywhere.
Progress WatchedJournal::durable() const {
  return world_.mutations().Has(Fault::kReplyBeforeFlush) ? journal_->appended() : journal_->durable();
}

}  // namespace hawser::sim
