// Roles without a relay, for testing the FUSE layer and the store by themselves, and as the bare pass-through
// that benchmarks compare with. LocalRole encodes, decodes and applies each change at once; LocalCopy refuses
// changes, and has the kernel keep nothing, as a secondary does.
#pragma once

#include <atomic>
#include <mutex>

#include "common/record/codec.h"
#include "volume/mount/role.h"
#include "volume/mount/volume.h"

namespace hawser {

class LocalRole : public Role {
 public:
  // `first_id`: the ids of new files begin after it.
  explicit LocalRole(Volume& volume, std::uint64_t first_id = 0) : volume_(volume), ids_(first_id) {}

  bool writable() const override { return true; }
  CachePolicy cache() const override { return {3600, 3600, true}; }

  Status Mutate(const Mutation& mutation) override {
    const std::lock_guard lock(mutex_);
    if (ended_) return Error{EROFS, "the role has ended"};
    if (auto locks = mutation.locks(); !locks) return std::move(locks).error();
    HAWSER_ASSIGN(std::optional<Decision> decision, mutation.decide());
    if (!decision) return {};
    const Record record{
        volume_.name(), Generation(1), {NodeName("local"), 1, ++number_}, std::move(decision->body)};
    const ApplyTo to{decision->open_file ? decision->open_file->get() : -1,
                     decision->orphan ? decision->orphan->get() : -1};
    const Bytes payload = mutation.payload.bytes();
    if (decision->orphan) return volume_.store().Apply(record, payload, to);
    HAWSER_ASSIGN(const Record decoded, DecodeRecord(EncodeRecord(record), payload));
    return volume_.Apply(decoded, payload, to);
  }

  Status Sync(int, bool) override { return {}; }
  void End() override { ended_ = true; }
  Result<FileId> NewFileId() override { return FileId((1ULL << 48) | ++ids_); }

 private:
  Volume& volume_;
  std::mutex mutex_;
  std::uint64_t number_ = 0;
  std::atomic<std::uint64_t> ids_;
  std::atomic<bool> ended_{false};
};

class LocalCopy : public Role {
 public:
  bool writable() const override { return false; }
  CachePolicy cache() const override { return {}; }
  Status Mutate(const Mutation&) override { return Error{EROFS, "a copy"}; }
  Status Sync(int, bool) override { return {}; }
  Result<FileId> NewFileId() override { return Error{EROFS, "a copy"}; }
  void End() override {}
};

}  // namespace hawser
