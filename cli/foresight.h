// What can be foreseen to go wrong, from the config and this machine: `hawser check` lists it, and the start
// of a relay or node says it. Warnings are about what works and yet loses something or misleads; a problem
// keeps the start from being of any use. What a start finds out by itself (a folder that isn't there, a port
// in use) isn't here: see probe.h.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/probe.h"
#include "common/base/result.h"

namespace hawser::cli {

// About the config as a whole.
Findings ForeseenForGroup(const Config& config);
// About the relay, on the machine where it is to run.
Findings ForeseenForRelay(const RelayConfig& relay);
// About a node, on its machine.
Findings ForeseenForNode(const std::string& name, const NodeConfig& node);

// For a start: logs each warning. The first problem is the error.
Status SayForeseen(const Findings& findings);

// An option of `relay` and `mount` that help doesn't show: whoever starts them has said what is foreseen for
// the group.
inline constexpr char kGroupIsExamined[] = "--group-is-examined";
void AddGroupIsExamined(CLI::App& command, bool& into);

}  // namespace hawser::cli
