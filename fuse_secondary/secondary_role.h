// The role of a volume that follows another node's: it is read, and changes are refused until a promotion.
#pragma once

#include "volume/mount/role.h"

namespace hawser {

class SecondaryRole : public Role {
 public:
  bool writable() const override { return false; }
  // The kernel keeps nothing by itself: what is read is the state after the newest group that was applied.
  CachePolicy cache() const override { return {}; }
  Status Mutate(const Mutation& mutation) override;
  // Nothing of the caller's is waiting for a disk here.
  Status Sync(int fd, bool data_only) override;
  Result<FileId> NewFileId() override;
  void End() override {}
};

}  // namespace hawser
