// Extended attributes. Those under user.hawser. and trusted.hawser. are the store's own and do not exist for
// callers.

#include <sys/xattr.h>

#include "volume/mount/operations.h"
#include "volume/store/acl_names.h"
#include "volume/store/rehearsal.h"

namespace hawser {

namespace {

bool IsAcl(const std::string& name) { return name.starts_with("system.posix_acl_"); }

Result<std::string> ReadXattr(int pinned, const std::string& name) {
  std::string value(256, '\0');
  for (;;) {
    const ssize_t size = ::getxattr(ProcPath(pinned).c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return value;
    }
    if (errno != ERANGE || value.size() >= XATTR_SIZE_MAX) return ErrnoError("cannot read xattr " + name);
    value.resize(XATTR_SIZE_MAX);
  }
}

}  // namespace

Status Operations::CheckXattrs() const {
  if (!options_.xattrs) return Error{ENOSYS, "xattrs are switched off for this mount"};
  return {};
}

Result<std::string> Operations::GetXattr(NodeId node, const std::string& name) {
  HAWSER_TRY(CheckXattrs());
  if (IsHiddenXattr(name)) return Error{ENODATA, name};
  HAWSER_ASSIGN(const PinnedNode pin, volume_.Pin(node));
  return ReadXattr(pin.get(), name);
}

Result<std::string> Operations::ListXattrs(const Caller& who, NodeId node) {
  HAWSER_TRY(CheckXattrs());
  HAWSER_ASSIGN(const PinnedNode pin, volume_.Pin(node));
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::listxattr(ProcPath(pin.get()).c_str(), names.data(), names.size());
  if (size < 0) return ErrnoError("cannot list xattrs");
  std::string shown;
  for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
    const std::string name(&names[at]);
    at += name.size() + 1;
    if (name.starts_with("trusted.") && who.uid != 0) continue;  // xattr(7): for CAP_SYS_ADMIN only
    if (!IsHiddenXattr(name)) shown.append(name).push_back('\0');
  }
  return shown;
}

// Before the ACL is set: a record says one thing.
Status Operations::LoseSetgidByAcl(const Caller& who, NodeId node) {
  return Change(who, node, nullptr, [&](const Subject& subject) -> Result<std::optional<Body>> {
    const auto mode = ModeAfterAcl(subject.info, who.uid, who.in_group);
    if (!mode) return std::optional<Body>();
    return std::optional<Body>(hawser::SetAttr{subject.id, subject.path(), mode, {}, {}, {}, {}});
  });
}

Status Operations::SetXattr(const Caller& who, NodeId node, const std::string& name, Payload value,
                            int flags) {
  HAWSER_TRY(CheckXattrs());
  if (IsHiddenXattr(name)) return Error{EPERM, name};
  if (name == kAccessAcl) HAWSER_TRY(LoseSetgidByAcl(who, node));
  const auto decide = [&](const Subject& subject) -> Result<std::optional<Body>> {
    const auto present = ReadXattr(subject.pin.get(), name);
    if (!present && present.error().code != ENODATA) return present.error();
    if (present && (flags & XATTR_CREATE) != 0) return Error{EEXIST, name};
    if (!present && (flags & XATTR_REPLACE) != 0) return Error{ENODATA, name};
    HAWSER_TRY(RehearseSetXattr(volume_.store().root_fd(), ProcPath(subject.pin.get()), name, value.bytes()));
    return std::optional<Body>(hawser::SetXattr{subject.id, subject.path(), name});
  };
  return Change(who, node, nullptr, decide, value);
}

Status Operations::RemoveXattr(const Caller& who, NodeId node, const std::string& name) {
  HAWSER_TRY(CheckXattrs());
  if (IsHiddenXattr(name)) return Error{ENODATA, name};
  return Change(who, node, nullptr, [&](const Subject& subject) -> Result<std::optional<Body>> {
    const auto present = ReadXattr(subject.pin.get(), name);
    // Taking away an ACL that isn't there succeeds on Linux.
    if (!present && present.error().code == ENODATA && IsAcl(name)) return std::optional<Body>();
    if (!present) return present.error();
    return std::optional<Body>(hawser::RemoveXattr{subject.id, subject.path(), name});
  });
}

}  // namespace hawser
