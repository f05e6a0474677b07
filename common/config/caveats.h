// What is valid in a config, and yet not what a person will expect of it.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"

namespace hawser {

struct Caveat {
  std::string key;     // "failover.mode"
  std::string what;    // what does not happen, or may go wrong
  std::string advice;  // what to do
};

// Names that differ in the case of letters only, and keys that do nothing (here, or in this version).
std::vector<Caveat> CaveatsOf(const Config& config);

}  // namespace hawser
