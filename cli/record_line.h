// A record of a journal as one line on stdout.
#pragma once

#include "common/journal/inspect.h"

namespace hawser::cli {

void PrintRecord(const ShownRecord& shown);
void PrintRecordAsJson(const ShownRecord& shown);

}  // namespace hawser::cli
