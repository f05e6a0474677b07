#include "tests/volume/store/author.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#include <cstdio>
#include <cstdlib>
#include <span>

#include "volume/store/acl_names.h"
#include "volume/store/inherited_access.h"

namespace hawser::test {

namespace {

template <class T>
T Must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "author: %s\n", result.error().Text().c_str());
    std::abort();
  }
  return *std::move(result);
}

void Must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "author: %s\n", status.error().Text().c_str());
  std::abort();
}

}  // namespace

StorePath PathOf(const std::string& text) {
  return text.empty() ? StorePath() : Must(StorePath::Parse(text));
}

Author::Author(const std::string& store_folder, const std::string& volume, bool value_ids)
    : store_(Must(Store::Open(
          {.root = store_folder, .group = "test", .volume = VolumeName(volume), .value_ids = value_ids}))) {}

FileId Author::NextId(NodeKind kind) {
  if (kind == NodeKind::kRegular || kind == NodeKind::kDirectory) return FileId(next_id_++);
  return store_->keeps_value_ids() ? ValueId(FileId(next_id_++)) : kNoFileId;
}

FileId Author::IdOf(const std::string& path) const {
  const UniqueFd pin = Must(store_->Pin(PathOf(path)));
  return Must(ReadFileId(ProcPath(pin.get())));
}

FileId Author::ParentId(const StorePath& path) const {
  return path.IsRoot() ? kRootFileId : IdOf(path.Parent().text());
}

FileState Author::StateAt(const std::string& path) const { return StateOf(Must(store_->Stat(PathOf(path)))); }

std::optional<Timestamp> Author::TimeOfDirectory(const std::string& path) const {
  const struct stat info = Must(store_->Stat(PathOf(path)));
  if (!S_ISDIR(info.st_mode)) return std::nullopt;
  return StateOf(info).mtime;
}

Written Author::Do(Body body, std::string payload) {
  Written written{.record = {.volume = store_->volume(),
                             .generation = Generation(1),
                             .origin = {.node = NodeName("author"), .session = 1, .number = ++number_},
                             .body = std::move(body)},
                  .payload = std::move(payload),
                  .parent = {},
                  .new_parent = {}};
  std::visit(
      [&](const auto& r) {
        if constexpr (requires { r.path; }) written.parent = ParentId(r.path);
        if constexpr (requires { r.new_path; }) written.new_parent = ParentId(r.new_path);
      },
      written.record.body);
  Must(store_->Apply(written.record, AsBytes(written.payload)));
  time_ += 1'000'001;
  return written;
}

Written Author::Create(const std::string& path, NodeKind kind) {
  hawser::Create create;
  create.file = NextId(kind);
  create.path = PathOf(path);
  create.kind = kind;
  const bool is_directory = kind == NodeKind::kDirectory;
  const UniqueFd parent = Must(store_->Pin(create.path.Parent()));
  InheritedAccess access = InheritAccess(is_directory ? 0755 : 0644, 0,
                                         Must(ReadDefaultAcl(ProcPath(parent.get()))), is_directory);
  create.mode = access.mode;
  create.access_acl = std::move(access.access_acl);
  create.default_acl = std::move(access.default_acl);
  create.uid = ::geteuid();
  create.gid = ::getegid();
  create.time = {time_};
  return Do(std::move(create));
}

Written Author::Symlink(const std::string& path, const std::string& target) {
  hawser::Create create;
  create.file = NextId(NodeKind::kSymlink);
  create.path = PathOf(path);
  create.kind = NodeKind::kSymlink;
  create.mode = 0777;
  create.uid = ::geteuid();
  create.gid = ::getegid();
  create.target = target;
  create.time = {time_};
  return Do(std::move(create));
}

Written Author::Write(const std::string& path, std::uint64_t offset, const std::string& data) {
  return Do(hawser::Write{.file = IdOf(path),
                          .path = PathOf(path),
                          .offset = offset,
                          .length = data.size(),
                          .before = StateAt(path),
                          .mtime = {time_},
                          .mode = {}},
            data);
}

Written Author::Truncate(const std::string& path, std::uint64_t size) {
  return Do(hawser::Truncate{.file = IdOf(path),
                             .path = PathOf(path),
                             .size = size,
                             .before = StateAt(path),
                             .mtime = {time_},
                             .mode = {}});
}

Written Author::Allocate(const std::string& path, int flags, std::uint64_t offset, std::uint64_t length) {
  return Do(hawser::Allocate{.file = IdOf(path),
                             .path = PathOf(path),
                             .flags = static_cast<std::uint32_t>(flags),
                             .offset = offset,
                             .length = length,
                             .before = StateAt(path),
                             .mtime = {time_},
                             .mode = {}});
}

Written Author::Rename(const std::string& path, const std::string& new_path, RenameMode mode) {
  std::optional<FileId> replaced;
  if (store_->Stat(PathOf(new_path))) replaced = IdOf(new_path);
  hawser::Rename rename{.file = IdOf(path),
                        .path = PathOf(path),
                        .new_path = PathOf(new_path),
                        .mode = mode,
                        .replaced = replaced,
                        .time = {time_},
                        .mtime = {},
                        .replaced_mtime = {}};
  if (ParentId(rename.path) != ParentId(rename.new_path)) {
    rename.mtime = TimeOfDirectory(path);
    if (mode == RenameMode::kExchange) rename.replaced_mtime = TimeOfDirectory(new_path);
  }
  return Do(std::move(rename));
}

Written Author::Link(const std::string& path, const std::string& new_path) {
  return Do(
      hawser::Link{.file = IdOf(path), .path = PathOf(path), .new_path = PathOf(new_path), .time = {time_}});
}

Written Author::Unlink(const std::string& path) {
  return Do(hawser::Unlink{.file = IdOf(path), .path = PathOf(path), .time = {time_}});
}

Written Author::Rmdir(const std::string& path) {
  return Do(hawser::Rmdir{.file = IdOf(path), .path = PathOf(path), .time = {time_}});
}

Written Author::Chmod(const std::string& path, std::uint32_t mode) {
  return Do(hawser::SetAttr{.file = IdOf(path),
                            .path = PathOf(path),
                            .mode = mode,
                            .uid = {},
                            .gid = {},
                            .atime = {},
                            .mtime = {}});
}

Written Author::Touch(const std::string& path) {
  return Do(hawser::SetAttr{.file = IdOf(path),
                            .path = PathOf(path),
                            .mode = {},
                            .uid = {},
                            .gid = {},
                            .atime = Timestamp{time_},
                            .mtime = Timestamp{time_}});
}

Written Author::SetXattr(const std::string& path, const std::string& name, const std::string& value) {
  return Do(hawser::SetXattr{.file = IdOf(path), .path = PathOf(path), .name = name}, value);
}

Written Author::SetDefaultAcl(const std::string& path, unsigned permissions) {
  const auto bits = static_cast<std::uint16_t>(permissions & 7);
  constexpr auto kNobody = static_cast<std::uint32_t>(ACL_UNDEFINED_ID);
  const posix_acl_xattr_entry entries[] = {{ACL_USER_OBJ, 7, kNobody},
                                           {ACL_USER, bits, 1234},
                                           {ACL_GROUP_OBJ, 5, kNobody},
                                           {ACL_MASK, 7, kNobody},
                                           {ACL_OTHER, 4, kNobody}};
  const posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
  std::string acl(AsText(std::as_bytes(std::span(&header, 1))));
  acl += AsText(std::as_bytes(std::span(entries)));
  return SetXattr(path, kDefaultAcl, acl);
}

Written Author::RemoveXattr(const std::string& path, const std::string& name) {
  return Do(hawser::RemoveXattr{.file = IdOf(path), .path = PathOf(path), .name = name});
}

bool Author::HasXattr(const std::string& path, const std::string& name) const {
  const UniqueFd pin = Must(store_->Pin(PathOf(path)));
  return ::getxattr(ProcPath(pin.get()).c_str(), name.c_str(), nullptr, 0) >= 0;
}

bool Author::IsSameFile(const std::string& path, const std::string& other) const {
  return Must(store_->Stat(PathOf(path))).st_ino == Must(store_->Stat(PathOf(other))).st_ino;
}

}  // namespace hawser::test
