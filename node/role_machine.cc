#include "node/role_machine.h"

#include <fmt/format.h>

#include "common/record/record.h"

namespace hawser {

RoleMachine::RoleMachine(NodeName self, VolumeFact configured)
    : self_(std::move(self)), known_(std::move(configured)) {}

std::optional<StopChanges> RoleMachine::Take(const RoleFact& fact) {
  using Action = std::optional<StopChanges>;
  if (standing_ == Standing::kStopped) return std::nullopt;
  return std::visit(Overloaded{
                        [this](const LastHeard& f) -> Action {
                          if (!decided_) known_ = f.fact;
                          return std::nullopt;
                        },
                        [this](const RelaySays& f) { return Hear(f.fact); },
                        // A copy can be shown with no relay, as it was left. A primary could have been
                        // superseded since.
                        [this](const RelayIsSilent&) -> Action {
                          decided_ = decided_ || !is_ours();
                          return std::nullopt;
                        },
                        [this](const CopyStands& f) -> Action {
                          copy_ = f;
                          return std::nullopt;
                        },
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
std::optional<StopChanges> RoleMachine::Hear(const VolumeFact& fact) {
  const bool is_news = !decided_ || fact.generation > known_.generation;
  decided_ = true;
  if (!is_news) return std::nullopt;
  known_ = fact;
  return Superseded();
}

std::optional<StopChanges> RoleMachine::Superseded() {
  return Stop({ReplicaState::kFenced,
               {EROFS, fmt::format("{} is primary of {} now, in generation {}", known_.primary.value,
                                   known_.volume.value, known_.generation.value)}});
}

std::optional<StopChanges> RoleMachine::Stop(Trouble trouble) {
  if (standing_ != Standing::kPrimary || trouble_) return std::nullopt;
  trouble_ = std::move(trouble);
  return StopChanges{trouble_->error};
}

std::optional<RoleChange> RoleMachine::Due() const {
  const bool has_all = copy_.fine && copy_.applied >= known_.since;
  switch (standing_) {
    case Standing::kUndecided:
      if (!decided_) return std::nullopt;
      return is_ours() ? RoleChange(BecomePrimary{known_.generation}) : RoleChange(BecomeSecondary{});
    case Standing::kPrimary:
      if (is_ours() && known_.generation == generation_) return std::nullopt;
      return BecomeSecondary{};
    case Standing::kSecondary:
      if (!is_ours() || !has_all) return std::nullopt;
      return BecomePrimary{known_.generation};
    case Standing::kLeftOut:
      if (is_ours()) return std::nullopt;
      return BecomeSecondary{};
    case Standing::kStopped:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<StopChanges> RoleMachine::Began(const RoleChange& role) {
  if (standing_ == Standing::kStopped) return std::nullopt;
  trouble_.reset();
  copy_ = {};
  const auto* primary = std::get_if<BecomePrimary>(&role);
  standing_ = primary != nullptr ? Standing::kPrimary : Standing::kSecondary;
  generation_ = primary != nullptr ? primary->generation : Generation{};
  return primary != nullptr && Due() ? Superseded() : std::nullopt;
}

void RoleMachine::LeftOut() {
  if (standing_ != Standing::kStopped) standing_ = Standing::kLeftOut;
}

}  // namespace hawser
