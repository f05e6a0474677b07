// A primary's way to the relay's write port. The node's records go over one socket, one at a time, each a
// batch of its own; its numbers count up by one an answered record, so that the relay recognises a resend
// (exactly once).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "common/net/requester.h"
#include "common/record/record.h"

namespace hawser {

class RelayClient {
 public:
  RelayClient(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session)
      : context_(context),
        endpoint_(std::move(endpoint)),
        node_(std::move(node)),
        session_(session),
        lane_(new Lane(*this)) {}

  // Who has it is the one that sends.
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
    explicit Lane(const RelayClient& client);

    Result<Answer> Ask(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                       const std::atomic<bool>* cancel);
    Status WaitToAskAgain(const std::string& why, std::optional<Deadline> deadline,
                          const std::atomic<bool>* cancel) const;

    const RelayClient& client_;
    std::uint64_t answered_ = 0;
    Requester requester_;
  };

  // The lane for the length of one call; it goes back when it's destroyed. Waits for it; ETIMEDOUT,
  // ECANCELED: it was not to be had in time. Thread safe.
  struct GiveBack {
    RelayClient* client;
    void operator()(Lane*) const { client->Return(); }
  };
  using Loan = std::unique_ptr<Lane, GiveBack>;
  Result<Loan> Borrow(std::optional<Deadline> deadline, const std::atomic<bool>* cancel);

  // Begins the session at the relay: nothing of older sessions of this node is accepted from then on.
  Result<Welcome> Hello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel);

  const NodeName& node() const { return node_; }

 private:
  void Return();

  NetContext& context_;
  const std::string endpoint_;
  const NodeName node_;
  const std::uint64_t session_;
  const std::unique_ptr<Lane> lane_;
  Mutex mutex_;
  CondVar returned_;
  bool lent_ HAWSER_GUARDED_BY(mutex_) = false;
};

}  // namespace hawser
