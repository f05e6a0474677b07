#include "cli/client.h"

#include "cli/session.h"

namespace hawser::cli {

Client::Client(const Config& config)
    : endpoint_(config.relay.ControlEndpoint()),
      path_(config.path),
      group_(config.group),
      requester_(context_, endpoint_) {}

Result<Incoming> Client::Ask(MessageType question, const std::vector<Bytes>& parts, MessageType answer,
                             Deadline deadline) {
  auto reply = requester_.Request(question, parts, deadline);
  if (!reply) {
    return CannotDo("the relay at " + endpoint_ + " (from " + path_ +
                    ") does not answer; start it with 'hawser relay' or 'hawser up', or see its log");
  }
  if (reply->type() == MessageType::kRefusal && reply->parts() > 0) {
    const auto refusal = Decode<Refusal>(reply->part(0));
    if (refusal) return CannotDo("the relay at " + endpoint_ + " refused: " + refusal->text);
  }
  if (reply->type() != answer || reply->parts() != 1) return Unexpected("gives no answer of a Hawser relay");
  return reply;
}

Error Client::Unexpected(const char* what) const {
  return CannotDo("what answers at " + endpoint_ + " " + what + "; check relay.ports in " + path_ +
                  " and that relay and command are of the same version");
}

Result<OrderState> Client::Give(const NodeName& node, std::uint64_t id, OrderKind kind, Deadline deadline) {
  const Buffer order = Encode(Order{group_, node, id, kind});
  HAWSER_ASSIGN(const Incoming reply, Ask(MessageType::kOrder, {order}, MessageType::kOrderState, deadline));
  auto state = Decode<OrderState>(reply.part(0));
  if (!state) return Unexpected("gives an answer that can't be read");
  return state;
}

Result<Promotion> Client::Promote(const NodeName& node, std::uint64_t id,
                                  const std::vector<VolumeName>& volumes, std::chrono::milliseconds timeout,
                                  Deadline deadline) {
  const Buffer order =
      Encode(PromotionOrder{group_, id, node, volumes, static_cast<std::uint64_t>(timeout.count())});
  HAWSER_ASSIGN(const Incoming reply, Ask(MessageType::kPromote, {order}, MessageType::kPromotion, deadline));
  auto promotion = Decode<Promotion>(reply.part(0));
  if (!promotion) return Unexpected("gives an answer that can't be read");
  return promotion;
}

Result<Json> Client::Status(Deadline deadline) {
  HAWSER_ASSIGN(const Incoming reply, Ask(MessageType::kStatus, {}, MessageType::kStatusText, deadline));
  auto status = Json::parse(AsText(reply.part(0)), nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) return Unexpected("sends a status that is not JSON");
  if (const auto group = status.value("group", ""); group != group_)
    return CannotDo("the relay at " + endpoint_ + " serves group '" + group + "', and " + path_ +
                    " is of group '" + group_ + "'; correct the relay's address or ports there");
  return status;
}

}  // namespace hawser::cli
