// Finding out, before a change is journaled, whether the store will take it: the call is made on an unnamed
// file of the same filesystem (O_TMPFILE), of the same size and with the same xattrs. What can't be foreseen
// (a disk that fills up in between, xattrs that the real node has packed worse) is left to Apply.
#pragma once

#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hawser {

// Every filesystem takes a file of less than this; from here on it is asked first.
inline constexpr std::uint64_t kCertainSize = 1024 * kGiB;

// `root` is a descriptor of the store's root. Each returns the error that the real call would most likely
// give. Where the filesystem has no unnamed files, they return success.
Status RehearseSetXattr(int root, const std::string& node_path, const std::string& name, Bytes value);
Status RehearseAllocate(int root, std::uint64_t size, std::uint32_t mode, std::uint64_t offset,
                        std::uint64_t length);
Status RehearseSize(int root, std::uint64_t size);
// Giving a node to an owner and a group: not everybody may.
Status RehearseOwner(int root, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid);

// A symlink can't be unnamed: what is known of the filesystem.
Status CheckTarget(int root, const std::string& target);

}  // namespace hawser
