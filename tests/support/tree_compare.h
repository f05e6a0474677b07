// Compares directory trees byte for byte and attribute for attribute.
//
// Compared: which names there are, type, mode, owner, size (regular files and symlinks), mtime to the
// nanosecond, link target, device number, link count and which names share an inode (not directories), xattrs
// (names and values, POSIX ACLs among them; not user.hawser.*, which only stores carry) and content; also of
// the root itself. Not compared: atime and ctime, the size and link count of a directory (the filesystem's
// own business).
//
// Not thread safe; uses two descriptors a level of the tree and two for content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace hawser::test {

struct Difference {
  std::string path;  // bytes, relative to the roots; "." is the root
  std::string what;  // "mtime", "content", "xattr user.colour", ...
  std::string left;  // readable values
  std::string right;

  // "a/b: mtime: 1.000000001 | 1.000000002", bytes escaped.
  std::string Text() const;
};

struct CompareOptions {
  std::size_t keep = 20;  // differences that are kept in full; all are counted
};

struct CompareReport {
  std::uint64_t entries = 0;  // names compared, the root among them
  std::uint64_t bytes = 0;    // content read on each side
  std::uint64_t differing = 0;
  std::vector<Difference> differences;  // the first ones in order of path

  bool equal() const { return differing == 0; }
  // One difference a line, then how many more there are. Empty if equal.
  std::string Text() const;
};

// The error of the first thing that cannot be read (a name that goes away while it is compared is one).
Result<CompareReport> CompareTrees(const std::string& left, const std::string& right,
                                   const CompareOptions& options = {});

}  // namespace hawser::test
