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
    disk_.tree.Do(effect);
    disk_.pending.push_back(effect);
  }
  if (!effects.empty()) disk_.is_new = false;
  return {};
}

bool ModelStore::Refuses(const Record& record, Bytes payload) const {
  constexpr std::uint64_t kParts = 10'000;
  const std::uint64_t call = CallOf(record, payload);
  if (call == 0) return false;
  std::uint64_t hash = (call + refused_salt_) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 32;
  if (static_cast<double>(hash % kParts) >= refused_share_ * static_cast<double>(kParts)) return false;
  world_.Note("{}: the store refuses {}", life_->name, Describe(record));
  return true;
}

Status ModelStore::Apply(const Record& record, Bytes payload) {
  HAWSER_TRY(Ended());
  HAWSER_ASSIGN(const std::vector<Effect> effects, disk_.tree.Effects(record, payload, false));
  return ApplyEffects(record, payload, effects);
}

Status ModelStore::ApplyDiffering(const Record& record, Bytes payload) {
  HAWSER_TRY(Ended());
  HAWSER_ASSIGN(const std::vector<Effect> effects, disk_.tree.Effects(record, payload, true));
  return ApplyEffects(record, payload, effects);
}

Status ModelStore::ApplyEffects(const Record& record, Bytes payload, std::vector<Effect> effects) {
  HAWSER_TRY(MayTake(record, payload));
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

Status ModelStore::MayTake(const Record& record, Bytes payload) const {
  if (Refuses(record, payload)) return Error{EPERM, "the simulated store won't have it"};
  if (!full_ || !NeedsRoom(record.body)) return {};
  ++world_.counts().faults;
  return Error{ENOSPC, "the simulated store is full"};
}

Status ModelStore::Do(Redone redone) {
  HAWSER_TRY(DoAll(redone.effects));
  return std::move(redone.status);
}

Status ModelStore::ApplyAnyhow(const Record& record, Bytes payload, bool differs) {
  HAWSER_TRY(Ended());
  ModelRedo redo;
  redo.Expect(record);
  HAWSER_TRY(Do(redo.Apply(disk_.tree, record, payload, differs, MayTake(record, payload))));
  return Do(redo.Finish(disk_.tree, differs));
}

Status ModelStore::Redo(const Record& record, Bytes payload, bool differs) {
  HAWSER_TRY(Ended());
  return Do(redoing().Apply(disk_.tree, record, payload, differs, MayTake(record, payload)));
}

Status ModelStore::RedoAgain(const Record& record, Bytes payload, bool differs) {
  HAWSER_TRY(Ended());
  return Do(redoing().ApplyAgain(disk_.tree, record, payload, differs, MayTake(record, payload)));
}

Status ModelStore::FinishRedo(bool differs) {
  HAWSER_TRY(Ended());
  HAWSER_TRY(Do(redoing().Finish(disk_.tree, differs)));
  redo_.reset();
  return {};
}

Status ModelStore::RemoveLeft() {
  HAWSER_TRY(Ended());
  return DoAll(sim::RemoveLeft(disk_.tree));
}

Result<std::set<FileId>> ModelStore::Present(const std::set<FileId>& files) const {
  std::set<FileId> present;
  for (const FileId file : files)
    if (disk_.tree.Find(file) != nullptr) present.insert(file);
  return present;
}

std::size_t ModelStore::BeginFlush(const StoreMarks& marks) {
  if (Ended()) disk_.marks = marks;
  return disk_.dropped + disk_.pending.size();
}

Status ModelStore::EndFlush(std::size_t begun) {
  HAWSER_TRY(Ended());
  const std::size_t count = begun > disk_.dropped ? begun - disk_.dropped : 0;
  const bool fails = world_.Trouble(world_.profile().store_flush_error);
  if (fails) {
    LeaveSome(count, true);
  } else {
    for (std::size_t i = 0; i < count; ++i) disk_.durable.Do(disk_.pending[i]);
    disk_.durable_marks = disk_.marks;
  }
  disk_.pending.erase(disk_.pending.begin(), disk_.pending.begin() + static_cast<std::ptrdiff_t>(count));
  disk_.dropped += count;
  if (!fails) return {};
  ++world_.counts().faults;
  return Error{EIO, "the simulated store fails to flush"};
}

void ModelStore::LeaveSome(std::size_t count, bool all_names) {
  const auto names = static_cast<std::size_t>(std::count_if(
      disk_.pending.begin(), disk_.pending.begin() + static_cast<std::ptrdiff_t>(count), IsOfNames));
  std::size_t kept = all_names ? names : static_cast<std::size_t>(world_.rng().Below(names + 1));
  for (std::size_t i = 0; i < count; ++i) {
    if (IsOfNames(disk_.pending[i])) {
      if (kept == 0) continue;
      --kept;
      disk_.durable.Do(disk_.pending[i]);
    } else if (world_.rng().Coin()) {
      disk_.durable.Do(disk_.pending[i]);
    }
  }
}

void ModelStore::PowerCut() {
  LeaveSome(disk_.pending.size(), false);
  disk_.dropped += disk_.pending.size();
  disk_.pending.clear();
  disk_.tree = disk_.durable;
  if (world_.rng().Coin()) disk_.durable_marks = disk_.marks;
  disk_.marks = disk_.durable_marks;
}

ModelStore::Disk ModelStore::Copy() const {
  Disk copy;
  copy.is_new = disk_.is_new;
  copy.tree = copy.durable = disk_.tree;
  copy.marks = copy.durable_marks = disk_.marks;
  return copy;
}

bool ModelStore::Touch() {
  for (const auto& [id, file] : disk_.tree.files()) {
    if (file.words.empty()) continue;
    const SetWord change{id, 0, file.words.front() ^ 1};
    disk_.tree.Do(change);
    disk_.durable.Do(change);
    return true;
  }
  return false;
}

}  // namespace hawser::sim
