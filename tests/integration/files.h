// Short words for what tests do with files in mounts. Each fails the test, with the errno, if it cannot be
// done.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "common/base/files.h"
#include "common/base/unique_fd.h"

namespace hawser::test {

inline void Write(const std::string& path, const std::string& content, int flags = O_TRUNC) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
  ASSERT_TRUE(fd) << path << ": " << strerrordesc_np(errno);
  ASSERT_EQ(write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()))
      << path << ": " << strerrordesc_np(errno);
}

inline void Append(const std::string& path, const std::string& content) { Write(path, content, O_APPEND); }

// "" if it cannot be read.
inline std::string Read(const std::string& path) {
  auto content = ReadFile(path);
  return content ? *std::move(content) : "";
}

inline bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

// The errno that writing a new file meets; 0 if it can be written.
inline int ErrnoOfWriting(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return errno;
  return write(fd.get(), "x", 1) == 1 ? 0 : errno;
}

}  // namespace hawser::test
