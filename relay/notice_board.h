// What the relay's threads let each other know without waiting for each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "common/journal/fault.h"
#include "common/net/messages.h"
#include "common/record/record.h"

namespace hawser {

class NoticeBoard {
 public:
  // From the writer.
  struct Notes {
    std::vector<VolumeFact> volumes;
    std::vector<Progress> milestones;
    std::map<NodeName, std::uint64_t> sessions;  // each node's newest
    std::string journal_failure;                 // empty as long as the journal works
    std::map<NodeName, std::string> missing;     // as Evidence::missing
    std::map<VolumeName, Promote> made;          // how each volume's primary came to be that
  };

  void Post(Notes notes) {
    const MutexLock lock(mutex_);
    notes_ = std::move(notes);
  }
  Notes Read() const {
    const MutexLock lock(mutex_);
    return notes_;
  }

  // Notes::sessions alone: what each pull asks for.
  std::map<NodeName, std::uint64_t> ReadSessions() const {
    const MutexLock lock(mutex_);
    return notes_.sessions;
  }

  // When there was a word of a node's session.
  void HeardOf(const NodeName& node, std::uint64_t session, Deadline now) {
    const MutexLock lock(mutex_);
    Word& word = words_[node];
    if (session >= word.session) word = {session, now};
  }
  // Whether there was one after `since`.
  bool HasHeardOf(const NodeName& node, std::uint64_t session, Deadline since) const {
    const MutexLock lock(mutex_);
    const auto word = words_.find(node);
    return word != words_.end() && word->second.session == session && word->second.heard > since;
  }

  // From the scrub: what isn't whole in the journal.
  void PostDamage(std::vector<JournalFault> damage) {
    const MutexLock lock(mutex_);
    damage_ = std::move(damage);
  }
  std::vector<JournalFault> ReadDamage() const {
    const MutexLock lock(mutex_);
    return damage_;
  }

  // From control: requests are let lie until the journal's filesystem has room again.
  std::atomic<bool> hold_writers = false;
  // From control: a promotion is under way, of which the writer is to know soon.
  std::atomic<bool> promoting = false;
  // Messages that could not be taken, on all ports.
  std::atomic<std::uint64_t> refused = 0;

 private:
  mutable Mutex mutex_;
  Notes notes_ HAWSER_GUARDED_BY(mutex_);
  std::vector<JournalFault> damage_ HAWSER_GUARDED_BY(mutex_);
  struct Word {
    std::uint64_t session = 0;
    Deadline heard;
  };
  std::map<NodeName, Word> words_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
