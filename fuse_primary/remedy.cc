#include "fuse_primary/remedy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/files.h"
#include "common/record/codec.h"
#include "common/record/kinds.h"
#include "volume/store/acl_names.h"
#include "volume/store/beneath.h"
#include "volume/store/file_ids.h"

namespace hawser {

namespace {

class Remedier {
 public:
  Remedier(const Store& store, const JournalRemedy& journal) : store_(store), journal_(journal) {}

  Status operator()(const Write& r) const {
    const std::uint64_t end = r.offset + r.length;
    return RestoreData(r, std::max(r.before.size, end), r.offset, end);
  }

  Status operator()(const Truncate& r) const {
    return RestoreData(r, r.size, std::min(r.size, r.before.size), UINT64_MAX);
  }

  Status operator()(const Allocate& r) const {
    const std::uint64_t end = r.offset + r.length;
    if ((r.flags & FALLOC_FL_COLLAPSE_RANGE) != 0)
      return RestoreData(r, r.before.size - r.length, r.offset, UINT64_MAX);
    if ((r.flags & FALLOC_FL_INSERT_RANGE) != 0)
      return RestoreData(r, r.before.size + r.length, r.offset, UINT64_MAX);
    const std::uint64_t size =
        (r.flags & FALLOC_FL_KEEP_SIZE) != 0 ? r.before.size : std::max(r.before.size, end);
    // Plain allocation leaves the data as it is.
    const bool zeroes = (r.flags & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
    return RestoreData(r, size, r.offset, zeroes ? end : r.offset);
  }

  Status operator()(const Create& r) const {
    HAWSER_ASSIGN(const Timestamp time, TimeOf(r.path.Parent()));
    if (r.kind == NodeKind::kDirectory) return Send(Rmdir{r.file, r.path, time});
    return Send(Unlink{r.file, r.path, time});
  }

  Status operator()(const Link& r) const {
    HAWSER_ASSIGN(const Timestamp time, TimeOf(r.new_path.Parent()));
    return Send(Unlink{r.file, r.new_path, time});
  }

  Status operator()(const Rename& r) const {
    if (r.replaced) return Unforeseen(r);
    HAWSER_ASSIGN(const Timestamp time, TimeOf(r.path.Parent()));
    HAWSER_TRY(Send(Rename{r.file, r.new_path, r.path, RenameMode::kNoReplace, {}, time}));
    return RestoreTime(r.new_path.Parent());
  }

  Status operator()(const SetAttr& r) const {
    HAWSER_ASSIGN(const Node node, Open(r.path, r.file));
    SetAttr real{r.file, r.path, {}, {}, {}, {}, {}};
    if (r.mode || r.uid || r.gid) real.mode = node.Mode();
    if (r.uid) real.uid = node.info.st_uid;
    if (r.gid) real.gid = node.info.st_gid;
    if (r.atime) real.atime = Timestamp::From(node.info.st_atim);
    if (r.mtime) real.mtime = Timestamp::From(node.info.st_mtim);
    return Send(std::move(real));
  }

  Status operator()(const OneOf<SetXattr, RemoveXattr> auto& r) const { return RestoreXattr(r); }

  Status operator()(const OneOf<Unlink, Rmdir> auto& r) const { return Unforeseen(r); }
  Status operator()(const ControlKind auto& r) const { return Unforeseen(r); }

 private:
  struct Node {
    UniqueFd fd;  // O_PATH
    struct stat info;

    std::uint32_t Mode() const { return info.st_mode & 07777; }
  };

  template <class R>
  static Status Unforeseen(const R& r) {
    return Error{ENOTSUP, fmt::format("a {} is not known to need room", KindName(Body(r)))};
  }

  Status Send(Body body, Payload payload = {}) const { return journal_(std::move(body), std::move(payload)); }

  Result<Node> Open(const StorePath& path, FileId expected) const {
    HAWSER_ASSIGN(UniqueFd fd, store_.Pin(path));
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(fd.get())));
    if (id != expected) return Error{kStoreDiverged, fmt::format("'{}' is another node", path.Printable())};
    HAWSER_ASSIGN(const struct stat info, StatFd(fd.get()));
    return Node{std::move(fd), info};
  }

  Result<Timestamp> TimeOf(const StorePath& path) const {
    HAWSER_ASSIGN(const struct stat info, store_.Stat(path));
    return Timestamp::From(info.st_mtim);
  }

  Status RestoreTime(const StorePath& folder) const {
    HAWSER_ASSIGN(const UniqueFd fd, store_.Pin(folder));
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(fd.get())));
    HAWSER_ASSIGN(const struct stat info, StatFd(fd.get()));
    return Send(SetAttr{id, folder, {}, {}, {}, {}, Timestamp::From(info.st_mtim)});
  }

  // The file's size, the bytes from `begin` to `end`, its times and mode. `made`: the size that `refused`
  // gives a file.
  template <class R>
  Status RestoreData(const R& refused, std::uint64_t made, std::uint64_t begin, std::uint64_t end) const {
    HAWSER_ASSIGN(const Node node, Open(refused.path, refused.file));
    const FileState real = StateOf(node.info);
    const auto mode = refused.mode ? std::optional(node.Mode()) : std::nullopt;
    FileState state{made, refused.mtime};  // of the replicas
    if (state.size != real.size) {
      HAWSER_TRY(Send(Truncate{refused.file, refused.path, real.size, state, real.mtime, mode}));
      state = real;
    }
    HAWSER_ASSIGN(const UniqueFd fd, store_.Reopen(node.fd.get(), O_RDONLY));
    std::size_t got = 0;
    for (std::uint64_t at = begin; at < std::min(end, real.size); at += got) {
      Buffer content(std::min<std::uint64_t>(kMaxPayloadBytes, std::min(end, real.size) - at));
      HAWSER_ASSIGN(got, ReadAllAt(fd.get(), content, at, refused.path.Printable()));
      if (got != content.size()) return Error{EIO, "'" + refused.path.Printable() + "' ends too early"};
      HAWSER_TRY(Send(Write{refused.file, refused.path, at, got, state, real.mtime, mode},
                      Payload::Of(std::move(content))));
      state = real;
    }
    if (state == real) return {};
    return Send(SetAttr{refused.file, refused.path, mode, {}, {}, {}, real.mtime});
  }

  template <class R>
  Status RestoreXattr(const R& refused) const {
    HAWSER_ASSIGN(const Node node, Open(refused.path, refused.file));
    Buffer value(64 * kKiB);
    const ssize_t size =
        ::getxattr(ProcPath(node.fd.get()).c_str(), refused.name.c_str(), value.data(), value.size());
    if (size < 0 && errno != ENODATA)
      return ErrnoError("cannot read xattr " + refused.name, refused.path.Printable());
    if (size < 0) {
      // A replica lacks it already if it was to be removed.
      if constexpr (std::is_same_v<R, SetXattr>)
        HAWSER_TRY(Send(RemoveXattr{refused.file, refused.path, refused.name}));
    } else {
      value.resize(static_cast<std::size_t>(size));
      HAWSER_TRY(Send(SetXattr{refused.file, refused.path, refused.name}, Payload::Of(std::move(value))));
    }
    if (refused.name != kAccessAcl) return {};
    return Send(SetAttr{refused.file, refused.path, node.Mode(), {}, {}, {}, {}});  // it changes the mode
  }

  const Store& store_;
  const JournalRemedy& journal_;
};

}  // namespace

Status Remedy(const Store& store, const Record& refused, const JournalRemedy& journal) {
  return std::visit(Remedier(store, journal), refused.body);
}

}  // namespace hawser
