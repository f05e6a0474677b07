#include "tests/fuse_secondary/fake_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

#include "common/journal/reader.h"
#include "common/record/codec.h"

namespace hawser::test {

namespace {

constexpr std::chrono::milliseconds kHeadEvery{50};
constexpr std::chrono::seconds kPortPatience{30};

[[noreturn]] void Must(const Error& error) {
  std::fprintf(stderr, "fake relay: %s\n", error.Text().c_str());
  std::abort();
}

void Must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "fake relay: %s\n", status.error().Text().c_str());
  std::abort();
}

template <class T>
T Must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "fake relay: %s\n", result.error().Text().c_str());
    std::abort();
  }
  return *std::move(result);
}

std::uint16_t PortOf(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

// A frame's records in memory of its own.
struct OwnedFrame {
  std::vector<Buffer> headers;
  std::vector<std::string> payloads;
  Frame frame;
};

}  // namespace

FakeRelay::FakeRelay(const std::string& journal_folder) : folder_(journal_folder) {
  RecoveryReport report;
  journal_ = Must(OpenJournal({.folder = folder_, .segment_bytes = 256 * kKiB}, {}, report));
  config_.stream_port = 0;
  config_.control_port = 0;
  ComeBack();
}

FakeRelay::~FakeRelay() { GoAway(); }

Progress FakeRelay::head() const {
  const std::lock_guard lock(mutex_);
  return journal_->durable();
}

void FakeRelay::Bind() {
  publisher_ = Must(Publisher::Bind(context_, config_.StreamEndpoint(), 1000));
  router_ = Must(Router::Bind(context_, config_.ControlEndpoint()));
  config_.stream_port = PortOf(publisher_->endpoint());
  config_.control_port = PortOf(router_->endpoint());
  held_stream_.Reset();
  held_control_.Reset();
}

UniqueFd FakeRelay::Hold(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The socket that was closed listens for a moment longer.
  const Deadline deadline = SteadyClock::now() + kPortPatience;
  while (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EADDRINUSE || SteadyClock::now() > deadline) Must(ErrnoError("cannot hold a port"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return fd;
}

void FakeRelay::ComeBack() {
  Bind();
  stop_ = false;
  thread_ = std::thread([this] { Serve(); });
}

void FakeRelay::GoAway() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  if (publisher_ == nullptr) return;
  publisher_.reset();
  router_.reset();
  held_stream_ = Hold(config_.stream_port);
  held_control_ = Hold(config_.control_port);
}

void FakeRelay::Serve() {
  Deadline next_head = SteadyClock::now();
  while (!stop_) {
    if (SteadyClock::now() >= next_head) {
      next_head = SteadyClock::now() + kHeadEvery;
      const std::lock_guard lock(mutex_);
      const auto head = std::make_shared<Buffer>(Encode(Head{journal_->durable()}));
      const Bytes part(*head);
      Must(publisher_->Publish(MessageType::kHead, {&part, 1}, head));
    }
    const auto arrival = Must(router_->Receive(kHeadEvery / 2));
    if (arrival && arrival->message && arrival->message->type() == MessageType::kPull)
      AnswerPull(*arrival->message, arrival->from);
  }
}

void FakeRelay::AnswerPull(const Incoming& request, const Asker& asker) {
  ++pulls_;
  const Pull pull = Must(Decode<Pull>(request.part(0)));
  PullReply reply;
  reply.head = head();
  Buffer frames;
  auto reader = OpenJournalReader(folder_, pull.after);
  if (!reader) {
    reply.answer = reader.error().code == ENODATA ? PullReply::Answer::kGone : PullReply::Answer::kDiverged;
    reply.text = reader.error().message;
  } else {
    frames = Must((*reader)->NextBytes(reply.head.position.group, pull.max_bytes));
  }
  router_->Reply(asker, MessageType::kFrames, {Encode(reply), std::move(frames)});
}

void FakeRelay::Group(const std::vector<Written>& records, bool publish) {
  const auto owned = std::make_shared<OwnedFrame>();
  std::vector<Entry> entries;
  for (const Written& written : records) {
    owned->headers.push_back(EncodeRecord(written.record));
    owned->payloads.push_back(written.payload);
  }
  for (std::size_t i = 0; i < records.size(); ++i)
    entries.push_back({Bytes(owned->headers[i]), AsBytes(owned->payloads[i])});
  const std::lock_guard lock(mutex_);
  owned->frame = MakeFrame(journal_->appended(), {time_++}, std::move(entries));
  Must(journal_->Append(owned->frame));
  Must(journal_->Flush());
  if (publish && publisher_ != nullptr) Publish(owned->frame, owned);
}

void FakeRelay::Republish(hawser::Group group) {
  const auto reader = Must(OpenJournalReader(folder_, {}));
  while (const auto frame = Must(reader->Next(group))) {
    if (frame->header.group != group) continue;
    const auto owned = std::make_shared<OwnedFrame>();
    std::vector<Entry> entries;
    for (const Entry& entry : frame->entries) {
      owned->headers.emplace_back(entry.header.begin(), entry.header.end());
      owned->payloads.emplace_back(AsText(entry.payload));
    }
    for (std::size_t i = 0; i < owned->headers.size(); ++i)
      entries.push_back({Bytes(owned->headers[i]), AsBytes(owned->payloads[i])});
    owned->frame = {.header = frame->header, .front = frame->front, .entries = std::move(entries)};
    const std::lock_guard lock(mutex_);
    Publish(owned->frame, owned);
    return;
  }
}

void FakeRelay::Publish(const Frame& frame, std::shared_ptr<const void> owner) {
  std::vector<Bytes> parts{Bytes(frame.front)};
  for (const Entry& entry : frame.entries) {
    parts.push_back(entry.header);
    parts.push_back(entry.payload);
  }
  Must(publisher_->Publish(MessageType::kFrame, parts, std::move(owner)));
}

}  // namespace hawser::test
