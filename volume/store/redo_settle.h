// Attributes of nodes that a redo has found, wherever they are: set as they were at a record.
#pragma once

#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser {

// `fd`: the node, O_PATH. `record`: at which, for messages.
Status Settle(Store& store, Record record, int fd, SetAttr attributes);

// As a new node has it, no more and no less.
Status SettleNew(Store& store, const Record& record, int fd, const Create& r);

}  // namespace hawser
