#include "fuse_secondary/replica.h"

#include <deque>

#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/base/state_folder.h"
#include "fuse_secondary/checkpointer.h"
#include "fuse_secondary/head_keeper.h"
#include "fuse_secondary/heard_head.h"
#include "fuse_secondary/receiver.h"
#include "fuse_secondary/recovery.h"
#include "fuse_secondary/replayer.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

// Built in this order and taken down in the reverse one.
struct Replica::Parts {
  Parts(const std::string& journal_folder, const ReplicaOptions& options)
      : journal({.folder = journal_folder, .segment_bytes = options.segment_bytes}) {}

  // False: somebody else has ended them.
  bool EndThreads() {
    const MutexLock lock(ending_mutex);
    if (std::exchange(ended, true)) return false;
    receiver->Stop();
    head_keeper->Stop();
    replayer->Stop();
    checkpointer->Stop();
    return true;
  }

  OwnJournal journal;
  std::optional<ReplicaBoard> board;
  std::optional<Checkpointer> checkpointer;
  std::optional<Replayer> replayer;
  std::optional<Receiver> receiver;
  std::optional<HeadKeeper> head_keeper;

  Mutex ending_mutex;
  bool ended HAWSER_GUARDED_BY(ending_mutex) = false;
};

namespace {

// What is known of the relay's head is for a person to read; a start doesn't fail for the want of it.
std::optional<HeardHead> HeardBefore(const std::string& path) {
  auto heard = ReadHeardHead(path);
  if (heard) return *std::move(heard);
  log::warn("{}", heard.error().Text());
  return std::nullopt;
}

void SayWhatIsMissing(const NodeName& node, const Account& account) {
  const std::string text = "copy " + node.value + ": " + AccountText(account);
  const bool is_whole = account.missing && *account.missing == 0;
  is_whole ? log::info("{}", text) : log::warn("{} (fetched when the relay has them still)", text);
}

Result<Recovered> RecoverAll(OwnJournal& journal, const std::vector<ReplicaVolume>& volumes,
                             const ReplicaOptions& options) {
  std::vector<std::unique_ptr<RecoverableStore>> stores;
  std::deque<CheckpointFile> places;
  std::vector<RecoveryVolume> recovering;
  for (const ReplicaVolume& volume : volumes) {
    stores.push_back(Recoverable(volume.volume->store()));
    places.emplace_back(volume.checkpoint_path);
    recovering.push_back({volume.volume->name(), stores.back().get(), &places.back()});
  }
  const auto checkpoint = [&](std::size_t volume, const VolumeStand& stand) -> Status {
    CheckpointKeeper keeper(places[volume], stand.checkpoint);
    HAWSER_TRY(KeepDifferences(places[volume], stand.checkpoint, stand));
    return FlushAndKeep(keeper, volumes[volume].volume->store(), stand.applied, Beyond::kAnything,
                        "secondary.store_synced");
  };
  return RecoverCopies(journal, std::move(recovering), options.batch_bytes,
                       {.relays_journal = options.relays_journal, .checkpoint = checkpoint}, options.cancel);
}

}  // namespace

Result<std::unique_ptr<Replica>> Replica::Start(NetContext& context, const RelayConfig& relay,
                                                const NodeName& node, const std::string& state_folder,
                                                const std::vector<ReplicaVolume>& volumes,
                                                const ReplicaOptions& options) {
  HAWSER_TRY(MakeDirectories(state_folder));
  auto parts = std::make_unique<Parts>(StateFolder(state_folder).Journal(), options);
  HAWSER_ASSIGN(Recovered recovered, RecoverAll(parts->journal, volumes, options));
  const Progress received = parts->journal.is_open() ? parts->journal.durable() : Progress{};
  parts->board.emplace(
      BoardOptions{.disconnected_after = options.disconnected_after, .live_within = options.live_within},
      received, std::move(recovered.volumes));
  const std::string heard_path = StateFolder(state_folder).HeardHead();
  const auto heard = HeardBefore(heard_path);
  SayWhatIsMissing(node, MakeAccount(received, heard));
  if (heard) parts->board->Remember(heard->head);
  parts->checkpointer.emplace(volumes, parts->journal, *parts->board, options);
  parts->replayer.emplace(parts->journal, recovered.begin, volumes, *parts->board, options);
  auto sender = options.sender;
  if (!sender) sender = [node] { return Sender{{}, node, 0}; };
  parts->receiver.emplace(context, relay, parts->journal, received, *parts->board,
                          ReceiverOptions{.sender = std::move(sender),
                                          .pull_bytes = options.pull_bytes,
                                          .stream_queue = options.stream_queue,
                                          .retry_every = options.retry_every});
  parts->head_keeper.emplace(heard_path, *parts->board, heard);
  return std::unique_ptr<Replica>(new Replica(std::move(parts)));
}

Replica::Replica(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Replica::~Replica() = default;

void Replica::Halt() { (void)parts_->EndThreads(); }

Status Replica::Stop() { return parts_->EndThreads() ? parts_->checkpointer->Finish() : Status(); }

ReplicaReport Replica::Report() const {
  const ReplicaBoard& board = *parts_->board;
  return {.head = board.head(),
          .received = board.received(),
          .connected = board.connected(),
          .volumes = board.Reports(),
          .unshown = board.Unshown()};
}

void Replica::Pause() { parts_->board->Pause(); }

void Replica::Resume() { parts_->board->Resume(); }

}  // namespace hawser
