#include "relay/submission.h"

#include <fmt/format.h>

#include "common/net/limits.h"
#include "common/record/codec.h"
#include "relay/complaints.h"

namespace hawser {

namespace {

constexpr std::size_t kPartsARecord = 2;

Refusal Bad(std::string text) { return {RefusalCode::kBadMessage, std::move(text)}; }

std::optional<Refusal> CheckSizes(const Incoming& message, Submission& submission) {
  const std::size_t count = (message.parts() - 1) / kPartsARecord;
  if (count > kMaxBatchRecords)
    return Refusal{RefusalCode::kTooLarge,
                   fmt::format("a batch of {} records is over the limit of {}", count, kMaxBatchRecords)};
  for (std::size_t i = 0; i < count; ++i) {
    const Entry entry{message.part(1 + kPartsARecord * i), message.part(2 + kPartsARecord * i)};
    if (entry.header.size() > kMaxRecordHeaderBytes || entry.payload.size() > kMaxPayloadBytes)
      return Refusal{
          RefusalCode::kTooLarge,
          fmt::format("a record of {} + {} bytes is over the limit of {} + {}", entry.header.size(),
                      entry.payload.size(), kMaxRecordHeaderBytes, kMaxPayloadBytes)};
    submission.bytes += entry.header.size() + entry.payload.size();
    submission.entries.push_back(entry);
  }
  if (submission.bytes > kMaxBatchBytes)
    return Refusal{RefusalCode::kTooLarge, fmt::format("a batch of {} bytes is over the limit of {}",
                                                       submission.bytes, kMaxBatchBytes)};
  return std::nullopt;
}

std::optional<Refusal> CheckOrigins(const std::vector<Record>& records) {
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Origin& before = records[i - 1].origin;
    const Origin& origin = records[i].origin;
    if (origin.node != before.node || origin.session != before.session)
      return Bad("the records of a batch are of several sessions");
    if (origin.number != before.number + 1)
      return Bad(fmt::format("number {} comes after number {} in a batch", origin.number, before.number));
  }
  return std::nullopt;
}

std::optional<Refusal> CheckCuts(const std::vector<std::uint32_t>& cuts, std::size_t records) {
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i] >= records || (i > 0 && cuts[i] <= cuts[i - 1]))
      return Bad(fmt::format("a cut at {} in a batch of {} records", cuts[i], records));
  }
  return std::nullopt;
}

}  // namespace

std::variant<Submission, Refusal> ReadSubmission(Incoming message) {
  Submission submission;
  if (message.parts() < 1 + kPartsARecord || message.parts() % kPartsARecord != 1)
    return Misplaced(message, "write");
  if (auto refusal = CheckSizes(message, submission)) return *std::move(refusal);
  auto batch = Decode<Batch>(message.part(0));
  if (!batch) return Unreadable(batch.error());
  submission.batch = *std::move(batch);
  for (const Entry& entry : submission.entries) {
    auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) return Unreadable(record.error());
    submission.records.push_back(*std::move(record));
  }
  if (auto refusal = CheckOrigins(submission.records)) return *std::move(refusal);
  if (auto refusal = CheckCuts(submission.batch.cuts, submission.records.size())) return *std::move(refusal);
  submission.message = std::make_shared<const Incoming>(std::move(message));
  return submission;
}

}  // namespace hawser
