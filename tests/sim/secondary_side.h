// A node's secondary side. Mirrors fuse_secondary/replica.cc: the real CopyRecovery at the start, receiver.cc
// around the real Intake and OwnJournal, replayer.cc around the real ReadBatch, ReplayState and GroupApplier,
// checkpointer.cc around the real CheckpointKeeper, all at one real ReplicaBoard; the volumes are modelled.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "fuse_secondary/group_applier.h"
#include "fuse_secondary/intake.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/recovery.h"
#include "fuse_secondary/remedy_search.h"
#include "fuse_secondary/replay_state.h"
#include "fuse_secondary/replica_board.h"
#include "tests/sim/checker.h"
#include "tests/sim/checkpoints.h"
#include "tests/sim/machine.h"
#include "tests/sim/requests.h"

namespace hawser::sim {

class SecondarySide {
 public:
  struct Parts {
    World& world;
    Checker& checker;
    std::function<Sender()> sender;
    NodeName node;
    LifePtr life;
    Requests& requests;
    Machine& machine;
    std::vector<VolumeName> volumes;
    std::function<void(const std::string& why)> give_up;  // the node has to be started again
    std::function<void()> ready;                          // all else may be served
  };
  explicit SecondarySide(Parts parts);

  // Then, if it needs the relay, with its welcome: recovers, at once or by and by, and follows the stream.
  Status Open();
  bool needs_relay() const { return recovery_->needs_relay(); }
  Status Start(const std::optional<Welcome>& welcome);
  void Streamed(MessageType type, const std::vector<Buffer>& parts);
  void StopInOrder();

  Progress received() const { return board_->received(); }
  std::vector<VolumeReport> Reports() const { return board_->Reports(); }
  std::vector<VolumeStand> Stands() const { return board_->volumes(); }
  // Readers look at all volumes.
  void Look();

 private:
  VolumeDisk& DiskOf(std::size_t volume) { return *parts_.machine.volumes.at(parts_.volumes[volume]); }

  Status WaitAndTryAgain(const Error& error);
  void BeReady();
  void BringForward();
  void Pull(const Recovery::Want& want);
  Status CheckpointAll();
  Status Follow();
  void CheckStand(const VolumeStand& stand);

  // Receiver.
  void WakeReceiver(Duration after);
  void Receive();
  void StartPull();
  void Commit();
  void TellReceived();
  void ApplyPastGap(const Incoming& message);

  // Replayer.
  void WakeReplayer(Duration after);
  void Replay();
  Status ReadMore(Group last);
  std::vector<GroupFailure> ApplySlice();
  std::vector<GroupFailure> ApplyGroup(const ReplayGroup& group);
  Status ApplyRecord(const ReplayRecord& record, bool again);
  void Publish(std::size_t from, std::size_t to);
  void Failed(const ReplayGroup& group, const std::vector<GroupFailure>& failures);

  // Checkpointer.
  void Checkpoint();
  void CheckpointNext(std::vector<VolumeStand> stands, std::size_t volume);
  void Checkpointed(const VolumeStand& stand, std::size_t volume, const Status& made);
  void DropOldSegments();

  Parts parts_;
  OwnJournal journal_;
  std::optional<CopyRecovery> recovery_;
  std::optional<Welcome> welcome_;
  bool ready_ = false;
  std::optional<ReplicaBoard> board_;
  std::optional<Intake> intake_;
  std::vector<std::unique_ptr<Checkpoints>> checkpoints_;  // by volume

  std::deque<std::pair<MessageType, std::vector<Buffer>>> stream_;  // the subscriber's bounded queue
  bool receiver_awake_ = false;
  bool pulling_ = false;

  RemedySearch remedies_;
  GroupApplier applier_;
  std::unique_ptr<JournalReader> reader_;
  ReplayBatch batch_;
  std::size_t next_ = 0;             // group of the batch
  std::deque<StateFolder> folders_;  // by volume
  std::optional<ReplayState> replay_;
  bool replayer_awake_ = false;
  bool gate_held_ = false;
};

}  // namespace hawser::sim
