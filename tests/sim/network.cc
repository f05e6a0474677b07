#include "tests/sim/network.h"

namespace hawser::sim {

Duration Network::Delay() {
  const Profile& profile = world_.profile();
  if (!world_.chaos()) return profile.delay_min;
  return Duration(world_.rng().Between(profile.delay_min.count(), profile.delay_max.count()));
}

bool Network::Loses(const NodeName& node, bool to_relay, double chance) {
  const auto cut = cut_.find(node);
  const bool is_cut = cut != cut_.end() && (to_relay ? cut->second.to_relay : cut->second.to_node);
  if (!is_cut && !world_.Trouble(chance)) return false;
  ++world_.counts().faults;
  return true;
}

void Network::Cut(const NodeName& node, bool to_relay, bool to_node) {
  ++world_.counts().faults;
  cut_[node] = {to_relay, to_node};
  world_.Note("network: {} is cut off ({}{})", node.value, to_relay ? "to the relay " : "",
              to_node ? "from it" : "");
}

void Network::Ask(Letter letter) {
  if (Loses(letter.from, true, world_.profile().message_loss)) return;
  // What was sent to a relay that has gone is gone with the connection. What was sent while there is none
  // waits.
  const bool waits = relay_ == nullptr;
  const auto deliver = [this, letter, waits, to = relay_number_] {
    if (relay_ == nullptr || (!waits && to != relay_number_) || Loses(letter.from, true, 0)) return;
    relay_->Arrive(letter);
  };
  // What a connection carries keeps its order, and batches all go over one.
  Duration delay = Delay();
  if (letter.type == MessageType::kSubmit) {
    Duration& ready = submit_ready_[letter.from];
    ready = std::max(ready + Duration(1), world_.now() + delay);
    delay = ready - world_.now();
  }
  world_.After(delay, nullptr, deliver);
  // Where late reports are believed, they are many: few of them do any harm that can be seen.
  const bool often = letter.type == MessageType::kReport && world_.mutations().Has(Fault::kHeedLateReports);
  if (waits || !world_.Trouble(often ? 0.2 : world_.profile().message_doubled)) return;
  // The connection of an earlier attempt that was thought to be dead.
  ++world_.counts().faults;
  world_.After(Delay() + milliseconds(world_.rng().Between(0, 300)), nullptr, deliver);
}

void Network::Answer(const NodeName& node, std::uint64_t token, MessageType type, std::vector<Buffer> parts) {
  if (Loses(node, false, world_.profile().message_loss)) return;
  world_.After(Delay(), nullptr, [this, node, token, type, parts = std::move(parts)] {
    NodeEnd* end = nodes_[node];
    if (end != nullptr && !Loses(node, false, 0)) end->Answered(token, type, parts);
  });
}

void Network::Publish(MessageType type, const std::vector<Buffer>& parts) {
  for (const auto& [node, end] : nodes_) {
    if (end == nullptr || Loses(node, false, world_.profile().stream_loss)) continue;
    Duration& ready = stream_ready_[node];
    ready = std::max(ready + Duration(1), world_.now() + Delay());
    const auto deliver = [this, node = node, type, parts] {
      NodeEnd* present = nodes_[node];
      if (present != nullptr && !Loses(node, false, 0)) present->Streamed(type, parts);
    };
    world_.After(ready - world_.now(), nullptr, deliver);
    if (world_.Trouble(world_.profile().message_doubled))
      world_.After(ready - world_.now(), nullptr, deliver);
  }
}

}  // namespace hawser::sim
