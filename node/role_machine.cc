#include "node/role_machine.h"

#include <fmt/format.h>

#include "common/record/record.h"

namespace hawser {

RoleMachine::RoleMachine(NodeName self, VolumeFact configured)
    : self_(std::move(self)), known_(std::move(configured)) {}

std::optional<RoleAction> RoleMachine::Take(const RoleFact& fact) {
  using Action = std::optional<RoleAction>;
  if (standing_ == Standing::kStopped) return std::nullopt;
  return std::visit(Overloaded{
                        [this](const LastHeard& f) -> Action {
                          if (standing_ == Standing::kUndecided) known_ = f.fact;
                          return std::nullopt;
                        },
                        [this](const RelaySays& f) { return Hear(f.fact); },
                        [this](const PromoteSeen& f) { return Hear(f.fact); },
                        [this](const RelayIsSilent&) { return Silence(); },
                        [this](const Setback& f) {
                          const bool fenced = f.kind == Setback::Kind::kFenced;
                          return Stop({fenced ? ReplicaState::kFenced : ReplicaState::kDiverged, f.error});
                        },
                        [this](const Stopped&) -> Action {
                          standing_ = Standing::kStopped;
                          return std::nullopt;
                        },
                    },
                    fact);
}

// Before there is a role the relay's word is the truth, also if it knows of fewer generations than this node.
std::optional<RoleAction> RoleMachine::Hear(const VolumeFact& fact) {
  if (standing_ == Standing::kUndecided) {
    known_ = fact;
    return Decide();
  }
  // Late, or nothing new.
  if (fact.generation <= known_.generation) return std::nullopt;
  known_ = fact;
  return Stop({ReplicaState::kFenced,
               {EROFS, fmt::format("{} is primary of {} now, in generation {}", fact.primary.value,
                                   fact.volume.value, fact.generation.value)}});
}

// A copy can be shown with no relay, as it was left. A primary could have been superseded since.
std::optional<RoleAction> RoleMachine::Silence() {
  if (standing_ != Standing::kUndecided || NeedsRelay()) return std::nullopt;
  return Decide();
}

std::optional<RoleAction> RoleMachine::Decide() {
  if (known_.primary != self_) {
    standing_ = Standing::kSecondary;
    return BecomeSecondary{};
  }
  standing_ = Standing::kPrimary;
  return BecomePrimary{known_.generation};
}

std::optional<RoleAction> RoleMachine::Stop(Trouble trouble) {
  if (standing_ != Standing::kPrimary || trouble_) return std::nullopt;
  trouble_ = std::move(trouble);
  return StopChanges{trouble_->error};
}

}  // namespace hawser
