// The thread that may wait for the disk: it reads frames for secondaries that pull, measures the free space
// and drops old segments. Asked by control through a queue; answers through another and wakes control.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "common/journal/journal.h"
#include "common/journal/reader.h"
#include "common/net/messages.h"
#include "common/net/router.h"
#include "common/net/wake.h"
#include "relay/queue.h"

namespace hawser {

struct PullJob {
  Asker from;
  Pull pull;
};
struct MeasureJob {};
struct DropJob {
  Group through;
};
using DiskJob = std::variant<PullJob, MeasureJob, DropJob>;

struct Pulled {
  Asker to;
  PullReply reply;
  Buffer frames;
};
struct Measured {
  std::uint64_t free_bytes = 0;
};
using DiskResult = std::variant<Pulled, Measured>;

class Disk {
 public:
  struct Parts {
    std::string folder;  // the journal's
    Journal& journal;
    std::function<Result<std::uint64_t>(const std::string& folder)> free_bytes;
    Queue<DiskJob>& jobs;
    Queue<DiskResult>& results;
    const Wake& wake;
  };

  explicit Disk(Parts parts) : parts_(std::move(parts)) {}

  // Serves until the queue of jobs is closed.
  void Run();

 private:
  // Secondaries pull one batch after the other: each one's reader stands where the next batch begins.
  struct Cached {
    std::unique_ptr<JournalReader> reader;
    Deadline used;
  };

  void Do(const PullJob& job);
  void Do(const MeasureJob& job);
  void Do(const DropJob& job);
  std::optional<PullReply> CheckAfter(const Position& after, const Progress& head) const;
  Result<Buffer> Read(const Pull& pull, const Progress& head);
  void CloseIdleReaders();

  const Parts parts_;
  std::map<NodeName, Cached> readers_;
};

// Bytes free for this process on the filesystem of `folder`.
Result<std::uint64_t> FreeBytes(const std::string& folder);

}  // namespace hawser
