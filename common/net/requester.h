// A REQ socket that survives lost replies: one request at a time; on a timeout the socket is closed, opened
// anew and the same request is sent again. Callers make that harmless by numbering what has an effect
// (exactly once is the relay's side, see relay/sequencer.h).
//
// Not thread safe, but not bound to a thread either: calls may come from one thread after the other, with a
// lock in between that orders them.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/payload.h"
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

  // Sends [envelope(type)][parts...], in place of a request that may still be under way. Large parts are not
  // copied: they are shared with the socket. Never blocks.
  void Begin(MessageType type, std::vector<Payload> parts);

  // Waits for the answer to what was begun, sending it again as often as its time has come; nullopt: none
  // until `until` or until *cancel (checked at least ten times a second), and it is still under way: call
  // again, from any thread, as long as it's one at a time. Errors: EINVAL or EPROTONOSUPPORT if the answer
  // isn't one that this program can read; of ZeroMQ's.
  Result<std::optional<Incoming>> Await(Deadline until, const std::atomic<bool>* cancel = nullptr);

  // Whether something was begun and not answered.
  bool under_way() const { return under_way_; }

  // Both, for small requests: the parts are copied. nullopt for `deadline`: waits for ever. Errors: ETIMEDOUT
  // at the deadline and ECANCELED when cancelled: then the outcome of the request is unknown; those of Await.
  Result<Incoming> Request(MessageType type, const std::vector<Bytes>& parts,
                           std::optional<Deadline> deadline, const std::atomic<bool>* cancel = nullptr);

  void set_resend_after(std::chrono::milliseconds time);  // default 2 s

 private:
  void GiveUp();

  struct State;
  std::unique_ptr<State> state_;
  bool under_way_ = false;
};

}  // namespace hawser
