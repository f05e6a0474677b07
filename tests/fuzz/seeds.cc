// Writes the seeds of the corpus, made from real encodings, into the folder given: hawser-fuzz-seeds
// tests/fuzz/corpus. The seeds for the config are examples of configs, kept by hand.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <vector>

#include "common/journal/frame.h"
#include "common/net/messages.h"
#include "common/record/codec.h"

namespace hawser {
namespace {

constexpr Timestamp kTime{1'700'000'000'000'000'001};

class Seeds {
 public:
  explicit Seeds(std::string folder) : folder_(std::move(folder)) {}

  void Put(const std::string& target, const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(folder_ + "/" + target);
    std::ofstream(folder_ + "/" + target + "/" + name, std::ios::binary) << content;
  }

 private:
  const std::string folder_;
};

std::string Little(std::uint64_t number, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

std::string Sized(Bytes bytes) { return Little(bytes.size(), 2) + std::string(AsText(bytes)); }

Progress SomeProgress() {
  Progress progress;
  progress.position.journal.bytes.fill(std::byte{1});
  progress.position.sequence = Sequence(1001);
  progress.position.group = Group(101);
  progress.journal_bytes = 70001;
  progress.time = kTime;
  return progress;
}

std::vector<Body> Bodies() {
  const auto path = [](const char* text) { return *StorePath::Parse(text); };
  const FileState before{4096, kTime};
  const FileId id{(1ULL << 48) | 9};
  return {Write{id, path("a/b"), 8192, 3, before, kTime, 0644},
          Truncate{id, path("a/b"), 100, before, kTime, {}},
          Allocate{id, path("a/b"), 3, 4096, 8192, before, kTime, {}},
          Create{id, path("a/n"), NodeKind::kRegular, 0640, 1000, 100, 0, "", kTime},
          Create{kNoFileId, path("s"), NodeKind::kSymlink, 0777, 0, 0, 0, "../x", kTime},
          Link{id, path("a/b"), path("c"), kTime},
          Unlink{id, path("a/b"), kTime},
          Rmdir{id, path("d"), kTime},
          Rename{id, path("a/b"), path("c"), RenameMode::kReplace, FileId(8), kTime},
          SetAttr{id, path("a/b"), 04755, 1, 2, kTime, Timestamp{-1}},
          SetXattr{id, path("a/b"), "user.k"},
          RemoveXattr{id, path("a/b"), "user.k"},
          Promote{NodeName("bravo"), NodeName("alpha"), Sequence(12), true, 6},
          Mark{"note"},
          NodeSession{{{5, 2, Sequence(11), SomeProgress()}}}};
}

Record RecordOf(Body body, std::uint64_t number) {
  if (std::holds_alternative<NodeSession>(body)) return {{}, {}, {NodeName("alpha"), 77, 0}, std::move(body)};
  return {VolumeName("docs"), Generation(1), {NodeName("alpha"), 77, number}, std::move(body)};
}

Buffer PayloadOf(const Body& body) { return Buffer(PayloadBytes(body).value_or(5), std::byte{'p'}); }

Hello HelloOf(std::uint64_t start) {
  return {"demo", NodeName("alpha"), 5, start, "here", 9, SomeProgress().position, false};
}

void PutMessages(const Seeds& seeds) {
  const std::vector<VolumeFact> facts{{VolumeName("docs"), NodeName("alpha"), Generation(3)}};
  const Progress p = SomeProgress();
  const VolumeReport volume{VolumeName("docs"), ReplicaRole::kPrimary, ReplicaState::kLive, p, p, "hot"};
  const std::vector<std::pair<std::string, Buffer>> messages{
      {"envelope", EncodeEnvelope(MessageType::kSubmit)},
      {"hello", Encode(HelloOf(7))},
      {"welcome", Encode(Welcome{4, 7, "old", p, p, facts})},
      {"answers", Encode(Answers{{Ack{Sequence(1001), p, true}, Refusal{RefusalCode::kFenced, "no"}}})},
      {"refusal", Encode(Refusal{RefusalCode::kFenced, "no"})},
      {"report",
       Encode(Report{{"demo", NodeName("alpha"), 7, p.position}, 9, p, {volume, volume}, {{5, "no", p}}})},
      {"overview", Encode(Overview{4, p, p, facts, {{5, OrderKind::kResume}}, {{VolumeName("docs"), 8}}})},
      {"pull", Encode(Pull{{"demo", NodeName("charlie"), 7, p.position}, p.position, 65536})},
      {"pull_reply", Encode(PullReply{PullReply::Answer::kGone, "old", p})},
      {"head", Encode(Head{p})},
      {"batch", Encode(Batch{{1, 3}, 0, p.position, 4})},
      {"order", Encode(Order{"demo", NodeName("charlie"), 5, OrderKind::kPause})},
      {"order_state", Encode(OrderState{true, {5, "no", p}})},
      {"promotion_order", Encode(PromotionOrder{"demo", 5, NodeName("charlie"), {VolumeName("docs")}, 300})},
      {"promotion", Encode(Promotion{true,
                                     "no",
                                     "wait",
                                     {{VolumeName("docs"), "alpha", Generation(2), true, Sequence(13),
                                       Sequence(14), true}}})}};
  for (std::size_t i = 0; i < messages.size(); ++i)
    seeds.Put("messages", messages[i].first, Little(i, 1) + std::string(AsText(messages[i].second)));
}

void PutRequests(const Seeds& seeds) {
  const std::string hello = Little(0, 1) + Sized(Encode(HelloOf(77)));
  const std::string newer = Little(0, 1) + Sized(Encode(HelloOf(78)));
  const auto record = [](const Body& body, std::uint64_t number) {
    return Sized(EncodeRecord(RecordOf(body, number))) + Sized(PayloadOf(body));
  };
  // [records - 1][bits], see there.
  const auto submit = [&record](const Body& body, std::uint64_t number) {
    return Little(1, 1) + Little(0, 1) + Little(0, 1) + record(body, number);
  };
  const std::string end = Little(2, 1);
  const std::string lost = Little(3, 1);
  for (const Body& body : Bodies()) {
    const std::string kind(KindName(body));
    const std::string once = submit(body, 1);
    seeds.Put("requests", kind, hello + once + end);
    seeds.Put("requests", kind + "_again", hello + once + once + end + once + submit(body, 2) + end);
  }
  const std::string one = submit(Bodies()[0], 1);
  const auto batch = [&](std::uint64_t cuts) {
    return Little(1, 1) + Little(2, 1) + Little(cuts, 1) + record(Bodies()[0], 1) + record(Bodies()[1], 2) +
           record(Bodies()[2], 3);
  };
  seeds.Put("requests", "batch", hello + batch(0) + batch(0) + end + batch(0));
  seeds.Put("requests", "batch_with_cuts", hello + batch(4) + one + end + batch(6) + end);
  seeds.Put("requests", "lost_group", hello + one + lost + one + end);
  seeds.Put("requests", "old_session", hello + newer + one + end);
}

void PutFrames(const Seeds& seeds) {
  std::vector<Buffer> headers;
  std::vector<Buffer> payloads;
  for (const Body& body : Bodies()) {
    headers.push_back(EncodeRecord(RecordOf(body, headers.size() + 1)));
    payloads.push_back(PayloadOf(body));
  }
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, headers.size()}) {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < count; ++i) entries.push_back({headers[i], payloads[i]});
    const Frame frame = MakeFrame(SomeProgress(), kTime, entries);
    std::string bytes(AsText(frame.front));
    for (const Entry& entry : frame.entries)
      bytes += std::string(AsText(entry.header)) + std::string(AsText(entry.payload));
    seeds.Put("frames", "frame_of_" + std::to_string(count), Little(0, 1) + bytes);
    seeds.Put("frames", "sealed_frame_of_" + std::to_string(count), Little(1, 1) + bytes + "more");
  }
}

// See segments_fuzz.cc: [what][segment][offset, 3 bytes][more].
void PutSegments(const Seeds& seeds) {
  const auto change = [](int what, int segment, int offset, const std::string& more = "") {
    return Little(static_cast<std::uint64_t>(what), 1) + Little(static_cast<std::uint64_t>(segment), 1) +
           Little(static_cast<std::uint64_t>(offset), 3) + more;
  };
  seeds.Put("segments", "untouched", "");
  for (int segment = 0; segment < 3; ++segment) {
    const std::string in = "_in_" + std::to_string(segment);
    seeds.Put("segments", "bit_of_header" + in, change(0, segment, 20, Little(3, 1)));
    seeds.Put("segments", "bit_of_frame" + in, change(0, segment, 5000, Little(1, 1)));
    seeds.Put("segments", "garbage" + in, change(1, segment, 4112, Sized(AsBytes("HWFR garbage"))));
    seeds.Put("segments", "zeroed_header" + in, change(2, segment, 0, Little(4096, 2)));
    seeds.Put("segments", "torn_tail" + in, change(3, segment, 9000));
    seeds.Put("segments", "cut_off" + in, change(4, segment, 7000));
    seeds.Put("segments", "header_only" + in, change(4, segment, 4096));
    seeds.Put("segments", "another_ones_header" + in,
              change(5, segment, 0, Little((segment + 1) % 3, 1) + Little(0, 3) + Little(4096, 2)));
    seeds.Put("segments", "another_ones_frames" + in,
              change(5, segment, 4096, Little((segment + 1) % 3, 1) + Little(4096, 3) + Little(12000, 2)));
    seeds.Put("segments", "gone" + in, change(6, segment, 0));
  }
}

}  // namespace
}  // namespace hawser

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hawser-fuzz-seeds FOLDER\n";
    return 2;
  }
  const hawser::Seeds seeds(argv[1]);
  hawser::PutMessages(seeds);
  hawser::PutRequests(seeds);
  hawser::PutFrames(seeds);
  hawser::PutSegments(seeds);
}
