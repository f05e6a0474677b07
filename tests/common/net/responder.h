// A peer for tests: a router that answers as the test says, in a thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "common/net/router.h"

namespace hawser::test {

constexpr auto kPatience = std::chrono::seconds(30);

inline Deadline Patience() { return SteadyClock::now() + kPatience; }

inline Buffer ToBuffer(std::string_view text) {
  const Bytes bytes = AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

class Responder {
 public:
  using Answer = std::function<void(Router&, Arrival&)>;

  Responder(const std::string& endpoint, Answer answer, const PeerLimits& limits = {}) {
    auto router = Router::Bind(context_, endpoint, Router::Queue::kManySmall, limits);
    if (!router) {
      ADD_FAILURE() << router.error().Text();
      return;
    }
    router_ = *std::move(router);
    endpoint_ = router_->endpoint();
    thread_ = std::thread([this, answer] {
      while (!stop_.load()) {
        auto arrival = router_->Receive(std::chrono::milliseconds(10));
        if (arrival && *arrival) answer(*router_, **arrival);
      }
    });
  }
  ~Responder() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  NetContext context_;  // its own: when it has gone, the port is free again
  std::unique_ptr<Router> router_;
  std::string endpoint_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// Answers each request by its own parts.
inline void Echo(Router& router, Arrival& arrival) {
  std::vector<Buffer> parts;
  for (std::size_t i = 0; arrival.message && i < arrival.message->parts(); ++i) {
    const Bytes part = arrival.message->part(i);
    parts.emplace_back(part.begin(), part.end());
  }
  router.Reply(arrival.from, MessageType::kAnswers, std::move(parts));
}

}  // namespace hawser::test
