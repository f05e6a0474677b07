// A relay for tests that keeps its answers to itself until the test lets it answer.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/net/router.h"
#include "fuse_primary/shipper.h"
#include "tests/support/process.h"

namespace hawser::test {

class HeldRelay {
 public:
  using Numbers = std::vector<std::uint64_t>;
  // How a batch is answered; `nth` counts the answers given, from 0. An empty list makes no sense to anybody.
  using Manner = std::vector<Answer> (*)(const Numbers& numbers, int nth);

  static std::vector<Answer> AcceptAll(const Numbers& numbers, int nth);
  static std::vector<Answer> RefuseEven(const Numbers& numbers, int nth);
  static std::vector<Answer> FailFirst(const Numbers& numbers, int nth);
  static std::vector<Answer> BabbleFirst(const Numbers& numbers, int nth);

  HeldRelay();
  ~HeldRelay();
  HeldRelay(const HeldRelay&) = delete;
  HeldRelay& operator=(const HeldRelay&) = delete;

  const std::string& endpoint() const { return router_->endpoint(); }

  // Answers what has come and whatever comes from now on.
  void AnswerNow(Manner manner = AcceptAll);
  // The next of its answers is this instead, whatever it is; called again: the one after that.
  struct Oddity {
    MessageType type;
    std::vector<Buffer> parts;
  };
  void AnswerOnceOddly(Oddity oddity);

  // The batches that have come, by the numbers in them; resent ones too.
  std::vector<Numbers> batches() const;
  // Waits until so many have come. False after kPatience.
  bool AwaitBatches(std::size_t count) const;
  // Waits until so many records are in the outbox.
  static bool AwaitQueued(const Shipper& shipper, std::size_t count);

 private:
  void Run();
  Oddity ReplyTo(const Numbers& numbers, Manner manner, int nth);

  NetContext context_;
  std::unique_ptr<Router> router_;
  std::atomic<bool> stop_{false};
  std::atomic<Manner> manner_{nullptr};
  mutable Mutex mutex_;
  std::vector<Numbers> batches_ HAWSER_GUARDED_BY(mutex_);
  std::deque<Oddity> oddities_ HAWSER_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hawser::test
