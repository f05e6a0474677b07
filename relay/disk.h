// The thread that may wait for the disk: it reads frames for secondaries that pull, measures the free space
// and drops old segments. Asked by control through a queue; answers through another and wakes control.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "common/journal/journal.h"
#include "common/net/messages.h"
#include "common/net/router.h"
#include "common/net/wake.h"
#include "relay/pull_server.h"
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

class DiskWorker {
 public:
  struct Parts {
    std::string folder;  // the journal's
    Journal& journal;
    std::function<Result<std::uint64_t>(const std::string& folder)> free_bytes;
    Queue<DiskJob>& jobs;
    Queue<DiskResult>& results;
    const Wake& wake;
  };

  explicit DiskWorker(Parts parts) : parts_(std::move(parts)), pulls_(parts_.journal) {}

  // Serves until the queue of jobs is closed.
  void Run();

 private:
  void Do(const PullJob& job);
  void Do(const MeasureJob& job);
  void Do(const DropJob& job);

  const Parts parts_;
  PullServer pulls_;
};

// Bytes free for this process on the filesystem of `folder`.
Result<std::uint64_t> FreeBytes(const std::string& folder);

}  // namespace hawser
