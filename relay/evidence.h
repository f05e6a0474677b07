// What a node says of itself, held against what the relay knows, before it has any effect (DESIGN section
// 5b): whether it is of this group, whether its session is the present one, and whether the journal holds
// what the node was told is durable. A journal that doesn't has gone back: an older copy was put in its
// place, or a disk lost what it had said was flushed.
//
// One thread. No sockets; the journal is read once a session.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/ids.h"
#include "common/journal/journal.h"
#include "common/net/messages.h"

namespace hawser {

class Evidence {
 public:
  // `journal` outlives this.
  Evidence(std::string group, const Journal& journal) : group_(std::move(group)), journal_(journal) {}

  // `newest`: the newest session of each node, read after the head that the node is to be told: what that
  // holds is then of no session after the node's.
  using Sessions = std::map<NodeName, std::uint64_t>;
  std::optional<Refusal> Check(const Hello& hello);
  std::optional<Refusal> Check(const Report& report, const Sessions& newest);
  std::optional<Refusal> Check(const Pull& pull, const Sessions& newest);
  std::optional<Refusal> Check(const Order& order) const;
  std::optional<Refusal> Check(const PromotionOrder& order) const;

  // Whether the journal holds `known`, or held it before it was dropped. What a session hears after it was
  // found right it hears of this journal: it isn't looked at again. `session` 0: always looked at.
  std::optional<Refusal> CheckKnown(const NodeName& node, std::uint64_t session, const Position& known);

  // What nodes were found to know of that the journal lacks: who, and the refusal's text.
  const std::map<NodeName, std::string>& missing() const { return missing_; }

 private:
  std::optional<Refusal> CheckGroup(const NodeName& node, const std::string& group) const;
  std::optional<Refusal> Look(const NodeName& node, const Position& known) const;

  const std::string group_;
  const Journal& journal_;
  std::map<NodeName, std::uint64_t> proved_;  // the session that was found right
  std::map<NodeName, std::string> missing_;
};

}  // namespace hawser
