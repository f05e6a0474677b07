#include "relay/control.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/net/heartbeat.h"
#include "relay/limits.h"
#include "relay/status.h"

namespace hawser {

namespace {

constexpr int kRequestsATurn = 256;  // then results and retention have their turn

Buffer ToBuffer(const std::string& text) {
  const Bytes bytes = AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

// A node that knows of more than the journal holds has what the journal doesn't say.
void NoteMissing(const std::string& text, NodeStatus& node) {
  node.state = Worse(node.state, ReplicaState::kDiverged);
  node.problem = text;
  for (ReplicaStatus& volume : node.volumes) {
    volume.state = Worse(volume.state, ReplicaState::kDiverged);
    volume.problem = text;
  }
}

}  // namespace

void Control::Run(const std::atomic<bool>& stop) {
  Deadline next_measure = SteadyClock::now();
  tracker_.Remember(Facts(), Now(), SteadyClock::now());
  while (!stop.load()) {
    if (SteadyClock::now() >= next_measure) {
      parts_.jobs.Push(MeasureJob{});
      next_measure = SteadyClock::now() + parts_.retention_interval;
    }
    Look();
    WatchPrimaries();
    AdvancePromotions();
    const auto turn = promotions_.any_under_way() ? kPromotionTurn : kReportInterval;
    auto waited = parts_.router.Wait(std::min(next_measure, SteadyClock::now() + turn), parts_.wake.fd());
    parts_.wake.Clear();
    while (auto result = parts_.results.Pop(Deadline{}))
      std::visit([this](auto& done) { Do(std::move(done)); }, *result);
    for (int taken = 0; waited && taken < kRequestsATurn; ++taken) {
      auto arrival = parts_.router.Receive(std::chrono::milliseconds(0));
      if (!arrival) {
        waited = std::move(arrival).error();
        break;
      }
      if (!*arrival) break;
      if ((*arrival)->message) {
        Take((*arrival)->from, *(*arrival)->message);
      } else {
        Refuse(parts_.router, (*arrival)->from, Unreadable((*arrival)->message.error()), complaints_);
      }
    }
    if (!waited) {
      log::error("the control port has failed: {}", waited.error().Text());
      return;
    }
  }
}

void Control::Look() {
  const Deadline now = SteadyClock::now();
  tracker_.HeadIs(parts_.journal.durable(), now);
  if (now < next_news_) return;
  next_news_ = now + kReportInterval;
  for (const log::Line& line : news_.Note(NodesStatus(Facts()))) log::Say(line);
}

void Control::Take(const Asker& from, const Incoming& message) {
  if (message.type() == MessageType::kReport && message.parts() == 1) return TakeReport(from, message);
  if (message.type() == MessageType::kPull && message.parts() == 1) return TakePull(from, message);
  if (message.type() == MessageType::kOrder && message.parts() == 1) return TakeOrder(from, message);
  if (message.type() == MessageType::kPromote && message.parts() == 1) return TakePromotion(from, message);
  if (message.type() == MessageType::kStatus && message.parts() == 0) return AnswerStatus(from);
  Refuse(parts_.router, from, Misplaced(message, "control"), complaints_);
}

bool Control::CheckMember(const Asker& from, const NodeName& node) {
  if (tracker_.IsMember(node)) return true;
  Refuse(parts_.router, from,
         {RefusalCode::kUnknownNode,
          fmt::format(
              "node '{}' holds no volumes in the relay's config; use the same config file on every machine "
              "and restart the relay after a change",
              node.value)},
         complaints_);
  return false;
}

void Control::TakeReport(const Asker& from, const Incoming& message) {
  const auto report = Decode<Report>(message.part(0));
  if (!report) return Refuse(parts_.router, from, Unreadable(report.error()), complaints_);
  if (!CheckMember(from, report->from.node)) return;
  // In this order: see Evidence::Sessions.
  const Progress head = parts_.journal.durable();
  const NoticeBoard::Notes notes = parts_.board.Read();
  const auto refusal = evidence_.Check(*report, notes.sessions);
  if (!refusal || refusal->code == RefusalCode::kWentBack) tracker_.Heard(*report, SteadyClock::now());
  if (refusal) return Refuse(parts_.router, from, *refusal, complaints_);
  parts_.board.HeardOf(report->from.node, report->from.session, SteadyClock::now());
  orders_.Heard(report->from.node, report->orders);
  // By these very notes: no hold is over for the node before it is told who is primary instead of it.
  if (promotions_.any_under_way()) LookAtPromotions(WhatPromotionsRestOn(notes));
  const Overview overview{parts_.run,
                          head,
                          parts_.journal.oldest(),
                          notes.volumes,
                          orders_.Of(report->from.node, SteadyClock::now()),
                          promotions_.TellHolds(report->from.node, SteadyClock::now()),
                          promotions_.any_under_way()};
  parts_.router.ReplyOne(from, MessageType::kOverview, Encode(overview));
}

void Control::TakePull(const Asker& from, const Incoming& message) {
  const auto pull = Decode<Pull>(message.part(0));
  if (!pull) return Refuse(parts_.router, from, Unreadable(pull.error()), complaints_);
  if (!CheckMember(from, pull->from.node)) return;
  if (const auto refusal = evidence_.Check(*pull, parts_.board.ReadSessions()))
    return Refuse(parts_.router, from, *refusal, complaints_);
  // A node that recovers reports nothing yet.
  parts_.board.HeardOf(pull->from.node, pull->from.session, SteadyClock::now());
  if (pulls_.Add(PullJob{from, *pull})) return ServeNextPulls();
  Answer({from,
          {PullReply::Answer::kFailed,
           fmt::format("node {} has {} pulls waiting already; pull again later", pull->from.node.value,
                       kPullsANode),
           parts_.journal.durable()},
          {}});
}

void Control::TakeOrder(const Asker& from, const Incoming& message) {
  const auto order = Decode<Order>(message.part(0));
  if (!order) return Refuse(parts_.router, from, Unreadable(order.error()), complaints_);
  if (const auto refusal = evidence_.Check(*order)) return Refuse(parts_.router, from, *refusal, complaints_);
  if (!CheckMember(from, order->node)) return;
  const auto state = orders_.Ask(*order, SteadyClock::now());
  if (state) return parts_.router.ReplyOne(from, MessageType::kOrderState, Encode(*state));
  Refuse(parts_.router, from,
         {RefusalCode::kTooLarge,
          fmt::format("{} orders to nodes are under way already; try again later", kMostOrders)},
         complaints_);
}

void Control::TakePromotion(const Asker& from, const Incoming& message) {
  const auto order = Decode<PromotionOrder>(message.part(0));
  if (!order) return Refuse(parts_.router, from, Unreadable(order.error()), complaints_);
  if (const auto refusal = evidence_.Check(*order)) return Refuse(parts_.router, from, *refusal, complaints_);
  if (!CheckMember(from, order->node)) return;
  const PromotionFacts facts = WhatPromotionsRestOn(parts_.board.Read());
  if (!promotions_.Ask(*order, facts))
    return Refuse(
        parts_.router, from,
        {RefusalCode::kTooLarge,
         fmt::format("{} promotions are under way or have just ended; try again later", kMostPromotions)},
        complaints_);
  LookAtPromotions(facts);
  parts_.router.ReplyOne(from, MessageType::kPromotion, Encode(promotions_.Told(order->id)));
}

void Control::WatchPrimaries() {
  if (parts_.failover.mode == FailoverMode::kManual) return;
  const PromotionFacts facts = WhatPromotionsRestOn(parts_.board.Read());
  const std::vector<PromotionOrder> orders = failover_.Look(facts, RandomNumber);
  for (const log::Line& line : failover_.TakeNews()) log::Say(line);
  for (const PromotionOrder& order : orders) {
    if (!promotions_.Ask(order, facts))
      log::error("node {} can't be promoted: too many promotions are under way", order.node.value);
  }
}

void Control::AdvancePromotions() {
  while (const auto failure = parts_.handover_failures.TryPop()) promotions_.Failed(*failure);
  if (promotions_.any_under_way()) LookAtPromotions(WhatPromotionsRestOn(parts_.board.Read()));
  parts_.board.promoting.store(promotions_.any_under_way());
  for (const log::Line& line : promotions_.TakeNews()) log::Say(line);
}

// There is room for all that can be under way; the writer leaves none behind unless the relay ends.
void Control::LookAtPromotions(const PromotionFacts& facts) {
  for (Handover& handover : promotions_.Look(facts))
    static_cast<void>(parts_.handovers.Push(std::move(handover)));
}

PromotionFacts Control::WhatPromotionsRestOn(NoticeBoard::Notes notes) const {
  PromotionFacts facts;
  facts.made = notes.made;
  if (!notes.journal_failure.empty()) {
    facts.trouble = "the relay's journal has failed: " + notes.journal_failure +
                    "; repair its disk, then restart the relay";
  } else if (const auto missing = WhatIsMissing(); !missing.empty()) {
    facts.trouble = missing.begin()->second;
  }
  facts.journal = Facts(std::move(notes));
  facts.now = SteadyClock::now();
  facts.early = facts.now - began_ <= kNodesComeBack;
  facts.nodes = NodesStatus(facts.journal);
  return facts;
}

void Control::ServeNextPulls() {
  while (pulls_at_work_ < kPullsAtWork) {
    auto next = pulls_.Next();
    if (!next || !parts_.jobs.Push(*std::move(next))) return;
    ++pulls_at_work_;
  }
}

void Control::Do(Pulled pulled) {
  --pulls_at_work_;
  ServeNextPulls();
  Answer(std::move(pulled));
}

void Control::Answer(Pulled pulled) {
  std::vector<Buffer> parts;
  parts.push_back(Encode(pulled.reply));
  parts.push_back(std::move(pulled.frames));
  parts_.router.Reply(pulled.to, MessageType::kFrames, std::move(parts));
}

void Control::AnswerStatus(const Asker& to) {
  const JournalFacts facts = Facts();
  RelayEvidence relay;
  relay.journal_failure = parts_.board.Read().journal_failure;
  relay.holds_writers = holding_;
  relay.damage = parts_.board.ReadDamage();
  if (const auto missing = WhatIsMissing(); !missing.empty()) relay.missing = missing.begin()->second;
  relay.journal_bytes = parts_.journal.bytes();
  relay.refused = parts_.board.refused.load();
  const std::string json = StatusJson(parts_.group, Judge(std::move(relay)), facts, NodesStatus(facts),
                                      {parts_.failover, failover_.lost()});
  parts_.router.ReplyOne(to, MessageType::kStatusText, ToBuffer(json));
}

std::vector<NodeStatus> Control::NodesStatus(const JournalFacts& facts) const {
  std::vector<NodeStatus> nodes = tracker_.Status(facts, SteadyClock::now());
  const auto missing = WhatIsMissing();
  for (NodeStatus& node : nodes) {
    if (const auto found = missing.find(node.node); found != missing.end()) NoteMissing(found->second, node);
  }
  return nodes;
}

// By reports, and by the hellos and batches that the writer has refused.
std::map<NodeName, std::string> Control::WhatIsMissing() const {
  std::map<NodeName, std::string> missing = parts_.board.Read().missing;
  for (const auto& [node, text] : evidence_.missing()) missing[node] = text;
  return missing;
}

void Control::Do(const Measured& measured) {
  const RetentionDecision decision = tracker_.Decide(Facts(), Now(), SteadyClock::now(), measured.free_bytes);
  for (const ReplicaName& replica : decision.dropped)
    log::error(
        "the journal's filesystem is nearly full: volume {} of node {} is given up, it needs a sync now",
        replica.volume.value, replica.node.value);
  HoldWriters(decision.hold_writers, measured.free_bytes);
  if (decision.drop_through) parts_.jobs.Push(DropJob{*decision.drop_through});
}

void Control::HoldWriters(bool hold, std::uint64_t free_bytes) {
  if (hold && !holding_)
    log::error(
        "the journal's filesystem has only {} MiB free and its oldest groups are still needed: writers are "
        "held until there is room",
        free_bytes / kMiB);
  if (!hold && holding_) log::info("the journal's filesystem has room again: writers go on");
  holding_ = hold;
  parts_.board.hold_writers.store(hold);
}

JournalFacts Control::Facts() const { return Facts(parts_.board.Read()); }

JournalFacts Control::Facts(NoticeBoard::Notes notes) const {
  return {parts_.journal.durable(), parts_.journal.oldest(), std::move(notes.milestones),
          std::move(notes.volumes)};
}

}  // namespace hawser
