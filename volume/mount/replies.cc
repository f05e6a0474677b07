#include "volume/mount/replies.h"

#include "common/base/log.h"

namespace hawser {

fuse_entry_param Param(fuse_req_t req, const EntryReply& entry) {
  fuse_entry_param param{};
  param.ino = entry.node.value;
  param.generation = ContextOf(req).generation;
  param.attr = entry.info;
  param.attr_timeout = entry.cache.attributes_seconds;
  param.entry_timeout = entry.cache.entries_seconds;
  return param;
}

void Reply(fuse_req_t req, Operations& operations, const EntryReply& entry) {
  const fuse_entry_param param = Param(req, entry);
  if (fuse_reply_entry(req, &param) == -ENOENT && entry.node.value != 0) operations.Forget(entry.node, 1);
}
void Reply(fuse_req_t req, Operations&, const AttributesReply& reply) {
  fuse_reply_attr(req, &reply.info, reply.seconds);
}
void Reply(fuse_req_t req, Operations&, const struct statvfs& space) { fuse_reply_statfs(req, &space); }
void Reply(fuse_req_t req, Operations&, std::size_t written) { fuse_reply_write(req, written); }
void Reply(fuse_req_t req, Operations&, off_t offset) { fuse_reply_lseek(req, offset); }
void Reply(fuse_req_t req, Operations&, const Target& target) {
  fuse_reply_readlink(req, target.text.c_str());
}
void Reply(fuse_req_t req, Operations&, const Content& content) {
  fuse_reply_buf(req, reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size());
}
void Reply(fuse_req_t req, Operations&, const Listing& listing) {
  fuse_reply_buf(req, listing.bytes.data(), listing.bytes.size());
}
void Reply(fuse_req_t req, Operations&, const XattrReply& xattr) {
  if (xattr.room == 0)
    fuse_reply_xattr(req, xattr.value.size());
  else if (xattr.value.size() > xattr.room)
    fuse_reply_err(req, ERANGE);
  else
    fuse_reply_buf(req, xattr.value.data(), xattr.value.size());
}

// How the kernel is to deal with an open file.
void SayHow(const OpenReply& open, fuse_file_info& info) {
  info.keep_cache = open.keep_pages ? 1 : 0;
  // There is nothing to do at a close: without this the kernel asks each time, and some kernels wait for
  // whoever writes there, before.
  info.noflush = 1;
}

void Reply(fuse_req_t req, Operations&, OpenReply&& open, fuse_file_info info) {
  OpenHandles& handles = ContextOf(req).handles;
  SayHow(open, info);
  info.fh = handles.Keep(std::move(open.file));
  if (fuse_reply_open(req, &info) != 0) handles.Close(info.fh);
}
void Reply(fuse_req_t req, Operations& operations, CreateReply&& created, fuse_file_info info) {
  OpenHandles& handles = ContextOf(req).handles;
  const fuse_entry_param param = Param(req, created.entry);
  SayHow(created.open, info);
  info.fh = handles.Keep(std::move(created.open.file));
  if (fuse_reply_create(req, &param, &info) == 0) return;
  handles.Close(info.fh);
  operations.Forget(created.entry.node, 1);
}
void Reply(fuse_req_t req, Operations&, std::unique_ptr<DirectoryHandle>&& directory, fuse_file_info info) {
  OpenHandles& handles = ContextOf(req).handles;
  info.fh = handles.Keep(std::move(directory));
  if (fuse_reply_open(req, &info) != 0) handles.Close(info.fh);
}

void ReplyError(fuse_req_t req, const Error& error) {
  const bool means_something = error.code != kStoreDiverged && error.code != EBADMSG &&
                               error.code != ECANCELED && error.code != kGivenUp;
  const int code = means_something ? error.code : EIO;
  const std::string& volume = ContextOf(req).volume.name().value;
  if (code == EIO && error.code != kGivenUp) {
    log::warn("{}: a call failed: {}", volume, error.Text());
  } else if (code != ENOENT) {  // names that aren't there are asked for all the time
    log::debug("{}: a call failed: {}", volume, error.Text());
  }
  fuse_reply_err(req, code);
}

}  // namespace hawser
