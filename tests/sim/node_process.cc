#include "tests/sim/node_process.h"

#include <algorithm>

#include "fuse_primary/verdict.h"

namespace hawser::sim {

namespace {

constexpr auto kFirstHello = milliseconds(100);
constexpr auto kReportEvery = milliseconds(25);

}  // namespace

NodeProcess::NodeProcess(World& world, Network& network, Checker& checker, Machine& machine, NodeName node,
                         const NodeName& address, bool take_over, LifePtr life)
    : world_(world),
      network_(network),
      checker_(checker),
      machine_(machine),
      node_(std::move(node)),
      life_(std::move(life)),
      requests_(world, network, address, life_) {
  hello_.take_over = take_over;
}

// NodeProcess::AskRelay in node/node.cc.
void NodeProcess::Start() {
  if (machine_.incarnation == 0) machine_.incarnation = 1 + world_.rng().Below(UINT32_MAX);
  hello_.group = kGroup;
  hello_.node = node_;
  hello_.incarnation = machine_.incarnation;
  hello_.start = 1 + world_.rng().Below(UINT32_MAX);
  machine_.journal_disk.Serve(life_);
  bool needs_relay = false;
  for (auto& [name, disk] : machine_.volumes) {
    disk->store.Serve(life_);
    const Status right = CheckMarks(disk->checkpoint, disk->store.marks(), name, "simulated");
    if (!right && !world_.mutations().Has(Fault::kTrustAnyStore)) {
      takes_stores_ = false;
      return GiveUp(right.error().Text());
    }
    const VolumeFact first{name, world_.profile().primaries.at(name), Generation(0)};
    RoleMachine& role = roles_.emplace(name, RoleMachine(node_, first)).first->second;
    if (const auto known = machine_.roles.find(name); known != machine_.roles.end())
      (void)role.Take(LastHeard{known->second});
    needs_relay = needs_relay || role.NeedsRelay();
  }
  takes_stores_ = true;
  world_.Note("{}: starts", node_.value);
  SayHello(needs_relay ? std::nullopt : std::optional<Duration>(kFirstHello));
}

void NodeProcess::SayHello(std::optional<Duration> patience) {
  hello_.known = machine_.known.Get().position;
  const Buffer hello = Encode(hello_);
  Requests::Request request;
  request.port = Port::kWrite;
  request.type = MessageType::kHello;
  request.patience = patience;
  request.parts = [hello](int) { return std::vector<Buffer>{hello}; };
  request.answered = [this](std::optional<Incoming> reply) {
    if (!reply) return Begin(std::nullopt);
    Welcomed(*reply);
  };
  requests_.Send(std::move(request));
}

void NodeProcess::Welcomed(const Incoming& reply) {
  if (reply.type() == MessageType::kRefusal) {
    const auto refusal = Decode<Refusal>(reply.part(0));
    return GiveUp(refusal ? refusal->text : refusal.error().Text());
  }
  const auto welcome = Decode<Welcome>(reply.part(0));
  if (!welcome) return GiveUp(welcome.error().Text());
  session_ = welcome->session;
  machine_.known.Hear(welcome->head);
  machine_.known.HearRun(welcome->run);
  Begin(*welcome);
}

// Roles::Begin in node/roles.cc.
void NodeProcess::Begin(const std::optional<Welcome>& welcome) {
  if (welcome) {
    for (const VolumeFact& fact : welcome->volumes) machine_.roles[fact.volume] = fact;
  }
  std::vector<VolumeName> copies;
  OwnVolumes own;
  for (auto& [volume, role] : roles_) {
    const auto known = machine_.roles.find(volume);
    (void)role.Take(!welcome                        ? RoleFact(RelayIsSilent{})
                    : known != machine_.roles.end() ? RelaySays{known->second}
                                                    : RelaySays{role.known()});
    const auto due = role.Due();
    if (!due) continue;
    (void)role.Began(*due);
    if (std::holds_alternative<BecomeSecondary>(*due)) copies.push_back(volume);
    if (const auto* primary = std::get_if<BecomePrimary>(&*due))
      own.emplace_back(volume, primary->generation);
  }
  const auto serve = [this, welcome, own] { Serve(welcome, own); };
  if (const Status opened = OpenCopies(copies, serve); !opened) return GiveUp(opened.error().Text());
  if (!secondary_) return serve();
  if (secondary_->needs_relay() && !welcome) return SayHello(std::nullopt);  // begins again
  if (const Status started = secondary_->Start(welcome); !started) GiveUp(started.error().Text());
}

void NodeProcess::Serve(const std::optional<Welcome>& welcome, const OwnVolumes& own) {
  if (welcome) shipping_.emplace(world_, checker_, node_, session_, machine_.known, requests_, life_);
  for (const auto& [volume, generation] : own) StartPrimary(volume, generation, *welcome);
  begun_ = true;
  Report();
  ReadersLook();
}

Status NodeProcess::OpenCopies(const std::vector<VolumeName>& copies, std::function<void()> ready) {
  if (copies.empty()) return {};
  secondary_.emplace(SecondarySide::Parts{world_, checker_, [this] { return sender(); }, node_, life_,
                                          requests_, machine_, copies,
                                          [this](const std::string& why) { GiveUp(why); }, std::move(ready)});
  return secondary_->Open();
}

void NodeProcess::StartPrimary(const VolumeName& volume, Generation generation, const Welcome& welcome) {
  primaries_.push_back(std::make_unique<PrimarySide>(PrimarySide::Parts{
      world_, checker_, sender(), node_, life_, requests_, *shipping_, *machine_.volumes.at(volume), volume,
      generation, [this, volume](const Setback& setback) { Learn(volume, setback); },
      [this](const std::string& why) { GiveUp(why); }}));
  if (stopped_) primaries_.back()->StopCallers();
  primaries_.back()->Start(welcome);
}

// HostedVolume::Learn, for a volume that has its role.
void NodeProcess::Learn(const VolumeName& volume, const RoleFact& fact) {
  const auto role = roles_.find(volume);
  if (role == roles_.end()) return;
  const auto stop = role->second.Take(fact);
  if (!stop) return;
  for (const auto& primary : primaries_)
    if (primary->volume() == volume) primary->StopChanges(stop->error);
}

void NodeProcess::Answered(std::uint64_t token, MessageType type, const std::vector<Buffer>& parts) {
  world_.After(Duration(0), life_, [this, token, type, parts] { requests_.TakeAnswer(token, type, parts); });
}

void NodeProcess::Streamed(MessageType type, const std::vector<Buffer>& parts) {
  if (secondary_) secondary_->Streamed(type, parts);
}

// node/reporter.cc, MakeReport and Heard in node/node.cc.
void NodeProcess::Report() {
  hawser::Report report{{}, 0, {}, {}};
  if (secondary_) {
    report.received = secondary_->received();
    report.volumes = secondary_->Reports();
    machine_.known.Hear(report.received);
  }
  for (const auto& primary : primaries_) {
    report.volumes.push_back(primary->Report());
    if (!secondary_) report.received = report.volumes.back().applied;
  }
  report.from = sender();
  const Buffer message = Encode(report);
  Requests::Request request;
  request.type = MessageType::kReport;
  request.patience = milliseconds(50);
  request.parts = [message](int) { return std::vector<Buffer>{message}; };
  request.answered = [this](std::optional<Incoming> reply) {
    if (reply && reply->type() == MessageType::kOverview) {
      const auto overview = Decode<Overview>(reply->part(0));
      if (overview) Heard(*overview);
    }
    if (reply && reply->type() == MessageType::kRefusal) {
      const auto refusal = Decode<Refusal>(reply->part(0));
      if (refusal) Refused(*refusal);
    }
    world_.After(kReportEvery, life_, [this] { Report(); });
  };
  requests_.Send(std::move(request));
}

void NodeProcess::Heard(const Overview& overview) {
  machine_.known.Hear(overview.head);
  machine_.known.HearRun(overview.run);
  for (const VolumeFact& fact : overview.volumes) Learn(fact.volume, RelaySays{fact});
  for (const auto& primary : primaries_) primary->HeadKnown(overview.head);
}

void NodeProcess::Refused(const Refusal& refusal) {
  const auto setback = SetbackOf(Judge(refusal, {}, {}));
  if (!setback) return;
  for (const auto& [volume, role] : roles_) Learn(volume, *setback);
  GiveUp(refusal.text);
}

void NodeProcess::ReadersLook() {
  if (secondary_) {
    if (world_.mutations().Has(Fault::kTouchStore) && world_.Trouble(0.05)) {
      const auto stands = secondary_->Stands();
      machine_.volumes.at(world_.rng().Pick(stands).name)->store.Touch();
    }
    secondary_->Look();
  }
  world_.After(microseconds(world_.rng().Between(500, 5'000)), life_, [this] { ReadersLook(); });
}

void NodeProcess::GiveUp(const std::string& why) {
  if (!trouble_.empty() || life_->dead) return;
  trouble_ = why;
  world_.Note("{}: has to be started again: {}", node_.value, why);
  // Somebody looks at it after a while.
  world_.After(milliseconds(world_.rng().Between(5, 100)), life_,
               [this] { world_.Kill(life_, false, "to be started again"); });
}

void NodeProcess::StopInOrder() {
  for (const auto& primary : primaries_) primary->StopInOrder();
  if (secondary_) secondary_->StopInOrder();
  world_.Kill(life_, false, "in order");
}

void NodeProcess::StopCallers() {
  stopped_ = true;
  for (const auto& primary : primaries_) primary->StopCallers();
}

bool NodeProcess::IsDone(Group head, std::string& why) const {
  if (!begun_ || !trouble_.empty()) {
    why = fmt::format("{} has not started ({})", node_.value, trouble_);
    return false;
  }
  for (const auto& primary : primaries_) {
    if (primary->idle()) continue;
    why = fmt::format("{} has calls under way", node_.value);
    return false;
  }
  if (!secondary_) return true;
  for (const VolumeStand& stand : secondary_->Stands()) {
    if (stand.condition == Condition::kFine && stand.applied.position.group == head) continue;
    why = fmt::format("{}'s copy of {} is at group {} of {}: {}", node_.value, stand.name.value,
                      stand.applied.position.group.value, head.value, stand.problem);
    return false;
  }
  return true;
}

void NodeProcess::CheckAtEnd(Group head) {
  if (secondary_) {
    for (const VolumeStand& stand : secondary_->Stands()) {
      checker_.Received(node_, secondary_->received());
      checker_.ShowsHead(node_, stand.name, machine_.volumes.at(stand.name)->store.tree(), stand.differences);
      checker_.Stands(node_, stand.name, stand.checkpoint.position.group, stand.applied.position.group, head);
    }
  }
  for (const auto& primary : primaries_) {
    const VolumeName& volume = primary->volume();
    checker_.ShowsHead(node_, volume, machine_.volumes.at(volume)->store.tree());
  }
}

}  // namespace hawser::sim
