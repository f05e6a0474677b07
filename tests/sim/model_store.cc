#include "tests/sim/model_store.h"

#include <algorithm>

#include "common/record/kinds.h"

namespace hawser::sim {

namespace {

bool NeedsRoom(const Body& body) {
  return std::visit(
      Overloaded{
          [](const OneOf<Write, Create> auto&) { return true; },
          [](const OneOf<Truncate, Allocate, Link, Unlink, Rmdir, Rename> auto&) { return false; },
          [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) { return false; },
          [](const ControlKind auto&) { return false; },
      },
      body);
}

}  // namespace

Status ModelStore::Ended() const {
  if (life_ && !life_->dead) return {};
  return Error{EIO, "the process has ended"};
}

Status ModelStore::DoAll(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) {
    tree_.Do(effect);
    pending_.push_back(effect);
  }
  if (!effects.empty()) is_new_ = false;
  return {};
}

Status ModelStore::Apply(const Record& record, Bytes payload) {
  HAWSER_TRY(Ended());
  HAWSER_ASSIGN(std::vector<Effect> effects, tree_.Effects(record, payload));
  if (full_ && NeedsRoom(record.body)) {
    ++world_.counts().faults;
    return Error{ENOSPC, "the simulated store is full"};
  }
  if (world_.Trouble(world_.profile().store_error)) {
    ++world_.counts().faults;
    // Names change in one piece; content may be there in part.
    if (effects.empty() || IsOfNames(effects.front())) return Error{EIO, "the simulated store fails"};
    effects.resize(static_cast<std::size_t>(world_.rng().Below(effects.size())));
    HAWSER_TRY(DoAll(effects));
    return Error{EIO, "the simulated store fails halfway"};
  }
  return DoAll(effects);
}

Status ModelStore::Redo(const Record& record, Bytes payload) {
  HAWSER_TRY(Ended());
  if (full_ && NeedsRoom(record.body)) return Error{ENOSPC, "the simulated store is full"};
  return DoAll(tree_.RedoEffects(record, payload));
}

Status ModelStore::FinishRedo() {
  HAWSER_TRY(Ended());
  return DoAll(tree_.FinishRedo());
}

Status ModelStore::EndFlush(std::size_t mark) {
  HAWSER_TRY(Ended());
  const std::size_t count = mark > dropped_ ? mark - dropped_ : 0;
  const bool fails = world_.Trouble(world_.profile().store_flush_error);
  if (fails) {
    LeaveSome(count, true);
  } else {
    for (std::size_t i = 0; i < count; ++i) durable_.Do(pending_[i]);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  dropped_ += count;
  if (!fails) return {};
  ++world_.counts().faults;
  return Error{EIO, "the simulated store fails to flush"};
}

void ModelStore::LeaveSome(std::size_t count, bool all_names) {
  const auto names = static_cast<std::size_t>(
      std::count_if(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count), IsOfNames));
  std::size_t kept = all_names ? names : static_cast<std::size_t>(world_.rng().Below(names + 1));
  for (std::size_t i = 0; i < count; ++i) {
    if (IsOfNames(pending_[i])) {
      if (kept == 0) continue;
      --kept;
      durable_.Do(pending_[i]);
    } else if (world_.rng().Coin()) {
      durable_.Do(pending_[i]);
    }
  }
}

void ModelStore::PowerCut() {
  LeaveSome(pending_.size(), false);
  dropped_ += pending_.size();
  pending_.clear();
  tree_ = durable_;
}

bool ModelStore::Touch() {
  for (const auto& [id, file] : tree_.files()) {
    if (file.words.empty()) continue;
    const SetWord change{id, 0, file.words.front() ^ 1};
    tree_.Do(change);
    durable_.Do(change);
    return true;
  }
  return false;
}

}  // namespace hawser::sim
