#include "cli/journal.h"
namespace hawser::cli {
Result<Exit> RunJournalList(const Session&, const JournalOptions&) { return CannotDo("soon"); }
Result<Exit> RunJournalCheck(const Session&, const JournalOptions&) { return CannotDo("soon"); }
}  // namespace hawser::cli
