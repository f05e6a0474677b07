// Which role a node has for one volume, and whether it takes changes there. Pure: facts in, in the order in
// which they are learned, and what is to be done comes out, once. The node executes it, and so does the
// simulation. Not thread safe.
//
//   undecided -- the relay: this node --> primary -- setback, newer generation --> fenced, diverged
//       |
//       +------- the relay: another one; no relay, and another one as last heard --> secondary
//
// A volume keeps its role until the process ends: a primary that may not go on takes no more changes, and is
// read. When roles move (DESIGN section 8) this is where it becomes a secondary, and a secondary a primary.
#pragma once

#include <optional>
#include <variant>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/net/messages.h"
#include "common/net/replica_state.h"
#include "fuse_primary/setback.h"

namespace hawser {

// ---- facts

struct LastHeard {  // the state folder: who was primary as this node last heard
  VolumeFact fact;
};
struct RelaySays {  // a welcome, or an overview: who is primary now
  VolumeFact fact;
};
struct PromoteSeen {  // a Promote record of the journal
  VolumeFact fact;
};
struct RelayIsSilent {};  // it doesn't answer, and isn't waited for
struct Stopped {};        // the volume is being stopped: nothing is to be done any more
using RoleFact = std::variant<LastHeard, RelaySays, PromoteSeen, RelayIsSilent, Setback, Stopped>;

// ---- actions

struct BecomePrimary {
  Generation generation;
};
struct BecomeSecondary {};
struct StopChanges {
  Error error;  // what callers get
};
using RoleAction = std::variant<BecomePrimary, BecomeSecondary, StopChanges>;

class RoleMachine {
 public:
  // `configured`: the first primary, until somebody says otherwise.
  RoleMachine(NodeName self, VolumeFact configured);

  std::optional<RoleAction> Take(const RoleFact& fact);

  // As far as is known this node is primary: the volume isn't shown before the relay has said so.
  bool NeedsRelay() const { return standing_ == Standing::kUndecided && known_.primary == self_; }

  // Who is primary, as far as is known.
  const VolumeFact& known() const { return known_; }

  struct Trouble {
    ReplicaState state;
    Error error;
  };
  // Why a primary takes no changes. The first reason stays: what comes after it follows from it.
  const std::optional<Trouble>& trouble() const { return trouble_; }

 private:
  enum class Standing { kUndecided, kPrimary, kSecondary, kStopped };

  std::optional<RoleAction> Hear(const VolumeFact& fact);
  std::optional<RoleAction> Silence();
  std::optional<RoleAction> Decide();
  std::optional<RoleAction> Stop(Trouble trouble);

  NodeName self_;
  VolumeFact known_;
  Standing standing_ = Standing::kUndecided;
  std::optional<Trouble> trouble_;
};

}  // namespace hawser
