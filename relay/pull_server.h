// Answers pulls: whole frames of the journal by position, in bounded batches. Reads files, knows no sockets.
// One thread (disk.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/journal/journal.h"
#include "common/journal/reader.h"
#include "common/net/messages.h"

namespace hawser {

class PullServer {
 public:
  // The journal outlives this.
  explicit PullServer(const Journal& journal) : journal_(journal) {}

  struct Answer {
    PullReply reply;
    Buffer frames;  // durable ones only
  };
  Answer Serve(const Pull& pull, Deadline now);

  void CloseIdleReaders(Deadline now);
  // Of those that stand in what has been dropped: its room on the disk is free only then.
  void CloseDroppedReaders();

 private:
  // Secondaries pull one batch after the other: each one's reader stands where the next batch begins.
  struct Cached {
    std::unique_ptr<JournalReader> reader;
    Deadline used;
  };

  std::optional<PullReply> CheckAfter(const Position& after, const Progress& head) const;
  Result<Buffer> Read(const Pull& pull, const Progress& head, Deadline now);

  const Journal& journal_;
  std::map<NodeName, Cached> readers_;
};

}  // namespace hawser
