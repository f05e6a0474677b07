#include "common/net/requester.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "common/base/crash_point.h"
#include "common/base/mutex.h"
#include "common/net/incoming.h"
#include "common/net/outgoing.h"
#include "common/net/socket.h"
#include "common/net/wake.h"

namespace hawser {

namespace {

constexpr auto kCancelCheck = std::chrono::milliseconds(50);

// Before the envelope of a request, and of its answer: its id, and an empty part.
using RequestId = std::uint32_t;
constexpr std::size_t kLead = 2;

struct Asked {
  RequestId id = 0;
  MessageType type = MessageType::kHello;
  std::vector<Payload> parts;
  Deadline sent_at;
  int sendings = 0;
  std::vector<zmq::message_t> answer = {};  // from the envelope on; empty: none yet
};

}  // namespace

struct Requester::State {
  State(NetContext& net, std::string to) : context(net), endpoint(std::move(to)) {}

  NetContext& context;
  const std::string endpoint;
  std::chrono::milliseconds resend_after = std::chrono::seconds(2);
  Wake wake;  // whoever waits has to look again

  Mutex mutex;
  std::optional<zmq::socket_t> socket HAWSER_GUARDED_BY(mutex);
  bool broken HAWSER_GUARDED_BY(mutex) = false;   // the socket is: what is under way needs another one
  bool waiting HAWSER_GUARDED_BY(mutex) = false;  // somebody waits for the socket's descriptor
  RequestId last_id HAWSER_GUARDED_BY(mutex) = 0;
  std::deque<Asked> under_way HAWSER_GUARDED_BY(mutex);

  void Send(Asked& asked) HAWSER_REQUIRES(mutex);
  void SendAllAnew() HAWSER_REQUIRES(mutex);
  bool HasInput() HAWSER_REQUIRES(mutex);
  bool Receive() HAWSER_REQUIRES(mutex);
  bool IsLate() const HAWSER_REQUIRES(mutex);
  Result<Reply> TakeFront() HAWSER_REQUIRES(mutex);
  void WaitForInput(Deadline until) HAWSER_REQUIRES(mutex);
  void Drop() HAWSER_REQUIRES(mutex);
};

// ---- sending

// Not ZMQ_IMMEDIATE: requests wait in the socket until the relay is there, so that sending never blocks.
void Requester::State::Send(Asked& asked) {
  const Buffer envelope = EncodeEnvelope(asked.type);
  std::vector<zmq::message_t> messages;
  messages.reserve(kLead + 1 + asked.parts.size());
  messages.emplace_back(&asked.id, sizeof asked.id);
  messages.emplace_back();
  messages.emplace_back(envelope.data(), envelope.size());
  for (const Payload& part : asked.parts) messages.push_back(SharePart(part));
  asked.sent_at = SteadyClock::now();
  ++asked.sendings;
  for (zmq::message_t& message : messages) {
    const auto more = &message == &messages.back() ? zmq::send_flags::none : zmq::send_flags::sndmore;
    static_cast<void>(socket->send(message, more | zmq::send_flags::dontwait));
  }
  CrashPoint("request.sent", endpoint);
}

void Requester::State::SendAllAnew() {
  socket.reset();
  socket = OpenSocket(context, zmq::socket_type::dealer, kRequestQueue);
  // What is under way is the bound: libzmq counts as waiting what it has sent, until it gets round to it.
  socket->set(zmq::sockopt::sndhwm, 0);
  socket->connect(endpoint);
  broken = false;
  for (Asked& asked : under_way)
    if (asked.answer.empty()) Send(asked);
}

bool Requester::State::IsLate() const {
  const auto oldest =
      std::ranges::find_if(under_way, [](const Asked& asked) { return asked.answer.empty(); });
  return oldest != under_way.end() && SteadyClock::now() >= oldest->sent_at + resend_after;
}

// ---- receiving

bool Requester::State::HasInput() { return (socket->get(zmq::sockopt::events) & ZMQ_POLLIN) != 0; }

// Takes one message from the socket. An answer to nothing that is under way is dropped.
bool Requester::State::Receive() {
  auto parts = ReceiveParts(*socket, zmq::recv_flags::dontwait);
  if (!parts) return false;
  RequestId id = 0;
  if (parts->size() <= kLead || parts->front().size() != sizeof id || !(*parts)[1].empty()) return true;
  std::memcpy(&id, parts->front().data(), sizeof id);
  parts->erase(parts->begin(), parts->begin() + kLead);
  const auto asked = std::ranges::find(under_way, id, &Asked::id);
  if (asked != under_way.end()) asked->answer = *std::move(parts);
  return true;
}

Result<Requester::Reply> Requester::State::TakeFront() {
  Asked asked = std::move(under_way.front());
  under_way.pop_front();
  auto message = ToIncoming(std::move(asked.answer));
  if (!message) {
    Drop();
    return message.error();
  }
  return Reply{*std::move(message), asked.sendings > 1};
}

// The socket's descriptor becomes readable when something may have changed; whoever uses the socket takes
// that away, and looks itself (Begin). Lets go of the lock meanwhile.
void Requester::State::WaitForInput(Deadline until) {
  pollfd fds[] = {{socket->get(zmq::sockopt::fd), POLLIN, 0}, {wake.fd(), POLLIN, 0}};
  waiting = true;
  mutex.Unlock();
  (void)::poll(fds, 2, ToTimeout(std::min<SteadyClock::duration>(until - SteadyClock::now(), kCancelCheck)));
  if (fds[1].revents != 0) wake.Clear();
  mutex.Lock();
  waiting = false;
}

void Requester::State::Drop() {
  socket.reset();
  broken = false;
  under_way.clear();
}

// ---- the interface

Requester::Requester(NetContext& context, std::string endpoint)
    : state_(std::make_unique<State>(context, std::move(endpoint))) {}
Requester::~Requester() = default;

void Requester::set_resend_after(std::chrono::milliseconds time) { state_->resend_after = time; }

void Requester::Begin(MessageType type, std::vector<Payload> parts) {
  State& state = *state_;
  const MutexLock lock(state.mutex);
  state.under_way.push_back({++state.last_id, type, std::move(parts), SteadyClock::now()});
  if (state.broken) return;
  try {
    if (state.socket) {
      state.Send(state.under_way.back());
    } else {
      state.SendAllAnew();
    }
    if (state.waiting && state.HasInput()) state.wake.Notify();
  } catch (const zmq::error_t&) {
    state.broken = true;  // Await tries again, and tells
    state.wake.Notify();
  }
}

Result<std::optional<Requester::Reply>> Requester::Await(Deadline until, const std::atomic<bool>* cancel) {
  State& state = *state_;
  const MutexLock lock(state.mutex);
  try {
    for (;;) {
      if (!state.under_way.empty() && !state.under_way.front().answer.empty()) {
        HAWSER_ASSIGN(Reply reply, state.TakeFront());
        return std::optional(std::move(reply));
      }
      if (SteadyClock::now() >= until || (cancel != nullptr && cancel->load())) return std::optional<Reply>();
      if (!state.socket || state.broken || state.IsLate()) state.SendAllAnew();
      if (!state.Receive()) state.WaitForInput(until);
    }
  } catch (const zmq::error_t& problem) {
    state.Drop();
    return NetError("cannot send a request to", state.endpoint, problem);
  }
}

void Requester::GiveUp() {
  const MutexLock lock(state_->mutex);
  state_->Drop();
}

Result<Incoming> Requester::Request(MessageType type, const std::vector<Bytes>& parts,
                                    std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  std::vector<Payload> copies;
  copies.reserve(parts.size());
  for (const Bytes part : parts) copies.push_back(Payload::CopyOf(part));
  Begin(type, std::move(copies));
  HAWSER_ASSIGN(std::optional<Reply> reply, Await(deadline.value_or(Deadline::max()), cancel));
  if (reply) return std::move(reply->message);
  GiveUp();
  if (cancel != nullptr && cancel->load()) return Error{ECANCELED, "waiting for " + state_->endpoint};
  return Error{ETIMEDOUT, "no answer from " + state_->endpoint};
}

}  // namespace hawser
