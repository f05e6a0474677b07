// The frame in which every request runs, written once for all: under which role it runs, from its beginning
// until its answer is with the kernel; who calls, and whether the caller is being killed; errors.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "volume/mount/binding.h"
#include "volume/mount/replies.h"
#include "volume/mount/request_buffers.h"

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

// A request under way: `call(operations, caller)`, which returns a Status, or a Result of one of the shapes
// in replies.h, and what it is answered with. `info`: for an open.
template <class Call, class... Info>
class Request {
 public:
  Request(fuse_req_t req, Call call, Info... info)
      : req_(req),
        role_(ContextOf(req).volume.roles().Take()),
        call_(std::move(call)),
        info_(info...),
        interruption_(std::in_place, req),
        caller_(CallerOf(req, interruption_->killed())) {}

  bool killed() const { return *caller_.cancel; }

  // Once. Unless the role refuses all calls.
  void Run() {
    BindingContext& context = ContextOf(req_);
    if (const Error* refused = (*role_).refuses()) return Fail(*refused);
    Operations operations(context.volume, context.options, *role_);
    auto result = call_(operations, std::as_const(caller_));
    if (!result) {
      Fail(result.error());
      return operations.TellIfHalfDone();  // who tells the kernel would wait for the answer
    }
    interruption_.reset();
    if constexpr (std::is_same_v<decltype(result), Status>) {
      fuse_reply_err(req_, 0);
    } else {
      std::apply([&](auto... info) { Reply(req_, operations, *std::move(result), info...); }, info_);
    }
  }

 private:
  void Fail(const Error& error) {
    interruption_.reset();
    ReplyError(req_, error);
  }

  const fuse_req_t req_;
  const RoleSlot::Lease role_;
  Call call_;
  const std::tuple<Info...> info_;
  std::optional<Interruption> interruption_;
  const Caller caller_;  // from when it came
};

template <class Call, class... Info>
void Run(fuse_req_t req, Call call, Info... info) {
  Request<Call, Info...>(req, std::move(call), info...).Run();
}

template <class Call, class... Info>
class Change final : public WaitingRoom::Guest {
 public:
  Change(fuse_req_t req, Call call, Info... info)
      : WaitingRoom::Guest(RequestBuffers::CurrentBytes()),
        memory_(RequestBuffers::Current()),
        request_(req, std::move(call), info...) {}

  void Run() override { request_.Run(); }
  bool killed() const override { return request_.killed(); }

 private:
  const std::shared_ptr<const void> memory_;
  Request<Call, Info...> request_;
};

// The same for a change, which may wait, and then not in this thread (waiting_room.h): of what libfuse hands
// to an operation `call` may refer to the parts of the request; of all else it has copies.
template <class Call, class... Info>
void RunChange(fuse_req_t req, Call call, Info... info) {
  ContextOf(req).waiting_room.Run(std::make_unique<Change<Call, Info...>>(req, std::move(call), info...));
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
