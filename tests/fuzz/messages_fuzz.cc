// Every message of the wire, decoded from any bytes: [kind][bytes]. What is accepted says the same when it is
// encoded and decoded again.
#include <algorithm>

#include "common/net/messages.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

template <class Message>
void Try(Bytes bytes) {
  const auto message = Decode<Message>(bytes);
  if (!message) return Check(message.error().code == EINVAL, "a message that is none is refused with EINVAL");
  const Buffer once = Encode(*message);
  const auto again = Decode<Message>(once);
  Check(static_cast<bool>(again), "what was accepted is accepted again");
  Check(Encode(*again) == once, "encoding is stable");
}

void TryEnvelope(Bytes bytes) {
  const auto type = DecodeEnvelope(bytes);
  if (type) Check(std::ranges::equal(EncodeEnvelope(*type), bytes), "an envelope is one of four bytes");
}

constexpr void (*kKinds[])(Bytes) = {TryEnvelope,     Try<Hello>,          Try<Welcome>,  Try<Answers>,
                                     Try<Refusal>,    Try<Report>,         Try<Overview>, Try<Pull>,
                                     Try<PullReply>,  Try<Head>,           Try<Batch>,    Try<Order>,
                                     Try<OrderState>, Try<PromotionOrder>, Try<Promotion>};

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::fuzz;
  Input input(data, size);
  kKinds[input.Number(1) % std::size(kKinds)](input.Rest());
  return 0;
}
