// hawser journal list|show|check|lack: what they have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/session.h"

namespace hawser::cli {

struct JournalOptions {
  std::string folder;  // empty: that of --node, else the relay's
  std::string node;
};

struct JournalShowOptions {
  JournalOptions which;
  std::optional<std::uint64_t> from;  // records, inclusive
  std::optional<std::uint64_t> to;
  std::optional<std::uint64_t> limit;
  std::string volume;
  std::string path;
};

struct JournalLackOptions {
  std::string replica;  // a node of the config, or a folder
  std::string journal;  // likewise; empty: the relay's
  std::optional<std::uint64_t> limit;
};

// The folder that the options name, which holds a journal. Needs a config only if they name none.
Result<std::string> JournalFolder(const Session& session, const JournalOptions& options);

Result<Exit> RunJournalList(const Session& session, const JournalOptions& options);
Result<Exit> RunJournalShow(const Session& session, const JournalShowOptions& options);
Result<Exit> RunJournalCheck(const Session& session, const JournalOptions& options);
Result<Exit> RunJournalLack(const Session& session, const JournalLackOptions& options);

}  // namespace hawser::cli
