#include "fuse_primary/remedy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "common/base/files.h"
#include "common/record/codec.h"
#include "common/record/kinds.h"
#include "volume/store/acl_names.h"
#include "volume/store/beneath.h"
#include "volume/store/file_ids.h"
#include "volume/store/xattrs.h"

namespace hawser {

namespace {

class Remedier {
 public:
  Remedier(const Store& store, Sequence refused, const JournalRemedy& journal)
      : store_(store), refused_(refused), journal_(journal) {}

  // The last record is sent here, once it is known to be the last.
  Status Finish() {
    if (!waiting_) return Error{EPROTO, "a remedy without a record"};
    return journal_(std::move(waiting_->body), std::move(waiting_->payload), {refused_, true});
  }

  Status operator()(const Write& r) { return RestoreData(r, r.offset, r.offset + r.length); }
  Status operator()(const Truncate& r) { return RestoreData(r, std::min(r.size, r.before.size), UINT64_MAX); }
  Status operator()(const Allocate& r) {
    constexpr std::uint32_t kMoving = FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE;
    constexpr std::uint32_t kZeroing = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
    if ((r.flags & kMoving) != 0) return RestoreData(r, r.offset, UINT64_MAX);
    // Plain allocation leaves the data as it is.
    return RestoreData(r, r.offset, (r.flags & kZeroing) != 0 ? r.offset + r.length : r.offset);
  }

  Status operator()(const Create& r) {
    HAWSER_ASSIGN(const auto node, Look(r.path, r.file));
    if (node) {
      HAWSER_TRY(RestoreNode(*node, r.path));
      return RestoreTime(r.path.Parent());
    }
    HAWSER_ASSIGN(const Timestamp time, TimeOf(r.path.Parent()));
    if (r.kind == NodeKind::kDirectory) return Send(Rmdir{r.file, r.path, time});
    return Send(Unlink{r.file, r.path, time});
  }

  Status operator()(const Link& r) {
    HAWSER_ASSIGN(const auto node, Look(r.new_path, r.file));
    if (node) return RestoreTime(r.new_path.Parent());
    HAWSER_ASSIGN(const Timestamp time, TimeOf(r.new_path.Parent()));
    return Send(Unlink{r.file, r.new_path, time});
  }

  Status operator()(const OneOf<Unlink, Rmdir> auto& r) {
    HAWSER_ASSIGN(const auto node, Look(r.path, r.file));
    if (node) HAWSER_TRY(RestoreNode(*node, r.path));
    return RestoreTime(r.path.Parent());
  }

  Status operator()(const Rename& r) {
    HAWSER_ASSIGN(const auto moved, Look(r.new_path, r.file));
    if (!moved) {
      HAWSER_ASSIGN(const Timestamp time, TimeOf(r.path.Parent()));
      const bool exchanges = r.mode == RenameMode::kExchange;
      HAWSER_TRY(Send(Rename{r.file, r.new_path, r.path, exchanges ? r.mode : RenameMode::kNoReplace,
                             exchanges ? r.replaced : std::nullopt, time, r.mtime,
                             exchanges ? r.replaced_mtime : std::nullopt}));
      if (r.replaced && !exchanges) {
        HAWSER_ASSIGN(const auto replaced, Look(r.new_path, *r.replaced));
        if (replaced) HAWSER_TRY(RestoreNode(*replaced, r.new_path));
      }
    }
    HAWSER_TRY(RestoreTime(r.path.Parent()));
    return RestoreTime(r.new_path.Parent());
  }

  Status operator()(const SetAttr& r) {
    HAWSER_ASSIGN(const Node node, Open(r.path, r.file));
    SetAttr real{r.file, r.path, {}, {}, {}, {}, {}};
    if ((r.mode || r.uid || r.gid) && !S_ISLNK(node.info.st_mode)) real.mode = node.Mode();
    if (r.uid) real.uid = node.info.st_uid;
    if (r.gid) real.gid = node.info.st_gid;
    if (r.atime) real.atime = Timestamp::From(node.info.st_atim);
    if (r.mtime) real.mtime = Timestamp::From(node.info.st_mtim);
    return Send(std::move(real));
  }

  Status operator()(const OneOf<SetXattr, RemoveXattr> auto& r) {
    HAWSER_ASSIGN(const Node node, Open(r.path, r.file));
    HAWSER_TRY(RestoreXattr(node, r.path, r.name));
    if (r.name != kAccessAcl) return {};
    return Send(SetAttr{r.file, r.path, node.Mode(), {}, {}, {}, {}});  // it changes the mode
  }

  Status operator()(const ControlKind auto& r) {
    return Error{ENOTSUP, fmt::format("a {} changes no store", KindName(Body(r)))};
  }

 private:
  struct Node {
    UniqueFd fd;  // O_PATH
    struct stat info;
    FileId id;

    std::uint32_t Mode() const { return info.st_mode & 07777; }
  };
  struct Waiting {
    Body body;
    Payload payload;
  };

  Status Send(Body body, Payload payload = {}) {
    if (waiting_)
      HAWSER_TRY(journal_(std::move(waiting_->body), std::move(waiting_->payload), {refused_, false}));
    waiting_ = Waiting{std::move(body), std::move(payload)};
    return {};
  }

  // nullopt: the path holds nothing, or another node.
  Result<std::optional<Node>> Look(const StorePath& path, FileId expected) const {
    auto fd = store_.Pin(path);
    if (!fd && (fd.error().code == ENOENT || fd.error().code == ENOTDIR)) return std::optional<Node>();
    if (!fd) return std::move(fd).error();
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(fd->get())));
    HAWSER_ASSIGN(const struct stat info, StatFd(fd->get()));
    const bool is_unnamed_value =
        expected == kNoFileId && IsValueId(id) && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
    if (id != expected && !is_unnamed_value) return std::optional<Node>();
    return std::optional(Node{*std::move(fd), info, expected});
  }

  Result<Node> Open(const StorePath& path, FileId expected) const {
    HAWSER_ASSIGN(auto node, Look(path, expected));
    if (!node) return Error{kStoreDiverged, fmt::format("'{}' is another node, or none", path.Printable())};
    return *std::move(node);
  }

  Result<Timestamp> TimeOf(const StorePath& path) const {
    HAWSER_ASSIGN(const struct stat info, store_.Stat(path));
    return Timestamp::From(info.st_mtim);
  }

  Status RestoreTime(const StorePath& folder) {
    HAWSER_ASSIGN(const UniqueFd fd, store_.Pin(folder));
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(fd.get())));
    HAWSER_ASSIGN(const struct stat info, StatFd(fd.get()));
    return Send(SetAttr{id, folder, {}, {}, {}, {}, Timestamp::From(info.st_mtim)});
  }

  // A node that replicas may have removed: under its name, with all that is in it. One that has other names
  // is still there, and so is its content.
  Status RestoreNode(const Node& node, const StorePath& path) {
    Create create{node.id, path, KindOf(node.info.st_mode), 0, node.info.st_uid, node.info.st_gid, 0, {}, {},
                  {},      {}};
    create.time = Timestamp::From(node.info.st_mtim);
    if (create.kind != NodeKind::kSymlink) create.mode = node.Mode();
    if (create.kind == NodeKind::kCharDevice || create.kind == NodeKind::kBlockDevice)
      create.device = node.info.st_rdev;
    if (create.kind == NodeKind::kSymlink) {
      HAWSER_ASSIGN(create.target, TargetOf(node, path));
    }
    const bool is_elsewhere =
        node.id != kNoFileId && create.kind != NodeKind::kDirectory && node.info.st_nlink > 1;
    if (is_elsewhere) return Send(Link{node.id, path, path, create.time});  // by its id, wherever that is
    HAWSER_TRY(Send(create));
    if (create.kind == NodeKind::kRegular) HAWSER_TRY(RestoreContent(node, path));
    HAWSER_TRY(RestoreXattrs(node, path));
    SetAttr attributes{
        node.id,    path, {}, node.info.st_uid, node.info.st_gid, Timestamp::From(node.info.st_atim),
        create.time};
    if (create.kind != NodeKind::kSymlink) attributes.mode = create.mode;
    return Send(std::move(attributes));
  }

  static Result<std::string> TargetOf(const Node& node, const StorePath& path) {
    std::string target(PATH_MAX, '\0');
    const ssize_t size = ::readlinkat(node.fd.get(), "", target.data(), target.size());
    if (size < 0) return ErrnoError("cannot read the symlink", path.Printable());
    target.resize(static_cast<std::size_t>(size));
    return target;
  }

  // From an empty file on; holes stay holes.
  Status RestoreContent(const Node& node, const StorePath& path) {
    const FileState real = StateOf(node.info);
    HAWSER_TRY(Send(Truncate{node.id, path, 0, real, real.mtime, {}}));
    if (real.size == 0) return {};
    HAWSER_TRY(Send(Truncate{node.id, path, real.size, {0, real.mtime}, real.mtime, {}}));
    HAWSER_ASSIGN(const UniqueFd fd, store_.Reopen(node.fd.get(), O_RDONLY));
    for (off_t end = 0;;) {
      const off_t data = ::lseek(fd.get(), end, SEEK_DATA);
      if (data < 0 && errno == ENXIO) return {};
      end = data < 0 ? -1 : ::lseek(fd.get(), data, SEEK_HOLE);
      if (end < 0) return ErrnoError("cannot find the data of", path.Printable());
      HAWSER_TRY(SendContent(fd.get(), {node.id, path, 0, 0, real, real.mtime, {}},
                             static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(end)));
    }
  }

  // ACLs that the new node may have got from its folder, and this one doesn't have, go.
  Status RestoreXattrs(const Node& node, const StorePath& path) {
    HAWSER_ASSIGN(auto names, ShownXattrs(ProcPath(node.fd.get()), path.Printable()));
    if (S_ISDIR(node.info.st_mode)) names.emplace_back(kDefaultAcl);
    if (!S_ISLNK(node.info.st_mode)) names.emplace_back(kAccessAcl);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names) HAWSER_TRY(RestoreXattr(node, path, name));
    return {};
  }

  // Bytes that the file has between two places.
  Status SendContent(int fd, Write about, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = begin; at < end; at += about.length) {
      Buffer content(std::min<std::uint64_t>(kMaxPayloadBytes, end - at));
      HAWSER_ASSIGN(const std::size_t got, ReadAllAt(fd, content, at, about.path.Printable()));
      if (got != content.size()) return Error{EIO, "'" + about.path.Printable() + "' ends too early"};
      about.offset = at;
      about.length = got;
      HAWSER_TRY(Send(about, Payload::Of(std::move(content))));
    }
    return {};
  }

  // The file's size, the bytes from `begin` to `end`, its times and mode.
  template <class R>
  Status RestoreData(const R& refused, std::uint64_t begin, std::uint64_t end) {
    HAWSER_ASSIGN(const Node node, Open(refused.path, refused.file));
    const FileState real = StateOf(node.info);
    const auto mode = refused.mode ? std::optional(node.Mode()) : std::nullopt;
    HAWSER_TRY(Send(Truncate{refused.file, refused.path, real.size, real, real.mtime, mode}));
    end = std::min(end, real.size);
    if (begin >= end) return {};
    HAWSER_ASSIGN(const UniqueFd fd, store_.Reopen(node.fd.get(), O_RDONLY));
    return SendContent(fd.get(), {refused.file, refused.path, 0, 0, real, real.mtime, mode}, begin, end);
  }

  Status RestoreXattr(const Node& node, const StorePath& path, const std::string& name) {
    HAWSER_ASSIGN(auto value, ReadXattr(ProcPath(node.fd.get()), name, path.Printable()));
    if (!value) return Send(RemoveXattr{node.id, path, name});
    return Send(SetXattr{node.id, path, name}, Payload::Of(*std::move(value)));
  }

  const Store& store_;
  const Sequence refused_;
  const JournalRemedy& journal_;
  std::optional<Waiting> waiting_;
};

}  // namespace

Status Remedy(const Store& store, const Record& refused, Sequence sequence, const JournalRemedy& journal) {
  Remedier remedier(store, sequence, journal);
  const Record local = store.Localized(refused);
  HAWSER_TRY(std::visit(remedier, local.body));
  return remedier.Finish();
}

}  // namespace hawser
