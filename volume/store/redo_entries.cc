#include "volume/store/redo_entries.h"

#include <unistd.h>

#include <vector>

#include "volume/store/directory.h"
#include "volume/store/owner_access.h"
#include "volume/store/store.h"

namespace hawser {

UniqueFd OpenEntry(int directory, const std::string& name, int flags) {
  return UniqueFd(::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
}

Status ForEachEntry(int directory, const std::function<Status(const std::string& name)>& function) {
  std::vector<std::string> names;
  HAWSER_TRY(VisitEntries(directory, [&](const dirent& entry) {
    names.emplace_back(entry.d_name);
    return true;
  }));
  for (const std::string& name : names) HAWSER_TRY(function(name));
  return {};
}

Result<Occupant> OccupantOf(int directory, const std::string& name) {
  Occupant occupant;
  occupant.fd = OpenEntry(directory, name, O_PATH);
  if (!occupant.fd) {
    if (errno == ENOENT || errno == ENOTDIR) return occupant;
    return ErrnoError("cannot open", name);
  }
  HAWSER_ASSIGN(occupant.info, StatFd(occupant.fd.get()));
  HAWSER_ASSIGN(occupant.id, ReadFileId(ProcPath(occupant.fd.get())));
  return occupant;
}

Status RemoveAll(int directory, const std::string& name) {
  const UniqueFd folder = OpenEntry(directory, name, O_PATH | O_DIRECTORY);
  FolderAccess access;
  if (folder) {
    access.Lift(folder.get());
    HAWSER_TRY(
        ForEachEntry(folder.get(), [&](const std::string& below) { return RemoveAll(folder.get(), below); }));
  }
  if (::unlinkat(directory, name.c_str(), folder ? AT_REMOVEDIR : 0) == 0) return {};
  return ErrnoError("cannot remove", name);
}

}  // namespace hawser
