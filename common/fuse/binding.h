// The outer ring: binds libfuse's requests to Operations. The only place that sees a request, and the only one that
// replies. docs/ARCHITECTURE.md, "FUSE".
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <atomic>

#include "common/fuse/kill_watch.h"
#include "common/fuse/operations.h"

namespace hawser {

// What a session's requests are run against; libfuse's userdata.
struct BindingContext {
  Operations& operations;
  bool notice_changes = false;        // the kernel checks a file's mtime for changes made behind its back (secondary)
  std::atomic<int> in_flight{0};      // requests being worked on
  KillWatch kill_watch{};
  std::atomic<bool> greeted{false};   // the kernel's greeting has been answered
};

const fuse_lowlevel_ops& FuseOperations();

}  // namespace hawser
