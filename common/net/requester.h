// A REQ socket that survives lost replies: one request at a time; on a timeout the socket is closed, opened
// anew and the same request is sent again. Callers make that harmless by numbering what has an effect
// (exactly once is the relay's side, see relay/sequencer.h).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"

namespace hawser {

// A message as it came: the envelope's type and the parts after the envelope, which it owns.
class Incoming {
 public:
  Incoming();
  ~Incoming();
  Incoming(Incoming&&) noexcept;
  Incoming& operator=(Incoming&&) noexcept;

  MessageType type() const;
  std::size_t parts() const;
  Bytes part(std::size_t index) const;  // valid as long as this object

  // As if it had come over a socket.
  static Incoming Of(MessageType type, std::vector<Buffer> parts);

  struct State;
  explicit Incoming(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

class Requester {
 public:
  // `endpoint` is like tcp://127.0.0.1:7401. Nothing is connected yet.
  Requester(NetContext& context, std::string endpoint);
  ~Requester();
  Requester(const Requester&) = delete;
  Requester& operator=(const Requester&) = delete;

  // Sends [envelope(type)][parts...] and waits for the reply, resending every `resend_after` until `deadline`
  // (nullopt: for ever) or until *cancel (checked at least ten times a second). Large parts are not copied;
  // when this returns, the socket no longer refers to any. Errors: ETIMEDOUT at the deadline and ECANCELED
  // when cancelled: then the outcome of the request is unknown; EINVAL or EPROTONOSUPPORT if the reply isn't
  // one this program can read. Not thread safe.
  Result<Incoming> Request(MessageType type, const std::vector<Bytes>& parts,
                           std::optional<Deadline> deadline, const std::atomic<bool>* cancel = nullptr);

  void set_resend_after(std::chrono::milliseconds time);  // default 2 s

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
