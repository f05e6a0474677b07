#include "tests/sim/model_redo.h"

#include <fmt/format.h>

#include "common/record/kinds.h"
#include "volume/store/redo.h"

namespace hawser::sim {

namespace {

constexpr std::string_view kLeft = ".left-";

std::string LimboName(FileId id) { return fmt::format("{}{:x}", kLimbo, id.value); }

Error Other(const std::string& path) { return {kStoreDiverged, fmt::format("'{}' is something else", path)}; }
Error Missing(const std::string& path) { return {ENOENT, fmt::format("'{}' is missing", path)}; }

// RedoRules, and what of RedoTree it needs: one record.
class Rules {
 public:
  Rules(const Tree& tree, const RedoPlan& plan, const PlannedRecord& at, Bytes payload, bool differs)
      : now_(tree), plan_(plan), at_(at), payload_(payload), differs_(differs) {}

  Redone Run(const Record& record, const Status& refused) {
    Status done = refused ? std::visit(*this, record.body) : refused;
    const auto* rename = std::get_if<Rename>(&record.body);
    const bool is_left_as_found = !done && done.error().code == kStoreDiverged && !differs_;
    if (rename != nullptr && !done && done.error().code != kNameStays && !is_left_as_found) {
      if (Status back = PutBack(*rename); !back) done = std::move(back);
    }
    if (!names_.steps.empty()) effects_.insert(effects_.begin(), std::move(names_));
    return {std::move(done), std::move(effects_)};
  }

  Status operator()(const Create& r) {
    HAWSER_TRY(MoveTo(r.file, r.path.text(), true));
    effects_.push_back(Resize{r.file, 0});
    effects_.push_back(SetMode{r.file, r.mode});
    effects_.push_back(SetTime{r.file, r.time});
    return {};
  }
  Status operator()(const Unlink& r) {
    HAWSER_TRY(Vacate(r.file, r.path.text()));
    return IsFree(r.path.text());
  }
  Status operator()(const Rename& r) {
    const std::string from = r.path.text();
    const std::string to = r.new_path.text();
    HAWSER_ASSIGN(const bool placed, MoveTo(r.file, to, false));
    if (r.mode == RenameMode::kExchange && r.replaced) {
      HAWSER_ASSIGN(const bool replaced, MoveTo(*r.replaced, from, false));
      if (!placed && differs_) return Missing(to);
      return replaced || !differs_ ? Status() : Missing(from);
    }
    if (!placed && differs_) return now_.At(from) == kNoFileId ? Missing(to) : Other(from);
    if (!placed && !at_.node->created && at_.node->names > 0) return Missing(from);
    HAWSER_TRY(Vacate(r.file, from));
    return IsFree(from);
  }
  Status operator()(const OneOf<Write, Truncate, SetAttr, SetXattr> auto& r) {
    if (now_.Find(r.file) == nullptr) return plan_.Find(r.file) == nullptr ? Other(r.path.text()) : Status();
    for (Effect& effect : ContentEffects(Body(r), payload_)) effects_.push_back(std::move(effect));
    return {};
  }
  Status operator()(const OneOf<Allocate, Link, Rmdir, RemoveXattr> auto&) { return {}; }  // Tree::Effects
  Status operator()(const ControlKind auto&) { return {}; }

 private:
  void Do(FileId file, const std::string& path) {
    names_.steps.push_back(Place{file, path});
    now_.Do(Names{{names_.steps.back()}});
  }
  void Take(FileId file) {
    names_.steps.push_back(Remove{file});
    now_.Do(Names{{names_.steps.back()}});
  }

  // RedoTree::Displace and Place. Whether it is there.
  Result<bool> MoveTo(FileId file, const std::string& path, bool make) {
    const FileId there = now_.At(path);
    if (there != kNoFileId && there != file) {
      const PlanNode* node = plan_.Find(there);
      const bool may_go = node != nullptr && (node->mentions > 0 || node->names == 0 || node == at_.node ||
                                              node == at_.replaced);
      if (!may_go) return Other(path);
      Do(there, LimboName(there));
    }
    if (now_.Find(file) == nullptr && !make) return false;
    Do(file, path);
    return true;
  }
  Status Vacate(FileId file, const std::string& path) {
    if (now_.At(path) != file) return {};
    if (at_.node->mentions > 0) return Do(file, LimboName(file)), Status();
    if (at_.node->names > 0) return Other(path);
    return Take(file), Status();
  }
  Status IsFree(const std::string& path) const {
    if (!differs_ || now_.At(path) == kNoFileId) return {};
    return Error{kNameStays, fmt::format("'{}' holds something else", path)};
  }
  Status PutBack(const Rename& r) {
    const auto back = MoveTo(r.file, r.path.text(), false);
    if (r.replaced) HAWSER_TRY(MoveTo(*r.replaced, r.new_path.text(), false));
    HAWSER_TRY(back);
    return {};
  }

  Tree now_;  // after the steps so far
  const RedoPlan& plan_;
  const PlannedRecord& at_;
  const Bytes payload_;
  const bool differs_;
  Names names_;
  std::vector<Effect> effects_;
};

}  // namespace

Redone ModelRedo::Apply(const Tree& tree, const Record& record, Bytes payload, bool differs,
                        const Status& refused) {
  last_ = plan_.Take();
  return ApplyAgain(tree, record, payload, differs, refused);
}

Redone ModelRedo::ApplyAgain(const Tree& tree, const Record& record, Bytes payload, bool differs,
                             const Status& refused) const {
  return Rules(tree, plan_, last_, payload, differs).Run(record, refused);
}

Redone ModelRedo::Finish(const Tree& tree, bool differs) const {
  Names names;
  for (const auto& [id, file] : tree.files()) {
    if (file.path.front() != kLimbo) continue;
    const bool is_left = file.path.starts_with(kLeft);
    const PlanNode* node = plan_.Find(id);
    if ((is_left && !differs) || (!is_left && node != nullptr && node->names == 0)) {
      names.steps.push_back(Remove{id});
    } else if (!is_left && differs) {
      names.steps.push_back(Place{id, fmt::format("{}{:x}", kLeft, id.value)});
    } else if (!is_left) {
      return {Error{kStoreDiverged, fmt::format("id {:x} has lost its name", id.value)}, {}};
    }
  }
  if (names.steps.empty()) return {};
  return {{}, {names}};
}

std::vector<Effect> RemoveLeft(const Tree& tree) {
  Names names;
  for (const auto& [id, file] : tree.files())
    if (file.path.starts_with(kLeft)) names.steps.push_back(Remove{id});
  if (names.steps.empty()) return {};
  return {names};
}

}  // namespace hawser::sim
