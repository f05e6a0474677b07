#include "volume/recovery/record_paths.h"

namespace hawser {

const StorePath* NameTakenBy(const Body& body) {
  if (const auto* unlink = std::get_if<Unlink>(&body)) return &unlink->path;
  const auto* rename = std::get_if<Rename>(&body);
  return rename != nullptr && rename->replaced ? &rename->new_path : nullptr;
}

bool ChangesNames(const Body& body) {
  const TreeEffect effect = EffectOf(body);
  return effect == TreeEffect::kMakesName || TakesNames(body);
}

std::vector<StorePath> PathsOf(const Body& body) {
  std::vector<StorePath> paths;
  ForEachPath(body, [&paths](const StorePath& path) { paths.push_back(path); });
  return paths;
}

FileId ReplacedBy(const Body& body) {
  const auto* rename = std::get_if<Rename>(&body);
  return rename != nullptr ? rename->replaced.value_or(kNoFileId) : kNoFileId;
}

std::vector<StorePath> PathsLeftBy(const Body& body) {
  if (const auto* link = std::get_if<Link>(&body)) return {link->new_path};
  return PathsOf(body);
}

std::vector<StorePath> NewNamesOf(const Body& body) {
  if (EffectOf(body) == TreeEffect::kTakesName) return {};
  if (const auto* rename = std::get_if<Rename>(&body)) {
    if (rename->mode == RenameMode::kExchange) return {rename->path, rename->new_path};
    return {rename->new_path};
  }
  return ChangesNames(body) ? PathsLeftBy(body) : std::vector<StorePath>();
}

void CallIt(Body& body, const StorePath& path) {
  std::visit(Overloaded{
                 [&](OneOf<Write, Truncate, Allocate> auto& r) { r.path = path; },
                 [&](OneOf<SetAttr, SetXattr, RemoveXattr> auto& r) { r.path = path; },
                 [](OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) {},
                 [](ControlKind auto&) {},
             },
             body);
}

StorePath Moved(const StorePath& path, const StorePath& from, const StorePath& to) {
  if (path == from) return to;
  const std::string rest = path.text().substr(from.IsRoot() ? 0 : from.text().size() + 1);
  return *StorePath::Parse(to.text() + "/" + rest);
}

bool LeaveOut(SetAttr& old, const SetAttr& later) {
  if (later.mode) old.mode.reset();
  if (later.uid) old.uid.reset();
  if (later.gid) old.gid.reset();
  if (later.atime) old.atime.reset();
  if (later.mtime) old.mtime.reset();
  return old.mode || old.uid || old.gid || old.atime || old.mtime;
}

const std::string* XattrOf(const Body& body) {
  if (const auto* set = std::get_if<SetXattr>(&body)) return &set->name;
  if (const auto* removed = std::get_if<RemoveXattr>(&body)) return &removed->name;
  return nullptr;
}

std::optional<std::uint32_t> ModeOf(const Body& body) {
  using Mode = std::optional<std::uint32_t>;
  return std::visit(Overloaded{
                        [](const OneOf<Write, Truncate, Allocate> auto& r) { return r.mode; },
                        [](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) { return Mode(); },
                        [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) { return Mode(); },
                        [](const ControlKind auto&) { return Mode(); },
                    },
                    body);
}

bool Includes(Body& old, const Body& later) {
  if (auto* attributes = std::get_if<SetAttr>(&old)) {
    const auto* more = std::get_if<SetAttr>(&later);
    if (more == nullptr) return false;
    if (more->mode) attributes->mode = more->mode;
    if (more->uid) attributes->uid = more->uid;
    if (more->gid) attributes->gid = more->gid;
    if (more->atime) attributes->atime = more->atime;
    if (more->mtime) attributes->mtime = more->mtime;
    return true;
  }
  if (EffectOf(later) == TreeEffect::kContent)
    return EffectOf(old) == TreeEffect::kContent && (ModeOf(old) || !ModeOf(later));
  const std::string* name = XattrOf(later);
  return name != nullptr && XattrOf(old) != nullptr && *XattrOf(old) == *name;
}

}  // namespace hawser
