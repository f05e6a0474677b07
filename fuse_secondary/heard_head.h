// The newest head that a node has heard of, kept in its state folder: with it the node can say after a
// disaster how much of what the relay had is known to be missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/record/position.h"

namespace hawser {

struct HeardHead {
  Progress head;
  Timestamp heard;  // when the relay last gave any word that is accounted for here
};

// nullopt if there is none; EBADMSG if it can't be understood.
Result<std::optional<HeardHead>> ReadHeardHead(const std::string& path);
Status WriteHeardHead(const std::string& path, const HeardHead& heard);

// What a copy that has received up to `received` is known to lack.
struct Account {
  Progress received;
  Progress newest;                       // known of: received, or a later head that was heard of
  std::optional<std::uint64_t> missing;  // records; nullopt: the head is another journal's
  std::optional<Timestamp> heard;        // the relay's last word
};

Account MakeAccount(const Progress& received, const std::optional<HeardHead>& heard);

// One sentence: where the copy stands, the newest head heard of, and so how many records are known to be
// missing.
std::string AccountText(const Account& account);

}  // namespace hawser
