#include "fuse_secondary/heard_head.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/files.h"
#include "volume/store/progress_json.h"

namespace hawser {

Result<std::optional<HeardHead>> ReadHeardHead(const std::string& path) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(path));
  if (!content) return std::optional<HeardHead>();
  try {
    const auto json = nlohmann::json::parse(*content);
    return std::optional(HeardHead{ProgressFromJson(json), {json.at("heard").get<std::int64_t>()}});
  } catch (const std::exception& problem) {
    return Error{EBADMSG, "the newest head heard of, in '" + path + "', can't be understood (" +
                              problem.what() + "); remove the file to go on without it"};
  }
}

Status WriteHeardHead(const std::string& path, const HeardHead& heard) {
  nlohmann::json json = ToJson(heard.head);
  json["heard"] = heard.heard.nanoseconds;
  return WriteFileAtomically(path, json.dump(2) + "\n");
}

Account MakeAccount(const Progress& received, const std::optional<HeardHead>& heard) {
  Account account{.received = received, .newest = received, .missing = 0, .heard = std::nullopt};
  if (!heard) return account;
  account.heard = heard->heard;
  const Position& head = heard->head.position;
  const Position& here = received.position;
  const bool nothing_yet = here.group == Group{};
  if (!nothing_yet && head.journal != here.journal) {
    account.newest = heard->head;
    account.missing = std::nullopt;
  } else if (head.group > here.group) {
    account.newest = heard->head;
    account.missing = head.sequence.value - here.sequence.value;
  }
  return account;
}

std::string AccountText(const Account& account) {
  std::string text = "received up to " + account.received.position.Text();
  if (!account.heard) return text + "; no newer head was ever heard of";
  const std::time_t seconds = account.heard->ToTimespec().tv_sec;
  text +=
      fmt::format("; the newest head heard of is {}, the relay's last word was at {:%Y-%m-%dT%H:%M:%SZ}: ",
                  account.newest.position.Text(), fmt::gmtime(seconds));
  if (!account.missing) return text + "that is another journal, so what is missing can't be told";
  if (*account.missing == 0) return text + "no record is known to be missing";
  return text + fmt::format("{} record{} known to be missing", *account.missing,
                            *account.missing == 1 ? " is" : "s are");
}

}  // namespace hawser
