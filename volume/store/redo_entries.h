// Entries of a store's open directories, as redo handles them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "volume/store/identity.h"

namespace hawser {

// Follows no symlink. Empty, with errno, if it can't be opened.
UniqueFd OpenEntry(int directory, const std::string& name, int flags);

// Calls function(name) for all entries, read before the first call.
Status ForEachEntry(int directory, const std::function<Status(const std::string& name)>& function);

// What an entry of an open directory holds.
struct Occupant {
  UniqueFd fd;  // O_PATH; empty: nothing
  FileId id;
  struct stat info {};

  explicit operator bool() const { return static_cast<bool>(fd); }
  // A symlink or special file without an id.
  bool is_value() const { return !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && id == kNoFileId; }
};
Result<Occupant> OccupantOf(int directory, const std::string& name);

// With all that is below it.
Status RemoveAll(int directory, const std::string& name);

// Of a directory of which entries come and go that no record is about.
class KeepTimes {
 public:
  explicit KeepTimes(int directory) : directory_(directory) {
    if (::fstat(directory, &info_) != 0) directory_ = -1;
  }
  ~KeepTimes() {
    const timespec times[2] = {{0, UTIME_OMIT}, info_.st_mtim};
    if (directory_ >= 0) static_cast<void>(::utimensat(directory_, "", times, AT_EMPTY_PATH));
  }
  KeepTimes(const KeepTimes&) = delete;
  KeepTimes& operator=(const KeepTimes&) = delete;

 private:
  int directory_;
  struct stat info_ {};
};

}  // namespace hawser
