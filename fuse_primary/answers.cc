#include "fuse_primary/answers.h"

#include <fmt/format.h>

namespace hawser {

Result<std::vector<Answer>> AnswersIn(const Incoming& reply, std::size_t records) {
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kAnswers) {
    HAWSER_ASSIGN(Answers answers, Decode<Answers>(body));
    return std::move(answers.answers);
  }
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(const Refusal refusal, Decode<Refusal>(body));
    return std::vector<Answer>(records, refusal);
  }
  return Error{EPROTO,
               fmt::format("records were answered by a message of type {}", static_cast<int>(reply.type()))};
}

std::optional<Progress> NewestIn(const std::vector<Answer>& answers) {
  std::optional<Progress> newest;
  for (const Answer& answer : answers) {
    const auto* ack = std::get_if<Ack>(&answer);
    if (ack == nullptr) continue;
    if (!newest || ack->group.position.group > newest->position.group) newest = ack->group;
  }
  return newest;
}

}  // namespace hawser
