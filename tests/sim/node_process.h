// A node's process. Mirrors node/node.cc: the session, the roles, the replica, the primaries, the reporter.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "node/role_machine.h"
#include "tests/sim/network.h"
#include "tests/sim/primary_side.h"
#include "tests/sim/secondary_side.h"

namespace hawser::sim {

class NodeProcess : public NodeEnd {
 public:
  // `address`: in the network. `take_over`: as of `hawser mount`.
  NodeProcess(World& world, Network& network, Checker& checker, Machine& machine, NodeName node,
              const NodeName& address, bool take_over, LifePtr life);

  void Start();
  void Answered(std::uint64_t token, MessageType type, const std::vector<Buffer>& parts) override;
  void Streamed(MessageType type, const std::vector<Buffer>& parts) override;
  // SIGTERM: an orderly end, up to the moment at which the process is gone.
  void StopInOrder();

  void StopCallers();
  // What was asked of this node is done, and all its copies are at `head`. Else `why` says what isn't.
  bool IsDone(Group head, std::string& why) const;
  // Why a person has to start it again; empty: nothing.
  const std::string& trouble() const { return trouble_; }
  // Whether it goes on with the stores that it found; nullopt: it hasn't looked yet.
  std::optional<bool> takes_stores() const { return takes_stores_; }
  void CheckAtEnd(Group head);

 private:
  void SayHello(std::optional<Duration> patience);
  void Welcomed(const Incoming& reply);
  void Begin(const std::optional<Welcome>& welcome);
  Status OpenCopies(const std::vector<VolumeName>& copies, std::function<void()> ready);
  using OwnVolumes = std::vector<std::pair<VolumeName, Generation>>;
  void Serve(const std::optional<Welcome>& welcome, const OwnVolumes& own);
  void StartPrimary(const VolumeName& volume, Generation generation, const Welcome& welcome);
  void Learn(const VolumeName& volume, const RoleFact& fact);
  void Report();
  void Heard(const Overview& overview);
  void Refused(const Refusal& refusal);
  Sender sender() const { return {kGroup, node_, session_, machine_.known.Get().position}; }
  void ReadersLook();
  void GiveUp(const std::string& why);

  World& world_;
  Network& network_;
  Checker& checker_;
  Machine& machine_;
  const NodeName node_;
  const LifePtr life_;
  Hello hello_;
  std::uint64_t session_ = 0;  // 0: the relay has given none yet
  Requests requests_;
  std::optional<Shipping> shipping_;  // before those whose records are in it
  std::map<VolumeName, RoleMachine> roles_;
  std::optional<SecondarySide> secondary_;
  std::vector<std::unique_ptr<PrimarySide>> primaries_;
  bool begun_ = false;
  bool stopped_ = false;
  std::string trouble_;
  std::optional<bool> takes_stores_;
};

}  // namespace hawser::sim
