// The asking end of REQ and REP: sends requests and takes their answers, also when messages get lost. On the
// wire it is a REQ peer (ZMQ_REQ_CORRELATE); inside it is a DEALER socket, so that more than one request may
// be under way. They arrive in the order in which they were begun, or not at all, and the answers are given
// in that order. If the oldest has no answer in time, the socket is closed, a new one is opened, and all that
// is under way is sent again. Callers make that harmless by numbering what has an effect (exactly once is the
// relay's side, see relay/sequencer.h).
//
// Begin() may be called by any thread at any time. Await(), GiveUp() and Request() are one thread's at a
// time, but not always the same one's: a lock orders them.
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

  // Sends [envelope(type)][parts...] behind what is under way, of which at most some ten may be at a time
  // (kRequestQueue in socket.h). Large parts are not copied: they are shared with the socket. Never blocks.
  void Begin(MessageType type, std::vector<Payload> parts);

  struct Reply {
    Incoming message;
    bool sent_again = false;  // the request went out more than once: an earlier peer may have taken it, too
  };
  // Waits for the answer to the oldest request under way, sending again as often as its time has come;
  // nullopt: none until `until` or until *cancel (checked at least ten times a second): call again. Waits
  // too while nothing is under way. Errors: EINVAL or EPROTONOSUPPORT if the answer isn't one that this
  // program can read; of ZeroMQ's. After an error nothing is under way any more.
  Result<std::optional<Reply>> Await(Deadline until, const std::atomic<bool>* cancel = nullptr);

  // Nothing is under way any more: late answers go nowhere.
  void GiveUp();

  // Both, for small requests, of which one is under way at a time: the parts are copied. nullopt for
  // `deadline`: waits for ever. Errors: ETIMEDOUT at the deadline and ECANCELED when cancelled: then the
  // outcome of the request is unknown; those of Await.
  Result<Incoming> Request(MessageType type, const std::vector<Bytes>& parts,
                           std::optional<Deadline> deadline, const std::atomic<bool>* cancel = nullptr);

  void set_resend_after(std::chrono::milliseconds time);  // default 2 s; before the first request

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
