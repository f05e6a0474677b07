#include "fuse_secondary/receiver.h"

#include "common/base/log.h"

namespace hawser {

namespace {

constexpr std::chrono::milliseconds kListenFor{100};
constexpr std::chrono::milliseconds kPullPatience{3000};
constexpr std::chrono::milliseconds kPullResend{1000};
// The relay announces its head several times a second: without a word for so long the stream is lost.
constexpr std::chrono::milliseconds kSilence{2000};
constexpr std::uint64_t kDrainBytes = 8 * kMiB;  // taken from the stream before a flush

}  // namespace

Receiver::Receiver(NetContext& context, const RelayConfig& relay, OwnJournal& journal, const Progress& start,
                   ReplicaBoard& board, ReceiverOptions options)
    : context_(context),
      relay_(relay),
      options_(std::move(options)),
      intake_(journal, start, board, {options_.sender, options_.pull_bytes, options_.retry_every}),
      requester_(context, relay.ControlEndpoint()) {
  requester_.set_resend_after(kPullResend);
  thread_ = std::thread([this] { Run(); });
}

void Receiver::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Receiver::Run() {
  stream_ = std::make_unique<Subscriber>(context_, relay_.StreamEndpoint(), options_.stream_queue);
  while (!stop_) {
    if (intake_.Ready(SteadyClock::now()) && intake_.PullIsDue(SteadyClock::now())) {
      Pull();
    } else {
      Listen();
    }
  }
  stream_.reset();
}

void Receiver::Listen() {
  Deadline deadline = SteadyClock::now() + kListenFor;
  const std::uint64_t begun = intake_.appended_bytes();
  while (!stop_) {
    auto message = stream_->Receive(deadline);
    if (!message) {
      log::warn("the relay's stream can't be read: {}", message.error().Text());
      std::this_thread::sleep_for(kListenFor);
      return;
    }
    if (!*message) break;
    heard_ = SteadyClock::now();
    intake_.TakeFromStream(**message, SteadyClock::now());
    if (intake_.must_pull() || intake_.appended_bytes() > begun + kDrainBytes) break;
    deadline = SteadyClock::now();  // from here on only what is waiting already
  }
  intake_.Commit(SteadyClock::now());
  if (SteadyClock::now() - heard_ < kSilence) return;
  intake_.StreamIsSilent();
  heard_ = SteadyClock::now();
}

void Receiver::Pull() {
  const Buffer request = intake_.PullRequest();
  const auto reply =
      requester_.Request(MessageType::kPull, {Bytes(request)}, SteadyClock::now() + kPullPatience, &stop_);
  if (!reply) return intake_.PullFailed(SteadyClock::now());
  intake_.TakeFromPull(*reply, SteadyClock::now());
  intake_.Commit(SteadyClock::now());
}

}  // namespace hawser
