// The frame in which every request runs, written once for all: under which role it runs, from its beginning
// until its answer is with the kernel; who calls, and whether the caller is being killed; errors.
#pragma once

#include <atomic>
#include <type_traits>
#include <utility>

#include "volume/mount/binding.h"
#include "volume/mount/replies.h"

namespace hawser {

// Whether the caller of a request is being killed: then its call need not go on waiting. Must be gone before
// the reply.
class Interruption {
 public:
  explicit Interruption(fuse_req_t req);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  std::atomic<bool>* killed() { return &killed_; }

 private:
  static void OnSignal(fuse_req_t req, void* self);

  fuse_req_t req_;
  KillWatch& watch_;
  std::atomic<bool> watched_{false};
  std::atomic<bool> killed_{false};
};

Caller CallerOf(fuse_req_t req, std::atomic<bool>* killed);

// Runs `call(operations, caller)`, which returns a Status, or a Result of one of the shapes in replies.h, and
// answers the request with that; unless the role refuses all calls. `info`: what an open is answered with.
template <class Call, class... Info>
void Run(fuse_req_t req, Call&& call, Info... info) {
  BindingContext& context = ContextOf(req);
  const RoleSlot::Lease role = context.volume.roles().Take();
  if (const Error* refused = (*role).refuses()) return ReplyError(req, *refused);
  Operations operations(context.volume, context.options, *role);
  auto result = [&] {
    Interruption interruption(req);
    return call(operations, CallerOf(req, interruption.killed()));
  }();
  if (!result) {
    operations.TellIfHalfDone();
    ReplyError(req, result.error());
  } else if constexpr (std::is_same_v<decltype(result), Status>) {
    fuse_reply_err(req, 0);
  } else {
    Reply(req, operations, *std::move(result), info...);
  }
}

// The kernel gives something back, a lookup or a handle: `take(operations)` takes it and answers, whatever
// the role.
template <class Take>
void GiveBack(fuse_req_t req, Take&& take) {
  BindingContext& context = ContextOf(req);
  const RoleSlot::Lease role = context.volume.roles().Take();
  Operations operations(context.volume, context.options, *role);
  take(operations);
}

}  // namespace hawser
