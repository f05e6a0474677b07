// The shapes of replies, and how each is given to the kernel. Part of the outer ring (binding.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "volume/mount/binding.h"

namespace hawser {

// Shapes of replies that no operation knows.
struct Content {
  Bytes bytes;
};
struct Listing {
  std::vector<char> bytes;
};
struct Target {
  std::string text;  // of a symlink
};
struct XattrReply {
  std::string value;
  std::size_t room;  // 0: the caller only asks how long it is
};

fuse_entry_param Param(fuse_req_t req, const EntryReply& entry);

// One overload a shape. The ones that give the kernel a lookup or a handle take it back if the caller is gone
// (libfuse returns -ENOENT then): an answer that nobody takes opens nothing.
void Reply(fuse_req_t req, Operations& operations, const EntryReply& entry);
void Reply(fuse_req_t req, Operations& operations, const AttributesReply& reply);
void Reply(fuse_req_t req, Operations& operations, const struct statvfs& space);
void Reply(fuse_req_t req, Operations& operations, std::size_t written);
void Reply(fuse_req_t req, Operations& operations, off_t offset);
void Reply(fuse_req_t req, Operations& operations, const Target& target);
void Reply(fuse_req_t req, Operations& operations, const Content& content);
void Reply(fuse_req_t req, Operations& operations, const Listing& listing);
void Reply(fuse_req_t req, Operations& operations, const XattrReply& xattr);
void Reply(fuse_req_t req, Operations& operations, OpenReply&& open, fuse_file_info info);
void Reply(fuse_req_t req, Operations& operations, CreateReply&& created, fuse_file_info info);
void Reply(fuse_req_t req, Operations& operations, std::unique_ptr<DirectoryHandle>&& directory,
           fuse_file_info info);

// Those that mean nothing to a caller are I/O errors to it; the log has the reason.
void ReplyError(fuse_req_t req, const Error& error);

}  // namespace hawser
