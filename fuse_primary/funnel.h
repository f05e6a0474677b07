// The primary's role: the one funnel through which every change of a volume goes (DESIGN sections 2 and 6).
//
// A call waits its turn (ConflictQueue), decides its record, has it journaled by the relay, applies it to the
// store and returns. Log first, then apply: the store is never ahead of the journal.
//
// A call may stop waiting while the outcome of its record is unknown: its process got a signal, or
// `on_relay_loss: fail` has run out. Then a settler, a thread of the funnel's, takes over the record with its
// turn and its lane, so that nothing that conflicts can pass, sends it until the relay answers and applies
// it.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "common/config/config.h"
#include "fuse_primary/applied_mark.h"
#include "fuse_primary/conflict_queue.h"
#include "fuse_primary/relay_client.h"
#include "volume/mount/role.h"
#include "volume/mount/volume.h"
#include "volume/store/file_ids.h"

namespace hawser {

class Funnel : public Role {
 public:
  // `volume` and `relay` outlive the funnel. `file_ids`: path of the file of reserved ids. `applied`: what
  // the store holds already.
  Funnel(Volume& volume, RelayClient& relay, const VolumeConfig& config, Generation generation,
         std::string file_ids, const Progress& applied);
  ~Funnel() override;

  bool writable() const override { return true; }
  CachePolicy cache() const override;
  Status Mutate(const Mutation& mutation) override;
  Status Sync(int fd, bool data_only) override;
  Result<FileId> NewFileId() override { return file_ids_.Next(); }
  // Calls that wait for the relay give up (EIO), the others finish.
  void End() override;

  // Journals the attributes of the volume's root, so that every replica's gets the same. Once in a volume's
  // life.
  Status JournalRoot();

  AppliedMark& applied() { return applied_; }

  // Empty, or why the volume takes no more changes: it was fenced, or its store refused a journaled record.
  struct Trouble {
    ReplicaState state;  // fenced or diverged
    Error error;         // callers get its code
  };
  std::optional<Trouble> trouble() const;

 private:
  // A record on its way, with all that it holds.
  struct Journey {
    ConflictQueue::Ticket turn;
    RelayClient::Loan lane;
    AppliedMark::Call mark;
    Record record;
    Buffer header;
  };

  Status MutateInTurn(const Mutation& mutation, ConflictQueue::Ticket turn, std::atomic<bool>& cancel);
  Status Finish(Journey& journey, const Answer& answer, Bytes payload, ApplyTo to);
  Status GiveUp(Journey journey, Bytes payload, const Error& why);
  void Settle(Journey& journey, const Buffer& payload);
  Status Compensate(Journey& journey, const Error& full);
  Status Refused(const Refusal& refusal);
  Status CheckJournal(const Position& position);
  Status StoreFailed(const Record& record, const Error& error);
  std::optional<Deadline> RelayDeadline() const;

  Volume& volume_;
  RelayClient& relay_;
  const VolumeConfig config_;
  const Generation generation_;
  FileIds file_ids_;
  ConflictQueue conflicts_;
  AppliedMark applied_;

  mutable Mutex mutex_;
  std::optional<Trouble> trouble_ HAWSER_GUARDED_BY(mutex_);
  bool stopping_ HAWSER_GUARDED_BY(mutex_) = false;
  std::set<std::atomic<bool>*> in_flight_ HAWSER_GUARDED_BY(mutex_);  // the cancel flags of calls
  CondVar call_ended_;
  std::list<std::thread> settlers_ HAWSER_GUARDED_BY(mutex_);
  std::atomic<bool> stop_settling_{false};
};

}  // namespace hawser
