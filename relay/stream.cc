#include "relay/stream.h"

#include "common/base/log.h"
#include "relay/limits.h"

namespace hawser {

void Stream::Run() {
  Deadline next_head = SteadyClock::now();
  while (!frames_.closed()) {
    Status sent;
    const auto frame = frames_.Pop(next_head);
    if (frame && *frame) sent = PublishFrame(*frame);
    const bool too_large = frame && !*frame;
    if (sent && (too_large || SteadyClock::now() >= next_head)) {
      sent = PublishHead();
      next_head = SteadyClock::now() + kHeadInterval;
    }
    if (!sent) {
      log::error("the stream port has failed, secondaries fall behind until the relay is restarted: {}",
                 sent.error().Text());
      return;
    }
  }
}

Status Stream::PublishFrame(const std::shared_ptr<const DurableFrame>& durable) {
  std::vector<Bytes> parts{durable->frame.front};
  for (const Entry& entry : durable->frame.entries) {
    parts.push_back(entry.header);
    if (!entry.payload.empty()) parts.push_back(entry.payload);
  }
  return publisher_.Publish(MessageType::kFrame, parts, durable);
}

Status Stream::PublishHead() {
  auto body = std::make_shared<const Buffer>(Encode(Head{journal_.durable()}));
  const Bytes parts[] = {*body};
  return publisher_.Publish(MessageType::kHead, parts, body);
}

}  // namespace hawser
