#include "fuse_secondary/secondary_role.h"

namespace hawser {

namespace {

Error ReadOnly() {
  return {EROFS, "this node holds a secondary copy of the volume, which is read-only; write on the primary"};
}

}  // namespace

Status SecondaryRole::Mutate(const Mutation&) { return ReadOnly(); }

Status SecondaryRole::Sync(int, bool) { return {}; }

Result<FileId> SecondaryRole::NewFileId() { return ReadOnly(); }

}  // namespace hawser
