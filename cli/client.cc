#include "cli/client.h"

#include "cli/session.h"

namespace hawser::cli {

Client::Client(const Config& config)
    : endpoint_(config.relay.ControlEndpoint()),
      path_(config.path),
      group_(config.group),
      requester_(context_, endpoint_) {}

Result<Json> Client::Status(Deadline deadline) {
  auto reply = requester_.Request(MessageType::kStatus, {}, deadline);
  if (!reply) {
    return CannotDo("the relay at " + endpoint_ + " (from " + path_ +
                    ") does not answer; start it with 'hawser relay' or 'hawser up', or see its log");
  }
  const auto unexpected = [&](const char* what) {
    return CannotDo("what answers at " + endpoint_ + " " + what + "; check relay.ports in " + path_ +
                    " and that relay and command are of the same version");
  };
  if (reply->type() == MessageType::kRefusal && reply->parts() > 0) {
    const auto refusal = Decode<Refusal>(reply->part(0));
    if (refusal) return CannotDo("the relay at " + endpoint_ + " refused: " + refusal->text);
  }
  if (reply->type() != MessageType::kStatusText || reply->parts() != 1)
    return unexpected("is not a Hawser relay's status");
  auto status = Json::parse(AsText(reply->part(0)), nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) return unexpected("sends a status that is not JSON");
  if (const auto group = status.value("group", ""); group != group_)
    return CannotDo("the relay at " + endpoint_ + " serves group '" + group + "', and " + path_ +
                    " is of group '" + group_ + "'; correct the relay's address or ports there");
  return status;
}

}  // namespace hawser::cli
