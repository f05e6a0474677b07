// The role of a volume whose store isn't a state that may be shown: a copy that needs a sync and holds
// nothing yet, a primary that can't be brought to where the journal is. An empty or half-redone mount would
// be taken for the volume, so no call is served: each gets the error.
#pragma once

#include "volume/mount/role.h"

namespace hawser {

class UnavailableRole : public Role {
 public:
  explicit UnavailableRole(Error why) : why_(std::move(why)) {}

  const Error* refuses() const override { return &why_; }
  bool writable() const override { return false; }
  CachePolicy cache() const override { return {}; }
  Status Mutate(const Mutation&) override { return why_; }
  Status Sync(int, bool) override { return why_; }
  Result<FileId> NewFileId() override { return why_; }
  void End() override {}

 private:
  const Error why_;
};

}  // namespace hawser
