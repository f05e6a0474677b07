// What reaches the relay's write port, as its writer takes it: hellos and batches are decoded and offered to
// a sequencer, in any order, with group ends and lost groups between them.
#include <map>
#include <tuple>

#include "common/net/messages.h"
#include "common/record/codec.h"
#include "relay/sequencer.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

// One step: [0 hello | 1 batch | 2 the groups' end | 3 the groups lost], then the bytes. A batch:
// [records - 1][bits: 0 for nothing answered yet, i for a cut before record i], then each record's header and
// payload.
class Relay {
 public:
  Relay() {
    sequencer_.OfferOwn({VolumeName("docs"), Generation(1), {}, Promote{NodeName("alpha")}});
    expected_.push_back({{}});
    EndGroups();
  }

  void Step(Input& input) {
    switch (input.Number(1) % 4) {
      case 0:
        if (const auto hello = Decode<Hello>(input.TakeSized())) Greet(*hello);
        return;
      case 1:
        return Submit(input);
      case 2:
        return EndGroups();
      default:
        sequencer_.Abandon();
        expected_.clear();
        return;
    }
  }

 private:
  using Request = std::tuple<std::string, std::uint64_t, std::uint64_t>;

  static Request RequestOf(const Record& record) {
    const Origin& origin = record.origin;
    return {origin.node.value, origin.session, origin.number};
  }

  void Greet(const Hello& hello) {
    const Greeting greeting = sequencer_.Greet(hello, hello.config % 2 == 0);
    if (std::holds_alternative<Refusal>(greeting)) return;
    Check(hello.node.value == "alpha" || hello.node.value == "bravo", "only members are welcome");
    const auto* begins = std::get_if<Begins>(&greeting);
    if (begins == nullptr) return;
    CheckRecord(begins->record);
    Expect(begins->place, RequestOf(begins->record));
  }

  void Submit(Input& input) {
    const std::uint64_t count = 1 + input.Number(1) % 8;
    const std::uint64_t bits = input.Number(1);
    std::vector<Record> records;
    std::vector<std::uint32_t> cuts;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Bytes header = input.TakeSized();
      auto record = DecodeRecord(header, input.TakeSized());
      if (!record) return Check(record.error().code == EINVAL, "what is no record is refused with EINVAL");
      CheckRecord(*record);
      records.push_back(*std::move(record));
      if (i > 0 && (bits >> i & 1) != 0) cuts.push_back(i);
    }
    const std::vector<Ruling> rulings =
        sequencer_.Offer(records, {cuts, (bits & 1) != 0 ? 0 : records.front().origin.number - 1});
    Check(rulings.size() == records.size(), "there is a ruling on each record");
    for (std::size_t i = 0; i < records.size(); ++i) CheckVerdict(records[i], rulings[i]);
  }

  void CheckVerdict(const Record& offered, const Ruling& ruling) {
    if (const auto* accepted = std::get_if<Accepted>(&ruling)) {
      Check(offered.volume.value == "docs" && offered.origin.node.value == "alpha" &&
                offered.generation == Generation(1),
            "only the primary's records of its generation are accepted (I6)");
      Check(!answered_.contains(RequestOf(offered)), "a request is accepted once (I5)");
      Expect(accepted->place, RequestOf(offered));
    } else if (const auto* repeated = std::get_if<Repeated>(&ruling)) {
      const auto found = answered_.find(RequestOf(offered));
      Check(found != answered_.end() && found->second == repeated->ack.sequence,
            "a repetition gets its first answer");
    } else if (const auto* pending = std::get_if<AlreadyPending>(&ruling)) {
      Check(expected_.at(pending->place.group).at(pending->place.index) == RequestOf(offered),
            "a pending repetition is that request");
    }
  }

  void Expect(const Place& place, Request request) {
    Check(place.group <= expected_.size(), "groups have no gaps");
    if (place.group == expected_.size()) expected_.emplace_back();
    Check(place.index == expected_[place.group].size(), "accepted records keep their order");
    expected_[place.group].push_back(std::move(request));
  }

  static void CheckRecord(const Record& record) {
    const Buffer once = EncodeRecord(record);
    Check(once.size() <= kMaxRecordHeaderBytes + 1024, "a record header is bounded");
    const auto again = DecodeRecord(once);
    Check(again && *again == record, "a record is what was encoded");
    Check(!Describe(record).empty(), "every record can be told");
  }

  void EndGroups() {
    Progress head = sequencer_.state().head;
    std::uint64_t next = head.position.sequence.value + 1;
    std::vector<Progress> after;
    for (const auto& group : expected_) {
      head.position.group = Next(head.position.group);
      head.position.sequence.value += group.size();
      after.push_back(head);
    }
    const auto acks = sequencer_.Commit(after);
    Check(acks.size() == expected_.size(), "each group is answered");
    for (std::size_t i = 0; i < acks.size(); ++i) {
      Check(acks[i].size() == expected_[i].size(), "each record is answered");
      for (std::size_t j = 0; j < acks[i].size(); ++j, ++next) {
        Check(acks[i][j].sequence == Sequence(next), "sequence numbers have no gaps (I2)");
        if (std::get<2>(expected_[i][j]) != 0) answered_[expected_[i][j]] = acks[i][j].sequence;
      }
    }
    expected_.clear();
    Check(sequencer_.pending().empty(), "nothing is left of groups that have ended");
    Check(SameAfterFacts(), "the facts say all that is known");
  }

  // What is left of the state if the journal holds nothing but the facts.
  bool SameAfterFacts() const {
    SequencerState again;
    const auto facts = sequencer_.state().Facts();
    for (const Record& fact : facts) again.Enter(*DecodeRecord(EncodeRecord(fact)), {});
    return again.Facts() == facts;
  }

  Sequencer sequencer_{{{NodeName("alpha"), NodeName("bravo")}, {VolumeName("docs")}}};
  std::vector<std::vector<Request>> expected_;  // the formation
  std::map<Request, Sequence> answered_;
};

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::fuzz;
  Input input(data, size);
  Relay relay;
  while (!input.empty()) relay.Step(input);
  return 0;
}
