#include "volume/store/redo_values.h"

namespace hawser {

namespace {

using EntryKey = std::pair<PlanNode*, std::string>;

EntryKey KeyOf(const PlanEntry& entry) { return {entry.parent, entry.name}; }

class ValueFinder {
 public:
  ValueFinder(const RedoPlan& plan, RedoTree& tree) : plan_(plan), tree_(tree) {}

  Result<std::map<const PlanNode*, PlanEntry>> Run() {
    HAWSER_TRY(Look());
    const std::size_t best = BestState();
    std::map<EntryKey, PlanNode*> at = first_;
    for (std::size_t i = 0; i < best; ++i) Step(at, plan_.value_steps()[i]);
    std::map<const PlanNode*, PlanEntry> places;
    for (const auto& [key, node] : at) {
      if (node != nullptr) places.try_emplace(node, PlanEntry{key.first, key.second});
    }
    return places;
  }

 private:
  // What is at all the entries now, and what was at the checkpoint.
  Status Look() {
    for (const ValueStep& step : plan_.value_steps()) {
      for (const auto& change : step.changes) {
        auto& made = made_at_[KeyOf(change.entry)];
        if (change.after != nullptr && change.after->value) made.push_back(change.after);
        if (!first_.try_emplace(KeyOf(change.entry), change.before).second) continue;
        HAWSER_ASSIGN(real_[KeyOf(change.entry)], tree_.ReadValue(change.entry));
      }
    }
    return {};
  }

  static bool IsLike(const Create& made, const Create& real) {
    return made.kind == real.kind && made.target == real.target && made.device == real.device;
  }

  // How badly the entry as it really is fits to holding that node.
  int Misfit(const EntryKey& key, const PlanNode* node) const {
    constexpr int kFits = 0, kDoubtful = 1, kWrong = 2;
    const std::optional<Create>& real = real_.at(key);
    if (node == nullptr || !real) return node == nullptr && !real ? kFits : kWrong;
    if (node->value) return IsLike(*node->value, *real) ? kFits : kWrong;
    // It could be any: rather none that the records put there.
    for (const PlanNode* other : made_at_.at(key)) {
      if (IsLike(*other->value, *real)) return kDoubtful;
    }
    return kFits;
  }

  static void Step(std::map<EntryKey, PlanNode*>& at, const ValueStep& step) {
    for (const auto& change : step.changes) at[KeyOf(change.entry)] = change.after;
  }

  // After how many steps the entries are most like the real ones; of equals the last.
  std::size_t BestState() const {
    std::map<EntryKey, PlanNode*> at = first_;
    long wrong = 0;
    for (const auto& [key, node] : at) wrong += Misfit(key, node);
    long least = wrong;
    std::size_t best = 0;
    for (std::size_t i = 0; i < plan_.value_steps().size(); ++i) {
      for (const auto& change : plan_.value_steps()[i].changes) {
        PlanNode*& node = at[KeyOf(change.entry)];
        wrong += Misfit(KeyOf(change.entry), change.after) - Misfit(KeyOf(change.entry), node);
        node = change.after;
      }
      if (wrong > least) continue;
      least = wrong;
      best = i + 1;
    }
    return best;
  }

  const RedoPlan& plan_;
  RedoTree& tree_;
  std::map<EntryKey, PlanNode*> first_;
  std::map<EntryKey, std::optional<Create>> real_;
  std::map<EntryKey, std::vector<const PlanNode*>> made_at_;  // values that the records make and put there
};

}  // namespace

Result<std::map<const PlanNode*, PlanEntry>> FindValues(const RedoPlan& plan, RedoTree& tree) {
  return ValueFinder(plan, tree).Run();
}

}  // namespace hawser
