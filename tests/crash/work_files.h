// What file works have in common: numbered content that shows whether it is whole, and short words for system
// calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "tests/crash/work.h"

namespace hawser::test {

// `size` bytes that say n in their first line and depend on n in all others.
std::string Numbered(std::uint64_t n, std::size_t size);
// The n of such content; nullopt if it isn't whole.
std::optional<std::uint64_t> NumberOf(const std::string& content);

// <tree>/work/<name>
std::string InWork(const Trees& trees, const std::string& volume, const std::string& name);
// ENOENT if the tree has no work folder: nothing is mounted there now.
Status CheckWorkFolder(const Trees& trees, const std::string& volume);

Error Impossible(const std::string& what);
bool Exists(const std::string& path);
Status MakeFolder(const std::string& path);  // or it is there
Status Remove(const std::string& path);      // or it isn't there
Status RenameTo(const std::string& from, const std::string& to);
Result<UniqueFd> OpenToWrite(const std::string& path, int flags = 0);
Status WriteAt(int fd, const std::string& content, std::uint64_t offset, const std::string& path);
Status Sync(int fd, const std::string& path);
// Empty if there is no such file.
Result<std::string> ReadIfThere(const std::string& path);
// None if the folder isn't there. The mount may end in the middle of it, which is an error like any other.
Result<std::vector<std::string>> NamesIn(const std::string& folder);

}  // namespace hawser::test
