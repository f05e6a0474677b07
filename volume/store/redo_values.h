// Recognising symlinks and special files, which have no id, in a store before redo.
//
// The names of a store are those after some record: filesystems keep changes of names in order. Which record
// that is can be told by where values are and what they are, as far as the records say. If the disk did
// otherwise after all, the nearest such state is taken.
#pragma once

#include <map>

#include "volume/store/redo_tree.h"

namespace hawser {

// Where each value that the records move is now. Those that are nowhere are left out.
Result<std::map<const PlanNode*, PlanEntry>> FindValues(const RedoPlan& plan, RedoTree& tree);

}  // namespace hawser
