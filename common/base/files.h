// Durable file operations on host paths. Each returns when the effect would survive a power cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser {

// Whole content of a small file. ENOENT if there is none.
Result<std::string> ReadFile(const std::string& path);
// nullopt if there is none.
Result<std::optional<std::string>> ReadFileIfThere(const std::string& path);

// Replaces `path` by `content`: after a crash it holds the old or the new content, never a mixture.
Status WriteFileAtomically(const std::string& path, const std::string& content);

// Creates `path` and its missing parents (mode 0700 unless `mode` says otherwise); each new entry is made
// durable.
Status MakeDirectories(const std::string& path, unsigned mode = 0700);

// fsync of a directory: its entries survive a power cut.
Status SyncDirectory(const std::string& path);

// pwrite and pread of all of it, past EINTR and short transfers. ReadAllAt returns the bytes read, fewer only
// at the end of the file.
Status WriteAllAt(int fd, Bytes bytes, std::uint64_t offset, const std::string& path);
Result<std::size_t> ReadAllAt(int fd, std::span<std::byte> into, std::uint64_t offset,
                              const std::string& path);

Result<UniqueFd> OpenFile(const std::string& path, int flags, unsigned mode = 0600);

}  // namespace hawser
