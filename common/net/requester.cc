#include "common/net/requester.h"

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/net/incoming.h"
#include "common/net/outgoing.h"
#include "common/net/socket.h"

namespace hawser {

namespace {

constexpr auto kCancelCheck = std::chrono::milliseconds(50);

}  // namespace

struct Requester::State {
  State(NetContext& net, std::string to) : context(net), endpoint(std::move(to)) {}

  NetContext& context;
  const std::string endpoint;
  std::chrono::milliseconds resend_after = std::chrono::seconds(2);
  MessageType type = MessageType::kHello;  // of what is under way
  std::vector<Payload> parts;
  std::optional<zmq::socket_t> socket;  // set: the request has been sent over it
  Deadline resend_at;

  void Open();
  void Send();
  std::optional<std::vector<zmq::message_t>> AwaitReply(Deadline until, const std::atomic<bool>* cancel);
};

void Requester::State::Open() {
  // Not ZMQ_IMMEDIATE: the request waits in the socket until the relay is there, so that sending never
  // blocks.
  zmq::socket_t opened = OpenSocket(context, zmq::socket_type::req, kRequestQueue);
  opened.set(zmq::sockopt::rcvtimeo, ToTimeout(kCancelCheck));
  opened.connect(endpoint);
  socket = std::move(opened);
}

void Requester::State::Send() {
  const Buffer envelope = EncodeEnvelope(type);
  const auto more = [this](std::size_t left) {
    return left < parts.size() ? zmq::send_flags::dontwait | zmq::send_flags::sndmore
                               : zmq::send_flags::dontwait;
  };
  // A fresh REQ socket has room: a result of "would block" cannot be, and would end in a resend.
  static_cast<void>(socket->send(zmq::message_t(envelope.data(), envelope.size()), more(0)));
  for (std::size_t i = 0; i < parts.size(); ++i)
    static_cast<void>(socket->send(SharePart(parts[i]), more(i + 1)));
  resend_at = SteadyClock::now() + resend_after;
  CrashPoint("request.sent", endpoint);
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
  if (shortened) socket->set(zmq::sockopt::rcvtimeo, ToTimeout(kCancelCheck));
  return reply;
}

Requester::Requester(NetContext& context, std::string endpoint)
    : state_(std::make_unique<State>(context, std::move(endpoint))) {}
Requester::~Requester() = default;

void Requester::set_resend_after(std::chrono::milliseconds time) { state_->resend_after = time; }

void Requester::Begin(MessageType type, std::vector<Payload> parts) {
  if (under_way_) GiveUp();
  state_->type = type;
  state_->parts = std::move(parts);
  under_way_ = true;
  try {
    if (!state_->socket) state_->Open();
    state_->Send();
  } catch (const zmq::error_t&) {
    state_->socket.reset();  // Await tries again, and tells
  }
}

Result<std::optional<Incoming>> Requester::Await(Deadline until, const std::atomic<bool>* cancel) {
  try {
    while (SteadyClock::now() < until && !(cancel != nullptr && cancel->load())) {
      if (!state_->socket) {
        state_->Open();
        state_->Send();
      }
      if (auto reply = state_->AwaitReply(std::min(until, state_->resend_at), cancel)) {
        under_way_ = false;
        state_->parts.clear();
        HAWSER_ASSIGN(Incoming incoming, ToIncoming(*std::move(reply)));
        return std::optional(std::move(incoming));
      }
      if (SteadyClock::now() >= state_->resend_at) state_->socket.reset();
    }
    return std::optional<Incoming>();
  } catch (const zmq::error_t& problem) {
    state_->socket.reset();
    return NetError("cannot send a request to", state_->endpoint, problem);
  }
}

void Requester::GiveUp() {
  state_->socket.reset();  // a late answer goes nowhere
  state_->parts.clear();
  under_way_ = false;
}

Result<Incoming> Requester::Request(MessageType type, const std::vector<Bytes>& parts,
                                    std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  std::vector<Payload> copies;
  copies.reserve(parts.size());
  for (const Bytes part : parts) copies.push_back(Payload::CopyOf(part));
  Begin(type, std::move(copies));
  HAWSER_ASSIGN(std::optional<Incoming> reply, Await(deadline.value_or(Deadline::max()), cancel));
  if (reply) return *std::move(reply);
  GiveUp();
  if (cancel != nullptr && cancel->load()) return Error{ECANCELED, "waiting for " + state_->endpoint};
  return Error{ETIMEDOUT, "no answer from " + state_->endpoint};
}

}  // namespace hawser
