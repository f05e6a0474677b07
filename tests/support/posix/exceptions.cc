// Where a mount may differ from a plain directory, and why.
#include "tests/support/posix/runner.h"

namespace hawser::test::posix {
namespace {

constexpr const char* kNoTmpfile =
    "libfuse 3.14 cannot pass on O_TMPFILE; programs fall back to a named file, as on other filesystems "
    "without it";
constexpr const char* kNoShifts =
    "the kernel's FUSE refuses to collapse and insert ranges before it asks anybody";
constexpr const char* kChownOfNothing =
    "the kernel's FUSE sends a chown of nothing as a setattr of nothing: neither the bits nor the caller are "
    "in it";
constexpr const char* kMappedWrite =
    "the pages of a mapping reach the store by write(2), which takes capabilities away; the safe side";
constexpr const char* kTimeRange = "records hold times as 64 bits of nanoseconds, which end in 2262";
constexpr const char* kNoAccessTimes = "reading is no mutation: atime moves only when it is set";

}  // namespace

const std::vector<Exception>& KnownExceptions() {
  static const std::vector<Exception> exceptions = {
      {"open/temporary", "", kNoTmpfile},
      {"space/collapse", "", kNoShifts},
      {"space/insert", "", kNoShifts},
      {"privilege/chown to itself", "", kChownOfNothing},
      {"privilege/capabilities", "capability after mapped write -> 20", kMappedWrite},
      {"time/chown of nothing", "  times of f: ctime", kChownOfNothing},
      {"attributes/by users", "chown(\"f\", static_cast<uid_t>(-1), static_cast<gid_t>(-1)) -> EPERM",
       kChownOfNothing},
      {"attributes/times", "# f atime 4000000000.1 mtime 15000000000.2", kTimeRange},
      {"attributes/times", "# f atime 15032385535.0 mtime -2147483648.0", kTimeRange},
      {"time/access", "# atime of a file that was read: now", kNoAccessTimes},
      {"time/access", "# atime of a folder that was listed: now", kNoAccessTimes},
  };
  return exceptions;
}

}  // namespace hawser::test::posix
