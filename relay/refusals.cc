#include "relay/refusals.h"

#include <fmt/format.h>

namespace hawser {

Refusal OldSession(const NodeName& node, std::uint64_t session, std::uint64_t newest) {
  return {
      RefusalCode::kOldSession,
      fmt::format("session {} of node {} has been replaced by session {}: another process serves this node's "
                  "volumes now; end this one",
                  session, node.value, newest)};
}

Refusal UnknownSession(const NodeName& node, std::uint64_t session) {
  return {RefusalCode::kUnknownSession,
          fmt::format("session {} of node {} has not said hello to this relay", session, node.value)};
}

}  // namespace hawser
