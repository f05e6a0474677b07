#include "volume/store/owner_access.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <utility>

#include "common/base/log.h"
#include "common/base/mutex.h"
#include "volume/store/beneath.h"

namespace hawser {

namespace {

// The nodes whose mode isn't their own at present.
class LiftedNodes {
 public:
  // Whether it has to be given back.
  bool Lift(const std::string& path, const struct stat& info) {
    const MutexLock lock(mutex_);
    if (const auto node = nodes_.find(Key(info)); node != nodes_.end()) return ++node->second.users > 0;
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) return false;
    const mode_t mode = now.st_mode & 07777;
    const mode_t wanted = mode | S_IRUSR | S_IWUSR | (S_ISDIR(now.st_mode) ? S_IXUSR : 0);
    if (wanted == mode || ::chmod(path.c_str(), wanted) != 0) return false;
    nodes_[Key(info)] = {mode, 1};
    return true;
  }

  void GiveBack(const std::string& path, const struct stat& info) {
    const MutexLock lock(mutex_);
    const auto node = nodes_.find(Key(info));
    if (--node->second.users > 0) return;
    if (::chmod(path.c_str(), node->second.mode) != 0)
      log::error("cannot give a node its mode {:o} back", node->second.mode);
    nodes_.erase(node);
  }

  int Change(const std::string& path, const struct stat& info, mode_t mode) {
    const MutexLock lock(mutex_);
    const auto node = nodes_.find(Key(info));
    if (node == nodes_.end()) return ::chmod(path.c_str(), mode);
    node->second.mode = mode;
    return 0;
  }

 private:
  struct Node {
    mode_t mode = 0;  // its own
    int users = 0;
  };
  using Place = std::pair<dev_t, ino_t>;
  static Place Key(const struct stat& info) { return {info.st_dev, info.st_ino}; }

  Mutex mutex_;
  std::map<Place, Node> nodes_ HAWSER_GUARDED_BY(mutex_);
};

LiftedNodes& Nodes() {
  static LiftedNodes nodes;
  return nodes;
}

}  // namespace

OwnerAccess::OwnerAccess(const std::string& path) : path_(path) {
  const uid_t user = ::geteuid();
  if (user == 0 || ::stat(path_.c_str(), &info_) != 0 || info_.st_uid != user) return;
  lifted_ = Nodes().Lift(path_, info_);
}

OwnerAccess::~OwnerAccess() {
  const int problem = errno;  // of the call that this was for
  if (lifted_) Nodes().GiveBack(path_, info_);
  errno = problem;
}

void FolderAccess::Lift(int folder) {
  struct stat info {};
  if (::geteuid() == 0 || ::fstat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) return;
  UniqueFd fd(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  if (!fd) return;
  const std::string path = ProcPath(fd.get());
  lifted_.emplace_back(std::move(fd), path);
  if (!lifted_.back().access.lifted()) lifted_.pop_back();
}

void FolderAccess::Restore() {
  while (!lifted_.empty()) lifted_.pop_back();
}

int ChangeMode(const std::string& path, mode_t mode) {
  struct stat info {};
  if (::geteuid() == 0 || ::stat(path.c_str(), &info) != 0) return ::chmod(path.c_str(), mode);
  return Nodes().Change(path, info, mode);
}

}  // namespace hawser
