#pragma once

#include <nlohmann/json.hpp>

namespace hawser::cli {

// Keys keep the order in which they were written, which is the order a person wants to read them in.
using Json = nlohmann::ordered_json;

}  // namespace hawser::cli
