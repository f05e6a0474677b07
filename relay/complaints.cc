#include "relay/complaints.h"

#include <fmt/format.h>

#include "common/base/log.h"

namespace hawser {

void Complaints::Note(const std::string& text) {
  ++board_.refused;
  const Deadline now = SteadyClock::now();
  if (last_ && now - *last_ < std::chrono::seconds(1)) {
    ++unwritten_;
    return;
  }
  log::warn("{} port: refused: {}{}", port_, text,
            unwritten_ == 0 ? std::string() : fmt::format(" (and {} more)", unwritten_));
  last_ = now;
  unwritten_ = 0;
}

void Refuse(Answerer& answerer, const Asker& asker, const Refusal& refusal, Complaints& complaints) {
  complaints.Note(refusal.text);
  std::vector<Buffer> parts;
  parts.push_back(Encode(refusal));
  answerer.Reply(asker, MessageType::kRefusal, std::move(parts));
}

Refusal Unreadable(const Error& why) {
  return {why.code == EPROTONOSUPPORT ? RefusalCode::kWrongVersion : RefusalCode::kBadMessage, why.message};
}

Refusal Misplaced(const Incoming& message, const std::string& port) {
  return {RefusalCode::kBadMessage, fmt::format("a message of type {} with {} parts is not for the {} port",
                                                static_cast<int>(message.type()), message.parts(), port)};
}

}  // namespace hawser
