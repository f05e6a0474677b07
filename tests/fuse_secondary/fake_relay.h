// The relay's sending side with real sockets and a real journal, whose losses and lies a test decides.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "common/journal/journal.h"
#include "common/net/publisher.h"
#include "common/net/router.h"
#include "tests/volume/store/author.h"

namespace hawser::test {

class FakeRelay {
 public:
  explicit FakeRelay(const std::string& journal_folder);
  ~FakeRelay();

  const RelayConfig& config() const { return config_; }
  Progress head() const;
  std::uint64_t pulls() const { return pulls_; }
  Journal& journal() { return *journal_; }

  // Journals the records as one write group, and publishes it unless told to lose it.
  void Group(const std::vector<Written>& records, bool publish = true);
  // Publishes a group that is in the journal once more.
  void Republish(hawser::Group group);

  // Away: nothing is sent or answered, and ports are closed.
  void GoAway();
  void ComeBack();

 private:
  void Bind();
  static UniqueFd Hold(std::uint16_t port);
  void Serve();
  void AnswerPull(const Incoming& request, const Asker& asker);
  void Publish(const Frame& frame, std::shared_ptr<const void> owner);

  const std::string folder_;
  NetContext context_;
  RelayConfig config_;
  std::unique_ptr<Journal> journal_;
  mutable std::mutex mutex_;  // of the publisher and the journal's appending side
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Router> router_;
  // While away: bound and not listening, so that connecting fails and nobody else gets the port. (An
  // ephemeral port that is free would even be connected to itself.)
  UniqueFd held_stream_;
  UniqueFd held_control_;
  std::atomic<std::uint64_t> pulls_ = 0;
  std::atomic<bool> stop_ = false;
  std::int64_t time_ = 1;
  std::thread thread_;
};

}  // namespace hawser::test
