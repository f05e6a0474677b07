#include "volume/store/redo_settle.h"

#include "volume/store/acl_names.h"

namespace hawser {

namespace {

Status SettleAcl(Store& store, Record record, int fd, const char* name,
                 const std::optional<std::string>& acl) {
  if (acl) {
    record.body = SetXattr{.file = {}, .path = {}, .name = name};
    return store.Apply(record, AsBytes(*acl), {.orphan = fd});
  }
  record.body = RemoveXattr{.file = {}, .path = {}, .name = name};
  Status removed = store.Apply(record, {}, {.orphan = fd});
  if (!removed && removed.error().code == kStoreDiverged) return {};  // there is none
  return removed;
}

SetAttr AttributesOf(const Create& r) {
  SetAttr attributes{
      .file = {}, .path = {}, .mode = {}, .uid = r.uid, .gid = r.gid, .atime = {}, .mtime = r.time};
  if (r.kind != NodeKind::kSymlink) attributes.mode = r.mode;
  return attributes;
}

}  // namespace

Status Settle(Store& store, Record record, int fd, SetAttr attributes) {
  record.body = std::move(attributes);
  return store.Apply(record, {}, {.orphan = fd});
}

// The mode after the ACLs, which change it.
Status SettleNew(Store& store, const Record& record, int fd, const Create& r) {
  if (r.kind != NodeKind::kSymlink) {
    HAWSER_TRY(SettleAcl(store, record, fd, kAccessAcl, r.access_acl));
    if (r.kind == NodeKind::kDirectory) HAWSER_TRY(SettleAcl(store, record, fd, kDefaultAcl, r.default_acl));
  }
  return Settle(store, record, fd, AttributesOf(r));
}

}  // namespace hawser
