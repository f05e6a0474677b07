#include "relay/evidence.h"

#include <fmt/format.h>

#include "relay/refusals.h"

namespace hawser {

namespace {

constexpr const char* kWhatToDo =
    "stop all nodes, put the newest copy of the journal's folder back, then start the relay again; nothing "
    "is lost as long as a node has it";

Refusal WentBack(std::string text) { return {RefusalCode::kWentBack, std::move(text) + "; " + kWhatToDo}; }

std::optional<Refusal> CheckSession(const Sender& from, const Evidence::Sessions& sessions) {
  const auto known = sessions.find(from.node);
  const std::uint64_t newest = known == sessions.end() ? 0 : known->second;
  if (from.session == 0 || from.session == newest) return std::nullopt;
  if (from.session < newest) return OldSession(from.node, from.session, newest);
  return UnknownSession(from.node, from.session);
}

}  // namespace

std::optional<Refusal> Evidence::Check(const Hello& hello) {
  if (auto refusal = CheckGroup(hello.node, hello.group)) return refusal;
  return CheckKnown(hello.node, 0, hello.known);
}

// A journal that has gone back may know nothing of the session: that it has gone back is what is to be said.
std::optional<Refusal> Evidence::Check(const Report& report, const Sessions& newest) {
  if (auto refusal = CheckGroup(report.from.node, report.from.group)) return refusal;
  if (auto refusal = CheckKnown(report.from.node, report.from.session, report.from.known)) return refusal;
  return CheckSession(report.from, newest);
}

std::optional<Refusal> Evidence::Check(const Pull& pull, const Sessions& newest) {
  if (auto refusal = CheckGroup(pull.from.node, pull.from.group)) return refusal;
  auto refusal = CheckSession(pull.from, newest);
  // If the journal knows nothing of the session, what it holds tells more.
  if (refusal && refusal->code != RefusalCode::kUnknownSession) return refusal;
  return CheckKnown(pull.from.node, pull.from.session, pull.from.known);
}

std::optional<Refusal> Evidence::Check(const Order& order) const {
  return CheckGroup(order.node, order.group);
}

std::optional<Refusal> Evidence::Check(const PromotionOrder& order) const {
  return CheckGroup(order.node, order.group);
}

std::optional<Refusal> Evidence::CheckGroup(const NodeName& node, const std::string& group) const {
  if (group == group_) return std::nullopt;
  return Refusal{RefusalCode::kOtherGroup,
                 fmt::format("this relay serves group '{}', and node '{}' is of group '{}': correct the "
                             "relay's address or ports in the node's config",
                             group_, node.value, group)};
}

std::optional<Refusal> Evidence::CheckKnown(const NodeName& node, std::uint64_t session,
                                            const Position& known) {
  if (known.group == Group{}) return std::nullopt;
  if (const auto proved = proved_.find(node);
      session != 0 && proved != proved_.end() && proved->second == session)
    return std::nullopt;
  if (auto refusal = Look(node, known)) {
    if (refusal->code == RefusalCode::kWentBack) missing_[node] = refusal->text;
    return refusal;
  }
  missing_.erase(node);
  if (session != 0) proved_[node] = session;
  return std::nullopt;
}

std::optional<Refusal> Evidence::Look(const NodeName& node, const Position& known) const {
  const Position head = journal_.durable().position;
  if (known.journal != head.journal)
    return WentBack(fmt::format("the relay writes journal {}, and node {} follows journal {}",
                                head.journal.Hex(), node.value, known.journal.Hex()));
  if (known.group > head.group)
    return WentBack(
        fmt::format("the relay's journal has gone back: it ends at {}, and node {} was told that {} "
                    "is durable: {} records are missing here",
                    head.Text(), node.value, known.Text(), known.sequence.value - head.sequence.value));
  const auto reader = journal_.OpenReader(known);
  if (reader || reader.error().code == ENODATA) return std::nullopt;  // dropped: there is nothing to compare
  if (reader.error().code != ESTALE)
    return Refusal{RefusalCode::kJournalFailed,
                   "the relay's journal can't be read: " + reader.error().Text() + "; repair its disk"};
  return WentBack(
      fmt::format("the relay's journal has gone back and on another way: it holds another {} than "
                  "node {} was told is durable",
                  known.Text(), node.value));
}

}  // namespace hawser
