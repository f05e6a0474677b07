#include "relay/forming.h"

#include <algorithm>

#include "common/net/limits.h"
#include "common/record/codec.h"
#include "relay/limits.h"

namespace hawser {

Forming::FormingGroup& Forming::GroupAt(const Place& place) {
  if (place.group >= groups_.size()) groups_.resize(place.group + 1);
  return groups_[place.group];
}

std::optional<Answers> Forming::Add(const Asker& asker, const Submission& submission,
                                    std::vector<Ruling> rulings) {
  Waiting waiting{asker, {}};
  waiting.records.reserve(rulings.size());
  for (std::size_t i = 0; i < rulings.size(); ++i) {
    std::visit(Overloaded{
                   [&](const Accepted& accepted) {
                     FormingGroup& group = GroupAt(accepted.place);
                     const Entry& entry = submission.entries[i];
                     group.entries.push_back(entry);
                     if (group.owners.empty() || group.owners.back() != submission.message) {
                       group.owners.push_back(submission.message);
                       group.owned_bytes += submission.bytes;
                     }
                     ++records_;
                     bytes_ += entry.header.size() + entry.payload.size();
                     waiting.records.emplace_back(accepted.place);
                   },
                   [&](const AlreadyPending& pending) { waiting.records.emplace_back(pending.place); },
                   [&](const Repeated& repeated) { waiting.records.emplace_back(Answer(repeated.ack)); },
                   [&](Refusal& refusal) { waiting.records.emplace_back(Answer(std::move(refusal))); },
               },
               rulings[i]);
  }
  const auto has_place = [](const auto& record) { return std::holds_alternative<Place>(record); };
  if (std::ranges::none_of(waiting.records, has_place)) return AnswersFor(waiting, Refusal{});
  waiting_.push_back(std::move(waiting));
  return std::nullopt;
}

void Forming::AddOwn(const Record& record, const Place& place) {
  auto header = std::make_shared<const Buffer>(EncodeRecord(record));
  FormingGroup& group = GroupAt(place);
  group.entries.push_back({*header, {}});
  group.owned_bytes += header->size();
  group.owners.push_back(std::move(header));
  ++records_;
}

bool Forming::IsFull() const {
  return messages_ >= kMaxGroupRecords || records_ + kMaxBatchRecords > kMaxGroupRecords ||
         bytes_ + kMaxBatchBytes > kMaxGroupBytes;
}

std::vector<std::shared_ptr<DurableFrame>> Forming::MakeFrames(Progress head, Timestamp time) {
  std::vector<std::shared_ptr<DurableFrame>> frames;
  frames.reserve(groups_.size());
  for (FormingGroup& group : groups_) {
    auto frame = std::make_shared<DurableFrame>();
    frame->frame = MakeFrame(head, time, std::move(group.entries));
    frame->owners = std::move(group.owners);
    frame->owned_bytes = group.owned_bytes;
    head = frame->frame.header.progress();
    frames.push_back(std::move(frame));
  }
  groups_.clear();
  return frames;
}

Answers AnswersFor(const Forming::Waiting& waiting, const std::vector<std::vector<Ack>>& acks) {
  Answers answers;
  answers.answers.reserve(waiting.records.size());
  for (const auto& record : waiting.records) {
    if (const auto* place = std::get_if<Place>(&record)) {
      answers.answers.emplace_back(acks[place->group][place->index]);
    } else {
      answers.answers.push_back(std::get<Answer>(record));
    }
  }
  return answers;
}

Answers AnswersFor(const Forming::Waiting& waiting, const Refusal& refusal) {
  Answers answers;
  answers.answers.reserve(waiting.records.size());
  for (const auto& record : waiting.records) {
    const auto* known = std::get_if<Answer>(&record);
    answers.answers.push_back(known != nullptr ? *known : Answer(refusal));
  }
  return answers;
}

}  // namespace hawser
