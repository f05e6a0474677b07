// Where a mount may differ from a plain directory, and why.
#include "tests/support/posix/runner.h"

namespace hawser::test::posix {

const std::vector<Exception>& KnownExceptions() {
  static const std::vector<Exception> exceptions = {};
  return exceptions;
}

}  // namespace hawser::test::posix
