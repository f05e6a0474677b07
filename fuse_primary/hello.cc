#include "fuse_primary/hello.h"

#include "common/net/requester.h"

namespace hawser {

Result<Welcome> SayHello(NetContext& context, const std::string& endpoint, const Hello& hello,
                         std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  const Buffer message = Encode(hello);
  Requester requester(context, endpoint);
  HAWSER_ASSIGN(const Incoming reply, requester.Request(MessageType::kHello, {message}, deadline, cancel));
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kWelcome) return Decode<Welcome>(body);
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(const Refusal refusal, Decode<Refusal>(body));
    return Error{ToErrno(refusal.code), "the relay refused this node: " + refusal.text};
  }
  return Error{EPROTO, "the relay at " + endpoint + " didn't answer the greeting by a welcome"};
}

}  // namespace hawser
