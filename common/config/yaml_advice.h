// What a person has to correct where yaml-cpp gives up. Its own sentences name rules of the grammar, often in
// a line behind the slip.
#pragma once

#include <string>

#include "common/config/yaml_lines.h"

namespace hawser {

// `text` is no YAML: yaml-cpp gave up in `line`, saying `complaint`.
YamlFault AdviseOn(const std::string& text, int line, const std::string& complaint);

}  // namespace hawser
