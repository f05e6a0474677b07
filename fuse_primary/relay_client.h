// A primary's way to the relay's write port: a pool of lanes. A lane is one REQ socket and has one record
// outstanding; its numbers count up by one an answered record, so that the relay recognises a resend (exactly
// once).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "common/net/requester.h"
#include "common/record/record.h"

namespace hawser {

// What the relay said to a record: where it is, or why it isn't taken.
using Answer = std::variant<Ack, Refusal>;

class RelayClient {
 public:
  RelayClient(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session)
      : context_(context), endpoint_(std::move(endpoint)), node_(std::move(node)), session_(session) {}

  class Lane {
   public:
    // The origin of the next record.
    Origin NextOrigin() const;

    // Sends a record whose origin is NextOrigin() and waits for the answer. ETIMEDOUT, ECANCELED: it isn't
    // known whether the relay has it; the same record must be sent again on this lane before any other. A
    // relay whose journal has failed doesn't know either, until it is restarted: it is asked again until
    // then.
    Result<Answer> Submit(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                          const std::atomic<bool>* cancel);

   private:
    friend class RelayClient;
    Lane(const RelayClient& client, std::uint32_t number);

    Result<Answer> Ask(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                       const std::atomic<bool>* cancel);
    Status WaitToAskAgain(const std::string& why, std::optional<Deadline> deadline,
                          const std::atomic<bool>* cancel) const;

    const RelayClient& client_;
    const std::uint32_t lane_;
    std::uint64_t answered_ = 0;
    Requester requester_;
  };

  // A lane for the length of one call; goes back to the pool when it's destroyed. Thread safe.
  struct GiveBack {
    RelayClient* client;
    void operator()(Lane* lane) const { client->Return(lane); }
  };
  using Loan = std::unique_ptr<Lane, GiveBack>;
  Loan Borrow();

  // Begins the session at the relay: nothing of older sessions of this node is accepted from then on.
  Result<Welcome> Hello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel);

  const NodeName& node() const { return node_; }

 private:
  void Return(Lane* lane);

  NetContext& context_;
  const std::string endpoint_;
  const NodeName node_;
  const std::uint64_t session_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Lane>> free_ HAWSER_GUARDED_BY(mutex_);
  std::uint32_t lanes_ HAWSER_GUARDED_BY(mutex_) = 0;
};

}  // namespace hawser
