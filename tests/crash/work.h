// Work that counts. Each kind makes numbered steps in the volumes and can tell from any tree, a mount, a
// store or a copy of one, which step was the newest there, and that the tree is one that existed: nothing of
// a later step, all of the earlier ones.
//
// So from "step n was acknowledged" follows what every replica must hold, and two looks at one replica may
// never find the later one behind the earlier. Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace hawser::test {

// Volume -> the root of its tree.
using Trees = std::map<std::string, std::string>;

// In each tree; made before the work begins, so that a folder where nothing is mounted is told from an empty
// volume.
inline const std::string kWorkFolder = "work";

// The size of a step of the works named VOLUME-append, which append to the file "append".
inline constexpr std::size_t kAppendedLine = 16;

// The error code of Find for a tree that never existed.
inline constexpr int kImpossible = EBADMSG;

class Work {
 public:
  virtual ~Work() = default;

  virtual std::string name() const = 0;
  // Does step n. Repeating the newest one, or one that failed in the middle, is harmless. After an error:
  // Forget().
  virtual Status Step(const Trees& trees, std::uint64_t n) = 0;
  // The newest step that is whole; 0: none. A later one may have been begun.
  virtual Result<std::uint64_t> Find(const Trees& trees) const = 0;
  // Closes what is open: the mount may be another one by now.
  virtual void Forget() {}
};

using Works = std::vector<std::unique_ptr<Work>>;

// Appending, overwriting blocks, renaming files and folders, making and removing linked files, SQLite with a
// rollback journal and with a write-ahead log: each in each volume; and a token that goes from docs to mail.
Works AllWorks();

// Their parts.
void AddFileWorks(const std::string& volume, Works& works);
void AddSqliteWorks(const std::string& volume, Works& works);
std::unique_ptr<Work> MakeTokenWork(const std::string& first, const std::string& then);

}  // namespace hawser::test
