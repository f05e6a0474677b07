// Runs cases in a directory and compares transcripts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/support/posix/script.h"

namespace hawser::test::posix {

using Lines = std::vector<std::string>;
using Transcript = std::map<std::string, Lines>;  // by case

// Each case in a new folder of `directory`, which is removed afterwards. A case that crashes or does not end
// in time says so in its lines. Needs root.
Result<Transcript> RunCases(const std::vector<Case>& cases, const std::string& directory);

// A difference that is right, and why.
struct Exception {
  std::string name;  // the case
  std::string line;  // begins the line of the plain directory
  std::string reason;
};

const std::vector<Exception>& KnownExceptions();

struct Mismatch {
  std::string name;
  std::string plain;
  std::string mount;
};

// Lines that differ, those with a known exception left out.
std::vector<Mismatch> CompareTranscripts(const Transcript& plain, const Transcript& mount);

}  // namespace hawser::test::posix
