// The commands of the hawser program, one file each.
#pragma once

#include "cli/command.h"

namespace hawser::cli {

void AddInit(CLI::App& app, Session& session);
void AddRelay(CLI::App& app, Session& session);
void AddMount(CLI::App& app, Session& session);
void AddUp(CLI::App& app, Session& session);
void AddStatus(CLI::App& app, Session& session);
void AddWait(CLI::App& app, Session& session);
void AddPromote(CLI::App& app, Session& session);
void AddPause(CLI::App& app, Session& session);
void AddResume(CLI::App& app, Session& session);
void AddJournal(CLI::App& app, Session& session);
void AddCheck(CLI::App& app, Session& session);

}  // namespace hawser::cli
