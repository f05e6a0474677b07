// How a promotion is shown to people and programs. DESIGN sections 8 and 10.
#pragma once

#include <string>

#include "cli/json.h"
#include "common/net/messages.h"

namespace hawser::cli {

// Only volumes that the journal names the node for: of the others nothing has changed. `lost` is null until
// the node takes changes: what it hasn't applied until then it has yet to apply.
Json PromotionJson(const Promotion& promotion, const std::string& node, double seconds);

// A row for each of those volumes; empty without any.
std::string PromotionTable(const Promotion& promotion, const std::string& node, bool with_colour);

// That it is done, in one sentence: "node charlie is primary of docs, mail; after 0.8 s".
std::string PromotionDone(const Promotion& promotion, const std::string& node, double seconds);

}  // namespace hawser::cli
