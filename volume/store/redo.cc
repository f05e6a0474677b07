#include "volume/store/redo.h"

#include <fmt/format.h>
#include <linux/falloc.h>

#include "common/record/kinds.h"
#include "volume/store/redo_plan.h"
#include "volume/store/redo_settle.h"
#include "volume/store/redo_tree.h"
#include "volume/store/redo_values.h"

namespace hawser {

namespace {

bool Shifts(const Allocate& r) {
  return (r.flags & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) != 0;
}

}  // namespace

// One record at a time; a rule a kind.
class RedoRules {
 public:
  RedoRules(Store& store, RedoTree& tree, const PlannedRecord& places, const Record& record, Bytes payload,
            bool differs)
      : store_(store), tree_(tree), at_(places), record_(record), payload_(payload), differs_(differs) {
    tree_.Moves(at_.node, at_.replaced);
  }

  // Data and attributes are set again, on the file wherever it is; the state before isn't looked at. Sizes
  // and bytes that a later record made are made by it again.
  Status operator()(const Write& r) { return Again(r.file); }
  Status operator()(const Truncate& r) { return Again(r.file); }
  Status operator()(const SetAttr& r) {
    if (at_.node != nullptr && at_.node->value) Change(*at_.node->value, r);
    return Again(r.file);
  }
  Status operator()(const SetXattr& r) { return Again(r.file); }
  // That there is none any more is as well.
  Status operator()(const RemoveXattr& r) {
    Status removed = Again(r.file, true);
    return removed;
  }

  // Collapsing or inserting can't be done twice. A checkpoint lies right before and right after
  // (NeedsCheckpoint), so the file is as it was before or as it is after, and its size tells which.
  Status operator()(const Allocate& r) {
    if (!Shifts(r)) return Again(r.file);
    HAWSER_ASSIGN(const UniqueFd fd, tree_.OpenNode(r.file, at_.entry));
    if (!fd) return {};
    HAWSER_ASSIGN(const struct stat info, StatFd(fd.get()));
    if (static_cast<std::uint64_t>(info.st_size) == r.before.size) return ApplyTo(fd.get());
    return Settle(
        store_, record_, fd.get(),
        SetAttr{.file = {}, .path = {}, .mode = r.mode, .uid = {}, .gid = {}, .atime = {}, .mtime = r.mtime});
  }

  // The node is put back under the name that it was made with, or made if it is nowhere; then its attributes
  // are those of a new one.
  Status operator()(const Create& r) {
    if (r.file == kNoFileId) {
      HAWSER_ASSIGN(const bool placed, PlaceValue(at_.node, at_.entry));
      HAWSER_TRY(IsThere(placed, r.path));
      return SetTime(at_.entry, r.time);
    }
    HAWSER_ASSIGN(const bool exists, tree_.Exists(at_.node));
    if (exists) {
      HAWSER_ASSIGN(const bool placed, tree_.Place(at_.node, at_.entry, {}, false));
      HAWSER_TRY(IsThere(placed, r.path));
      HAWSER_ASSIGN(const UniqueFd fd, tree_.OpenNode(r.file, at_.entry));
      if (fd) HAWSER_TRY(SettleNew(store_, record_, fd.get(), r));
    } else {
      HAWSER_TRY(Make(r));
    }
    return SetTime(at_.entry, r.time);
  }

  Status operator()(const Link& r) {
    HAWSER_ASSIGN(const bool placed,
                  r.file == kNoFileId ? LinkValue() : tree_.Place(at_.node, at_.new_entry, at_.entry, false));
    if (!placed && differs_) {
      HAWSER_ASSIGN(const bool exists, Exists());
      return exists ? Other(r.new_path) : IsThere(false, r.new_path);
    }
    if (!placed) HAWSER_TRY(IsNotLost(r.path));
    return SetTime(at_.new_entry, r.time);
  }

  // Only if the name still holds that node. What a later record needs again is set aside.
  Status operator()(const OneOf<Unlink, Rmdir> auto& r) {
    HAWSER_TRY(tree_.Vacate(at_.node, at_.entry));
    HAWSER_TRY(IsFree(r.path));
    return SetTime(at_.entry, r.time);
  }

  // The node goes to the new name, from wherever it is; the old name no longer holds it.
  Status operator()(const Rename& r) {
    Status moved = Move(r);
    // What was set aside for it isn't lost if the store refuses it.
    if (!moved && IsToBePutBack(moved.error())) HAWSER_TRY(PutBack());
    HAWSER_TRY(std::move(moved));
    HAWSER_TRY(SetTime(at_.entry, r.time));
    return SetTime(at_.new_entry, r.time);
  }

  Status operator()(const ControlKind auto&) { return {}; }

  void SetFolderTimes() {
    const auto set = [this](const PlanEntry& entry, Timestamp time) {
      static_cast<void>(SetTime(entry, time));
    };
    std::visit(Overloaded{
                   [&](const OneOf<Create, Unlink, Rmdir> auto& r) { set(at_.entry, r.time); },
                   [&](const Link& r) { set(at_.new_entry, r.time); },
                   [&](const Rename& r) { set(at_.entry, r.time), set(at_.new_entry, r.time); },
                   [](const OneOf<Write, Truncate, Allocate, SetAttr, SetXattr, RemoveXattr> auto&) {},
                   [](const ControlKind auto&) {},
               },
               record_.body);
  }

 private:
  Status Move(const Rename& r) {
    if (r.mode == RenameMode::kExchange) {
      HAWSER_TRY(Exchange(r));
    } else {
      HAWSER_ASSIGN(const bool placed, Exchanged(at_.node, at_.new_entry, at_.entry));
      if (!placed && differs_) return Unplaced(r);
      if (!placed) HAWSER_TRY(IsNotLost(r.path));
      HAWSER_TRY(tree_.Vacate(at_.node, at_.entry));
      HAWSER_TRY(IsFree(r.path));
    }
    if (r.mtime) HAWSER_TRY(SetTimeOf(at_.node, *r.mtime));
    if (r.replaced_mtime) HAWSER_TRY(SetTimeOf(at_.replaced, *r.replaced_mtime));
    return {};
  }

  // But for a store that nobody goes on with, and what is right already.
  bool IsToBePutBack(const Error& error) const {
    return error.code != kNameStays && (error.code != kStoreDiverged || differs_);
  }

  // A rename that can't take place: to where all was before it.
  Status PutBack() {
    const auto back = Exchanged(at_.node, at_.entry, at_.new_entry);
    if (at_.replaced != nullptr) HAWSER_TRY(Exchanged(at_.replaced, at_.new_entry, at_.entry));
    HAWSER_TRY(back);
    return {};
  }

  // What can only be as it should if the store was what the journal says.
  Status IsThere(bool there, const StorePath& path) const {
    if (there || !differs_) return {};
    return Error{ENOENT, fmt::format("'{}' is missing", path.Printable())};
  }
  // It is nowhere. If no record to come removes it for good, somebody has.
  Status IsNotLost(const StorePath& path) {
    if (at_.node->id == kNoFileId || at_.node->created || at_.node->names == 0) return {};
    HAWSER_ASSIGN(const bool exists, Exists());
    if (exists) return {};
    return Error{ENOENT, fmt::format("'{}' is missing", path.Printable())};
  }
  Status IsFree(const StorePath& path) {
    if (!differs_) return {};
    HAWSER_ASSIGN(const bool holds, tree_.Holds(at_.entry));
    if (!holds) return {};
    return Error{kNameStays, fmt::format("'{}' holds something else", path.Printable())};
  }
  // Neither the node nor something else may stay at its old name.
  Status Unplaced(const Rename& r) {
    HAWSER_ASSIGN(const bool holds, tree_.Holds(at_.entry));
    return holds ? Other(r.path) : IsThere(false, r.new_path);
  }
  Result<bool> Exists() {
    return at_.node->id == kNoFileId ? tree_.Holds(at_.entry) : tree_.Exists(at_.node);
  }
  static Status Other(const StorePath& path) {
    return Error{kStoreDiverged, fmt::format("'{}' isn't what it should be", path.Printable())};
  }

  Status ApplyTo(int fd) { return store_.Apply(record_, payload_, {.orphan = fd}); }

  Status Again(FileId file, bool may_lack = false) {
    HAWSER_ASSIGN(const UniqueFd fd,
                  file == kNoFileId ? tree_.OpenValue(at_.entry) : tree_.OpenNode(file, at_.entry));
    if (!fd) return {};  // a later record removed it
    Status applied = ApplyTo(fd.get());
    if (!applied && may_lack && applied.error().code == kStoreDiverged) return {};
    return applied;
  }

  static void Change(Create& value, const SetAttr& r) {
    value.mode = r.mode.value_or(value.mode);
    value.uid = r.uid.value_or(value.uid);
    value.gid = r.gid.value_or(value.gid);
    value.time = r.mtime.value_or(value.time);
  }

  // The times of the directory that an entry is in.
  Status SetTime(const PlanEntry& entry, Timestamp mtime) { return SetTimeOf(entry.parent, mtime); }

  Status SetTimeOf(PlanNode* node, Timestamp mtime) {
    HAWSER_ASSIGN(const UniqueFd directory, tree_.OpenDirectory(node));
    if (!directory) return {};
    return Settle(store_, record_, directory.get(),
                  {.file = {}, .path = {}, .mode = {}, .uid = {}, .gid = {}, .atime = {}, .mtime = mtime});
  }

  // Under its name, or aside if the directory is gone and a later record has yet to take it out from there.
  Status Make(const Create& r) {
    HAWSER_ASSIGN(const UniqueFd parent, tree_.OpenDirectory(at_.entry.parent));
    if (!parent) {
      HAWSER_TRY(IsThere(false, r.path));
      HAWSER_ASSIGN(const int limbo, tree_.Limbo());
      tree_.NoteInLimbo(r.file);
      return MakeIn(limbo, RedoTree::LimboName(r.file), r);
    }
    HAWSER_TRY(tree_.Displace(parent.get(), at_.entry.name, r.file, r.kind));
    HAWSER_ASSIGN(const Occupant unmarked, OccupantOf(parent.get(), at_.entry.name));
    if (!unmarked) {
      HAWSER_TRY(MakeIn(parent.get(), at_.entry.name, r));
      // The directory may have a default ACL by now that it didn't have then.
      HAWSER_ASSIGN(const UniqueFd made, tree_.OpenNode(r.file, at_.entry));
      return SettleNew(store_, record_, made.get(), r);
    }
    // Made and not marked when the end came.
    const UniqueFd fd(::openat(parent.get(), at_.entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return ErrnoError("cannot open", r.path.Printable());
    HAWSER_TRY(WriteFileId(fd.get(), r.file));
    return SettleNew(store_, record_, unmarked.fd.get(), r);
  }

  Status MakeIn(int directory, const std::string& name, const Create& r) {
    Record record = record_;
    Create create = r;
    create.path = StorePath().Child(name);
    record.body = std::move(create);
    return store_.Apply(record, {}, {.parent = directory});
  }

  // The two nodes change places; a value is made anew, so that neither waits for the other.
  Status Exchange(const Rename& r) {
    bool placed = false;
    bool replaced = false;
    if (r.file == kNoFileId) {
      HAWSER_ASSIGN(replaced, Exchanged(at_.replaced, at_.entry, at_.new_entry));
      HAWSER_ASSIGN(placed, Exchanged(at_.node, at_.new_entry, at_.entry));
    } else {
      HAWSER_ASSIGN(placed, Exchanged(at_.node, at_.new_entry, at_.entry));
      HAWSER_ASSIGN(replaced, Exchanged(at_.replaced, at_.entry, at_.new_entry));
    }
    HAWSER_TRY(IsThere(placed, r.new_path));
    return IsThere(replaced, r.path);
  }

  Result<bool> Exchanged(PlanNode* node, const PlanEntry& to, const PlanEntry& from) {
    if (node->id == kNoFileId) return PlaceValue(node, to);
    return tree_.Place(node, to, from, true);
  }

  // Values are made anew rather than moved: what they are is known.
  Result<bool> PlaceValue(PlanNode* node, const PlanEntry& entry) {
    HAWSER_ASSIGN(const UniqueFd parent, tree_.OpenDirectory(entry.parent));
    if (!parent) return false;
    // It was nowhere when redo began: a later record removed it. What it replaced is gone all the same.
    if (!node->value) {
      HAWSER_TRY(tree_.Displace(parent.get(), entry.name, kNoFileId));
      return false;
    }
    const Create& value = *node->value;
    HAWSER_ASSIGN(const auto there, tree_.ReadValue(entry));
    if (!there || there->kind != value.kind || there->target != value.target ||
        there->device != value.device) {
      HAWSER_TRY(tree_.Displace(parent.get(), entry.name, kNoFileId));
      HAWSER_TRY(MakeIn(parent.get(), entry.name, value));
    }
    HAWSER_ASSIGN(const UniqueFd fd, tree_.OpenValue(entry));
    HAWSER_TRY(SettleNew(store_, record_, fd.get(), value));
    return true;
  }

  Result<bool> LinkValue() {
    HAWSER_ASSIGN(const UniqueFd source, tree_.OpenValue(at_.entry));
    HAWSER_ASSIGN(const UniqueFd from, tree_.OpenDirectory(at_.entry.parent));
    HAWSER_ASSIGN(const UniqueFd to, tree_.OpenDirectory(at_.new_entry.parent));
    if (!source || !from || !to) return PlaceValue(at_.node, at_.new_entry);
    HAWSER_ASSIGN(const Occupant there, OccupantOf(to.get(), at_.new_entry.name));
    HAWSER_ASSIGN(const struct stat info, StatFd(source.get()));
    if (there && there.info.st_ino == info.st_ino) return true;
    HAWSER_TRY(tree_.Displace(to.get(), at_.new_entry.name, kNoFileId));
    if (::linkat(from.get(), at_.entry.name.c_str(), to.get(), at_.new_entry.name.c_str(), 0) != 0)
      return ErrnoError("cannot redo the link", at_.new_entry.name);
    return true;
  }

  Store& store_;
  RedoTree& tree_;
  const PlannedRecord& at_;
  const Record& record_;
  Bytes payload_;
  const bool differs_;
};

struct Redo::State {
  explicit State(Store& the_store) : store(the_store), tree(the_store, plan) {}

  Store& store;
  RedoPlan plan;
  RedoTree tree;
  PlannedRecord last;
  bool begun = false;

  Status Begin();
  Status Recognise();
  Status Apply(const Record& record, Bytes payload, bool differs) {
    const Record local = store.Localized(record);
    Status applied = std::visit(RedoRules(store, tree, last, local, payload, differs), local.body);
    tree.CloseFolders();
    return applied;
  }
};

// Before anything moves.
Status Redo::State::Begin() {
  if (begun) return {};
  HAWSER_TRY(Recognise());
  tree.CloseFolders();
  begun = true;
  return {};
}

// What an interrupted redo has recognised is known already; it has moved things since.
Status Redo::State::Recognise() {
  HAWSER_TRY(tree.Open());
  const auto& values = plan.moving_values();
  bool all_known = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    HAWSER_ASSIGN(values[i]->value, tree.KeptValue(i));
    all_known = all_known && values[i]->value;
  }
  if (all_known) return {};
  HAWSER_ASSIGN(const auto places, FindValues(plan, tree));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto place = places.find(values[i]);
    if (values[i]->value || place == places.end()) continue;
    HAWSER_ASSIGN(auto value, tree.ReadValue(place->second));
    if (value) HAWSER_TRY(tree.KeepValue(place->second, i));
    values[i]->value = std::move(value);
  }
  return {};
}

Redo::Redo(Store& store) : state_(std::make_unique<State>(store)) {}
Redo::~Redo() = default;
Redo::Redo(Redo&&) noexcept = default;
Redo& Redo::operator=(Redo&&) noexcept = default;

void Redo::Expect(const Record& record) { state_->plan.Add(state_->store.Localized(record)); }

Status Redo::Apply(const Record& record, Bytes payload, bool differs) {
  state_->last = state_->plan.Take();
  return ApplyAgain(record, payload, differs);
}

Status Redo::ApplyAgain(const Record& record, Bytes payload, bool differs) {
  HAWSER_TRY(state_->Begin());
  return state_->Apply(record, payload, differs);
}

void Redo::ApplyFolderTimes(const Record& record) {
  RedoRules(state_->store, state_->tree, state_->last, record, {}, false).SetFolderTimes();
  state_->tree.CloseFolders();
}

Status Redo::Finish(bool differs) {
  Status begun = state_->Begin();
  // Nobody may change the store's root: nothing was moved.
  if (!begun && differs && begun.error().code == EPERM) return {};
  HAWSER_TRY(std::move(begun));
  return state_->tree.Empty(differs);
}

Status Redo::RemoveLeft() { return state_->tree.RemoveLeft(); }

void Redo::Leave() { state_->tree.RemoveFolderIfEmpty(); }

Status RedoOne(Store& store, const Record& record, Bytes payload, bool differs) {
  Redo redo(store);
  redo.Expect(record);
  Status applied = redo.Apply(record, payload, differs);
  if (applied) return redo.Finish(differs);
  redo.Leave();
  return applied;
}

bool NeedsCheckpoint(const Body& body) {
  return std::visit(Overloaded{
                        [](const Allocate& r) { return Shifts(r); },
                        [](const OneOf<Write, Truncate> auto&) { return false; },
                        [](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) { return false; },
                        [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) { return false; },
                        [](const ControlKind auto&) { return false; },
                    },
                    body);
}

}  // namespace hawser
