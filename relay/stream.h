// The stream: durable frames go to all secondaries at once, and the head every 250 ms (kHeadInterval), so
// that each knows what it lacks. Nobody waits for it: what doesn't fit a queue is pulled later (disk.h).
#pragma once

#include "common/journal/journal.h"
#include "common/net/publisher.h"
#include "relay/writer.h"

namespace hawser {

class Stream {
 public:
  Stream(Publisher& publisher, const Journal& journal, FrameQueue& frames)
      : publisher_(publisher), journal_(journal), frames_(frames) {}

  // Serves until the queue is closed.
  void Run();

 private:
  Status PublishFrame(const std::shared_ptr<const DurableFrame>& durable);
  Status PublishHead();

  Publisher& publisher_;
  const Journal& journal_;
  FrameQueue& frames_;
};

}  // namespace hawser
