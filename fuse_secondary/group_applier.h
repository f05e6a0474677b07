// Applies one write group to the stores it concerns. Used by one thread; the callers hold the gates.
//
// The records of a group were all outstanding at once, so they don't depend on each other: those of different
// files run in parallel, and the group ends with a barrier.
#pragma once

#include <functional>
#include <vector>

#include "fuse_secondary/apply_pool.h"
#include "volume/mount/volume.h"
#include "volume/recovery/replay_batch.h"

namespace hawser {

// A group on its way into the stores: a group that could not be applied whole is tried again, and then only
// what is missing.
struct GroupInProgress {
  explicit GroupInProgress(const ReplayGroup& the_group)
      : group(&the_group),
        done(the_group.records.size()),
        tried(the_group.records.size()),
        left(the_group.records.size()),
        other_names(the_group.records.size()) {}

  const ReplayGroup* group;
  std::vector<char> done;         // by record: applied, or not for this replica
  std::vector<char> tried;        // by record: how often an attempt failed: it may be applied in part
  std::vector<char> left;         // by record: it isn't applied, and won't be
  std::vector<char> other_names;  // by record: the file whose name it takes has others
};

struct GroupFailure {
  std::size_t volume = 0;
  std::size_t record = 0;
  Error error;
};

class GroupApplier {
 public:
  // Applies the record or says why not. `again`: an earlier attempt may have applied it in part.
  using ApplyOne = std::function<Status(const ReplayRecord&, bool again)>;

  GroupApplier(std::size_t threads, ApplyOne apply) : pool_(threads), apply_(std::move(apply)) {}

  // Applies what isn't done; the failures, one a record.
  std::vector<GroupFailure> Apply(GroupInProgress& progress);

 private:
  ApplyPool pool_;
  ApplyOne apply_;
};

}  // namespace hawser
