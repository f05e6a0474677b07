#include "common/net/requester.h"

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/net/incoming.h"
#include "common/net/outgoing.h"
#include "common/net/socket.h"

namespace hawser {

namespace {

constexpr auto kCancelCheck = std::chrono::milliseconds(50);
constexpr int kQueue = 16;  // a REQ socket has one message outstanding

}  // namespace

struct Requester::State {
  State(NetContext& net, std::string to) : context(net), endpoint(std::move(to)) {}

  NetContext& context;
  const std::string endpoint;
  std::chrono::milliseconds resend_after = std::chrono::seconds(2);
  ReleaseLatch latch;
  std::optional<zmq::socket_t> socket;

  void Open();
  void Close();
  void Send(MessageType type, const std::vector<Bytes>& parts);
  std::optional<std::vector<zmq::message_t>> AwaitReply(Deadline until, const std::atomic<bool>* cancel);
};

void Requester::State::Open() {
  if (socket) return;
  // Not ZMQ_IMMEDIATE: the request waits in the socket until the relay is there, so that sending never
  // blocks.
  zmq::socket_t opened = OpenSocket(context, zmq::socket_type::req, kQueue);
  opened.set(zmq::sockopt::rcvtimeo, ToTimeout(kCancelCheck));
  opened.connect(endpoint);
  socket = std::move(opened);
}

// With no lingering, libzmq drops what it has not sent and so releases the caller's parts.
void Requester::State::Close() {
  socket.reset();
  latch.AwaitRelease();
}

void Requester::State::Send(MessageType type, const std::vector<Bytes>& parts) {
  const Buffer envelope = EncodeEnvelope(type);
  const auto more = [&parts](std::size_t left) {
    return left < parts.size() ? zmq::send_flags::dontwait | zmq::send_flags::sndmore
                               : zmq::send_flags::dontwait;
  };
  // A fresh REQ socket has room: a result of "would block" cannot be, and would end in a resend.
  static_cast<void>(socket->send(zmq::message_t(envelope.data(), envelope.size()), more(0)));
  for (std::size_t i = 0; i < parts.size(); ++i)
    static_cast<void>(socket->send(latch.Lend(parts[i]), more(i + 1)));
}

std::optional<std::vector<zmq::message_t>> Requester::State::AwaitReply(Deadline until,
                                                                        const std::atomic<bool>* cancel) {
  bool shortened = false;
  std::optional<std::vector<zmq::message_t>> reply;
  while (!reply && !(cancel != nullptr && cancel->load())) {
    const auto left = until - SteadyClock::now();
    if (left <= SteadyClock::duration::zero()) break;
    if (left < kCancelCheck) {
      socket->set(zmq::sockopt::rcvtimeo, ToTimeout(left));
      shortened = true;
    }
    reply = ReceiveParts(*socket, zmq::recv_flags::none);
  }
  if (shortened && reply) socket->set(zmq::sockopt::rcvtimeo, ToTimeout(kCancelCheck));
  return reply;
}

Requester::Requester(NetContext& context, std::string endpoint)
    : state_(std::make_unique<State>(context, std::move(endpoint))) {}
Requester::~Requester() = default;

void Requester::set_resend_after(std::chrono::milliseconds time) { state_->resend_after = time; }

Result<Incoming> Requester::Request(MessageType type, const std::vector<Bytes>& parts,
                                    std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  try {
    for (;;) {
      state_->Open();
      state_->Send(type, parts);
      CrashPoint("request.sent", state_->endpoint);
      Deadline until = SteadyClock::now() + state_->resend_after;
      if (deadline) until = std::min(until, *deadline);
      if (auto reply = state_->AwaitReply(until, cancel)) {
        state_->latch.AwaitRelease();
        return ToIncoming(*std::move(reply));
      }
      state_->Close();
      if (cancel != nullptr && cancel->load()) return Error{ECANCELED, "waiting for " + state_->endpoint};
      if (deadline && SteadyClock::now() >= *deadline)
        return Error{ETIMEDOUT, "no answer from " + state_->endpoint};
    }
  } catch (const zmq::error_t& problem) {
    state_->Close();
    return NetError("cannot send a request to", state_->endpoint, problem);
  }
}

}  // namespace hawser
