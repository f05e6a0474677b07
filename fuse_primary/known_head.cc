#include "fuse_primary/known_head.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "common/base/files.h"
#include "common/base/log.h"
#include "volume/store/progress_json.h"

namespace hawser {

namespace {

// JSON, filled up with spaces: a shorter text leaves nothing of a longer one.
constexpr std::size_t kFileBytes = 512;

Progress FromText(const std::string& text, const std::string& path) {
  if (text.empty()) return {};
  try {
    return ProgressFromJson(nlohmann::json::parse(text));
  } catch (const std::exception& problem) {
    log::warn("the newest position heard of, in '{}', can't be understood and is forgotten: {}", path,
              problem.what());
    return {};
  }
}

}  // namespace

Status KnownHead::Open(const std::string& path) {
  HAWSER_ASSIGN(UniqueFd file, OpenFile(path, O_RDWR | O_CREAT));
  HAWSER_ASSIGN(const std::string text, ReadFile(path));
  const MutexLock lock(mutex_);
  known_ = FromText(text, path);
  file_ = std::move(file);
  path_ = path;
  return {};
}

void KnownHead::Hear(const Progress& head) {
  const MutexLock lock(mutex_);
  const Position& known = known_.position;
  const bool follows = known.group == Group{} || known.journal == head.position.journal;
  if (!follows || head.position.group <= known.group) return;
  known_ = head;
  if (!file_) return;
  std::string text = ToJson(head).dump();
  text.resize(kFileBytes, ' ');
  const Status written = WriteAllAt(file_.get(), AsBytes(text), 0, path_);
  if (!written && !std::exchange(complained_, true))
    log::warn("the newest position heard of can't be kept: {}", written.error().Text());
  if (written) complained_ = false;
}

Progress KnownHead::Get() const {
  const MutexLock lock(mutex_);
  return known_;
}

}  // namespace hawser
