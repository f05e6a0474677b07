// A secondary's own journal: the relay's frames, the same bytes, in the node's state folder. It makes the
// replica whole without the relay, and replay reads from it alone.
//
// A failure poisons a journal until it is opened again; here that can be done over and over, while readers of
// its files and the checkpointer go on.
#pragma once

#include <memory>
#include <string>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "common/journal/journal.h"

namespace hawser {

class OwnJournal {
 public:
  explicit OwnJournal(JournalOptions options) : options_(std::move(options)) {}

  const std::string& folder() const { return options_.folder; }

  // The receiver, or before there are threads.
  Result<bool> Exists() const { return JournalExists(options_.folder); }
  // Opens it, or begins it after `start`. A tail that was cut is logged.
  Status Open(const Progress& start);
  // Gives up what there is and begins after `start`. A crash halfway leaves a beginning of the old one.
  Status BeginAnew(const Progress& start);
  bool is_open() const { return journal_ != nullptr; }
  void Close();
  // Any failure closes it.
  Status Append(const Frame& frame);
  Status Flush();
  // It is open.
  Progress appended() const { return journal_->appended(); }
  Progress durable() const { return journal_->durable(); }
  Progress oldest() const { return journal_->oldest(); }

  // Any thread. Does nothing while it is closed.
  Status DropThrough(Group group);
  // Any thread; also while it is closed after a failure: what was durable can be read. As Journal's.
  Result<std::unique_ptr<JournalReader>> OpenReader(const Position& after);

 private:
  Status CloseOnFailure(Status status);

  const JournalOptions options_;
  // Held to open and to close, to drop, and to open a reader: a journal isn't closed while it is asked for
  // something.
  Mutex mutex_;
  std::unique_ptr<Journal> journal_;
};

}  // namespace hawser
