#include "volume/mount/frame.h"

#include <algorithm>
#include <vector>

namespace hawser {

Interruption::Interruption(fuse_req_t req) : req_(req), watch_(ContextOf(req).kill_watch) {
  fuse_req_interrupt_func(req, OnSignal, this);
}

Interruption::~Interruption() {
  fuse_req_interrupt_func(req_, nullptr, nullptr);  // waits for a call of OnSignal that is under way
  if (watched_) watch_.Remove(&killed_);
}

void Interruption::OnSignal(fuse_req_t req, void* self) {
  auto& interruption = *static_cast<Interruption*>(self);
  interruption.watched_ = true;
  interruption.watch_.Add(fuse_req_ctx(req)->pid, &interruption.killed_);
}

namespace {

// Whether the caller of a request belongs to a group; libfuse looks it up in /proc.
bool IsInGroup(fuse_req_t req, gid_t group) {
  if (fuse_req_ctx(req)->gid == group) return true;
  std::vector<gid_t> groups(64);
  const int count = fuse_req_getgroups(req, static_cast<int>(groups.size()), groups.data());
  groups.resize(std::clamp(count, 0, 64));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

Caller CallerOf(fuse_req_t req, std::atomic<bool>* killed) {
  const fuse_ctx* ctx = fuse_req_ctx(req);
  return {ctx->uid, ctx->gid, ctx->umask, [req](gid_t group) { return IsInGroup(req, group); }, killed};
}

}  // namespace hawser
