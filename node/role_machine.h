// Which role a volume has on this node, and when it gets another. Pure: facts in, in the order in which they
// are learned; what is to be done comes out. The node executes it, and so does the simulation. Not thread
// safe.
//
//   undecided -- the relay: this node ------------------------------> primary
//       |                                                             |    ^
//       |            the relay: another node, or a newer generation --+    |
//       |                                                             v    |
//       +-- the relay: another one; no relay, and another ------> secondary |
//           one as last heard                                         |    |
//                                                                     +----+
//                  the relay: this node, and all up to its promotion is applied
//
// A primary that hears of a newer generation, or is refused, takes no more changes from that moment on; it
// becomes secondary when the relay has said who is primary now. Also if that is this node again: what another
// one wrote in between has to be applied first.
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
struct RelayIsSilent {};  // it doesn't answer, and isn't waited for
struct CopyStands {       // the store of a secondary
  Sequence applied;       // has everything up to here
  bool fine = false;      // nothing keeps it from being the volume
};
struct Stopped {};  // the volume is being stopped: nothing is to be done any more
using RoleFact = std::variant<LastHeard, RelaySays, RelayIsSilent, CopyStands, Setback, Stopped>;

// ---- what is to be done

struct BecomePrimary {
  Generation generation;
  friend bool operator==(const BecomePrimary&, const BecomePrimary&) = default;
};
struct BecomeSecondary {
  friend bool operator==(const BecomeSecondary&, const BecomeSecondary&) = default;
};
using RoleChange = std::variant<BecomePrimary, BecomeSecondary>;

struct StopChanges {
  Error error;  // what callers get
};

class RoleMachine {
 public:
  // `configured`: the first primary, until somebody says otherwise.
  RoleMachine(NodeName self, VolumeFact configured);

  // What has to be done at once.
  std::optional<StopChanges> Take(const RoleFact& fact);

  // The role that the volume is to get now; the same until Began() says that it has it.
  std::optional<RoleChange> Due() const;
  // A primary may have been superseded while it began: then it takes no changes from the beginning.
  std::optional<StopChanges> Began(const RoleChange& role);
  // Instead: it can't become primary, and is not tried again in this generation.
  void LeftOut();

  // As far as is known this node is primary: the volume isn't shown before the relay has said so.
  bool NeedsRelay() const { return standing_ == Standing::kUndecided && known_.primary == self_; }

  bool primary() const { return standing_ == Standing::kPrimary; }
  bool secondary() const { return standing_ == Standing::kSecondary; }

  // Who is primary, as far as is known.
  const VolumeFact& known() const { return known_; }

  struct Trouble {
    ReplicaState state;
    Error error;
  };
  // Why a primary takes no changes. The first reason stays: what comes after it follows from it.
  const std::optional<Trouble>& trouble() const { return trouble_; }

 private:
  enum class Standing { kUndecided, kPrimary, kSecondary, kLeftOut, kStopped };

  std::optional<StopChanges> Hear(const VolumeFact& fact);
  std::optional<StopChanges> Superseded();
  std::optional<StopChanges> Stop(Trouble trouble);
  bool is_ours() const { return known_.primary == self_; }

  NodeName self_;
  VolumeFact known_;
  Standing standing_ = Standing::kUndecided;
  bool decided_ = false;   // whom the volume's first role here depends on has spoken
  Generation generation_;  // in which this node is primary
  CopyStands copy_;
  std::optional<Trouble> trouble_;
};

}  // namespace hawser
