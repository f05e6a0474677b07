// Asks the relay's control port. docs/WIRE_PROTOCOL.md.
#pragma once

#include <chrono>
#include <memory>

#include "cli/json.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/config/config.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "common/net/requester.h"

namespace hawser::cli {

inline constexpr auto kRelayPatience = std::chrono::seconds(2);

// Not thread safe.
class Client {
 public:
  explicit Client(const Config& config);

  // The relay's status: a JSON object as DESIGN section 10 has it. CannotDo() if the relay doesn't answer by
  // the deadline, or with something else, or is another group's.
  Result<Json> Status(Deadline deadline = SteadyClock::now() + kRelayPatience);

  // Gives an order to a node, or asks how it stands: CannotDo() if the relay doesn't answer by the deadline,
  // or refuses it.
  Result<OrderState> Give(const NodeName& node, std::uint64_t id, OrderKind kind,
                          Deadline deadline = SteadyClock::now() + kRelayPatience);

  // Wants the node promoted, or asks how that stands: errors as above.
  Result<Promotion> Promote(const NodeName& node, std::uint64_t id, const std::vector<VolumeName>& volumes,
                            std::chrono::milliseconds timeout,
                            Deadline deadline = SteadyClock::now() + kRelayPatience);

 private:
  // The one part of an answer of this type.
  Result<Incoming> Ask(MessageType question, const std::vector<Bytes>& parts, MessageType answer,
                       Deadline deadline);
  Error Unexpected(const char* what) const;

  std::string endpoint_;
  std::string path_;
  std::string group_;
  NetContext context_;
  Requester requester_;
};

}  // namespace hawser::cli
