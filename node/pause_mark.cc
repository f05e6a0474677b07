#include "node/pause_mark.h"

#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"

namespace hawser {

bool IsPaused(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status MarkPaused(const std::string& path, bool paused) {
  if (paused) return WriteFileAtomically(path, "replay is paused until 'hawser resume'\n");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove", path);
  return SyncDirectory(std::filesystem::path(path).parent_path());
}

}  // namespace hawser
