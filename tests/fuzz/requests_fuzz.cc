// What reaches the relay's write port, as its writer takes it: hellos and records are decoded and offered to
// a sequencer, in any order, with group ends and lost groups between them.
#include <map>
#include <tuple>

#include "common/net/messages.h"
#include "common/record/codec.h"
#include "relay/sequencer.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

// One step: [0 hello | 1 record | 2 group's end | 3 group lost], then the bytes.
class Relay {
 public:
  Relay() {
    sequencer_.OfferOwn({VolumeName("docs"), Generation(1), {}, Promote{NodeName("alpha")}});
    expected_.push_back({});
    EndGroup();
  }

  void Step(Input& input) {
    switch (input.Number(1) % 4) {
      case 0:
        if (const auto hello = Decode<Hello>(input.TakeSized())) Greet(*hello);
        return;
      case 1: {
        const Bytes header = input.TakeSized();
        return Submit(header, input.TakeSized());
      }
      case 2:
        return EndGroup();
      default:
        sequencer_.Abandon();
        expected_.clear();
        return;
    }
  }

 private:
  using Request = std::tuple<std::string, std::uint64_t, std::uint32_t, std::uint64_t>;

  static Request RequestOf(const Record& record) {
    const Origin& origin = record.origin;
    return {origin.node.value, origin.session, origin.lane, origin.number};
  }

  void Greet(const Hello& hello) {
    if (sequencer_.Greet(hello)) return;
    Check(hello.node.value == "alpha" || hello.node.value == "bravo", "only members are welcome");
  }

  void Submit(Bytes header, Bytes payload) {
    auto record = DecodeRecord(header, payload);
    if (!record) return Check(record.error().code == EINVAL, "what is no record is refused with EINVAL");
    CheckRecord(*record);
    const Record offered = *record;
    const Verdict verdict = sequencer_.Offer(*std::move(record));
    if (std::holds_alternative<Accepted>(verdict)) {
      Check(std::get<Accepted>(verdict).index == expected_.size(), "accepted records keep their order");
      Check(offered.volume.value == "docs" && offered.origin.node.value == "alpha" &&
                offered.generation == Generation(1),
            "only the primary's records of its generation are accepted (I6)");
      Check(!answered_.contains(RequestOf(offered)), "a request is accepted once (I5)");
      expected_.push_back(RequestOf(offered));
    } else if (const auto* repeated = std::get_if<Repeated>(&verdict)) {
      const auto found = answered_.find(RequestOf(offered));
      Check(found != answered_.end() && found->second == repeated->ack.sequence,
            "a repetition gets its first answer");
    } else if (const auto* pending = std::get_if<AlreadyPending>(&verdict)) {
      Check(expected_.at(pending->index) == RequestOf(offered), "a pending repetition is that request");
    }
  }

  static void CheckRecord(const Record& record) {
    const Buffer once = EncodeRecord(record);
    Check(once.size() <= kMaxRecordHeaderBytes + 1024, "a record header is bounded");
    const auto again = DecodeRecord(once);
    Check(again && *again == record, "a record is what was encoded");
    Check(!Describe(record).empty(), "every record can be told");
  }

  void EndGroup() {
    if (expected_.empty()) return;
    Progress after = sequencer_.state().head;
    const std::uint64_t first = after.position.sequence.value + 1;
    after.position.group = Next(after.position.group);
    after.position.sequence = Sequence(first + expected_.size() - 1);
    const std::vector<Ack> acks = sequencer_.Commit(after);
    Check(acks.size() == expected_.size(), "each record is answered");
    for (std::size_t i = 0; i < acks.size(); ++i) {
      Check(acks[i].sequence == Sequence(first + i), "sequence numbers have no gaps (I2)");
      answered_[expected_[i]] = acks[i].sequence;
    }
    expected_.clear();
    Check(sequencer_.pending() == 0, "nothing is left of a group that has ended");
  }

  Sequencer sequencer_{{{NodeName("alpha"), NodeName("bravo")}, {VolumeName("docs")}}};
  std::vector<Request> expected_;
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
