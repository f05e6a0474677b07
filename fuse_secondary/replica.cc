#include "fuse_secondary/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>

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

namespace {

// A start that waits for a store is tried again after the time for retries, and then after up to so many of
// them: each reads all of the journal that is to be redone.
constexpr int kMostUntried = 16;

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
                             const ReplicaOptions& options, const std::atomic<bool>* cancel) {
  std::vector<std::unique_ptr<RecoverableStore>> stores;
  std::deque<CheckpointFile> places;
  std::vector<RecoveryVolume> recovering;
  for (const ReplicaVolume& volume : volumes) {
    stores.push_back(Recoverable(volume.volume->store()));
    places.emplace_back(volume.checkpoint_path);
    recovering.push_back(
        {volume.volume->name(), stores.back().get(), &places.back(), volume.volume->store().root_path()});
  }
  const auto checkpoint = [&](std::size_t volume, const VolumeStand& stand) -> Status {
    CheckpointKeeper keeper(places[volume], stand.checkpoint);
    HAWSER_TRY(KeepDifferences(places[volume], stand.checkpoint, stand));
    return FlushAndKeep(keeper, volumes[volume].volume->store(), stand.applied, Beyond::kReplayed,
                        "secondary.store_synced");
  };
  return RecoverCopies(journal, std::move(recovering), options.batch_bytes,
                       {.relays_journal = options.relays_journal,
                        .relays_oldest = options.relays_oldest,
                        .checkpoint = checkpoint},
                       cancel);
}

// Segments that every copy is beyond go by themselves.
std::string WhatIsDamaged(const std::vector<JournalFault>& damage, const std::string& folder) {
  if (damage.empty()) return {};
  return fmt::format(
      "the own journal is damaged: {}; should replay stall there, stop the node, remove '{}' and start it "
      "again: what was received is fetched from the relay once more. Look after the disk",
      TextOf(damage.front()), folder);
}

// Why a start waits.
std::string ProblemOf(const Recovered& waiting) {
  for (const VolumeStand& stand : waiting.volumes)
    if (stand.condition == Condition::kStalled) return stand.problem;
  return {};
}

}  // namespace

// Everything behind the board is built in this order, when the copies are whole, and taken down in the
// reverse one.
struct Replica::Parts {
  Parts(NetContext& the_context, RelayConfig the_relay, NodeName the_node, const std::string& state_folder,
        std::vector<ReplicaVolume> the_volumes, ReplicaOptions the_options)
      : context(the_context),
        relay(std::move(the_relay)),
        node(std::move(the_node)),
        heard_path(StateFolder(state_folder).HeardHead()),
        volumes(std::move(the_volumes)),
        options(std::move(the_options)),
        journal({.folder = StateFolder(state_folder).Journal(), .segment_bytes = options.segment_bytes}),
        paused(options.paused) {}
  ~Parts() { EndStarter(); }

  Status Start();
  void TryUntilWhole();
  void Follow(Recovered recovered);
  void SetPaused(bool paused);
  void ShowBoard(std::vector<VolumeStand> stands, bool whole);
  void EndStarter();
  std::shared_ptr<ReplicaBoard> board() const {
    const MutexLock lock(board_mutex);
    return shown_board;
  }
  // False: somebody else has ended them.
  bool EndThreads();

  NetContext& context;
  const RelayConfig relay;
  const NodeName node;
  const std::string heard_path;
  const std::vector<ReplicaVolume> volumes;
  const ReplicaOptions options;
  OwnJournal journal;
  std::optional<HeardHead> heard;  // by an earlier run

  mutable Mutex board_mutex;
  std::shared_ptr<ReplicaBoard> shown_board HAWSER_GUARDED_BY(board_mutex);
  bool whole HAWSER_GUARDED_BY(board_mutex) = false;  // the copies are: before, nothing keeps them from it
  bool paused HAWSER_GUARDED_BY(board_mutex);
  std::atomic<bool> ending{false};
  std::thread starter;  // while the start waits for a store

  std::optional<Checkpointer> checkpointer;
  std::optional<Replayer> replayer;
  std::optional<Receiver> receiver;
  std::optional<HeadKeeper> head_keeper;
  std::optional<Scrubber> scrubber;

  Mutex ending_mutex;
  bool ended HAWSER_GUARDED_BY(ending_mutex) = false;
};

Status Replica::Parts::Start() {
  HAWSER_ASSIGN(Recovered recovered, RecoverAll(journal, volumes, options, options.cancel));
  heard = HeardBefore(heard_path);
  SayWhatIsMissing(node, MakeAccount(journal.is_open() ? journal.durable() : Progress{}, heard));
  if (!recovered.waits) {
    Follow(std::move(recovered));
    return {};
  }
  log::error("{}", ProblemOf(recovered));
  ShowBoard(std::move(recovered.volumes), false);
  starter = std::thread([this] { TryUntilWhole(); });
  return {};
}

// Each time from the beginning: what may pass has left the stores anyhow.
void Replica::Parts::TryUntilWhole() {
  const auto longest = kMostUntried * options.retry_every;
  for (auto wait = options.retry_every; board()->WaitToRetry(wait, true);
       wait = std::min(2 * wait, longest)) {
    auto recovered = RecoverAll(journal, volumes, options, &ending);
    if (recovered && !recovered->waits) {
      log::info("the copies are whole");
      return Follow(*std::move(recovered));
    }
    const std::string problem = recovered ? ProblemOf(*recovered) : recovered.error().Text();
    for (std::size_t i = 0; i < volumes.size(); ++i) board()->SetVolume(i, Condition::kStalled, problem);
  }
}

void Replica::Parts::SetPaused(bool wanted) {
  const MutexLock lock(board_mutex);
  paused = wanted;
  if (whole) shown_board->SetPaused(paused);
}

void Replica::Parts::ShowBoard(std::vector<VolumeStand> stands, bool are_whole) {
  const Progress received = journal.is_open() ? journal.durable() : Progress{};
  auto board = std::make_shared<ReplicaBoard>(
      BoardOptions{.disconnected_after = options.disconnected_after, .live_within = options.live_within},
      received, std::move(stands));
  if (heard) board->Remember(heard->head);
  const MutexLock lock(board_mutex);
  whole = are_whole;
  if (whole) board->SetPaused(paused);
  shown_board = std::move(board);
}

void Replica::Parts::Follow(Recovered recovered) {
  ShowBoard(std::move(recovered.volumes), true);
  ReplicaBoard& board = *this->board();
  checkpointer.emplace(volumes, journal, board, options);
  replayer.emplace(journal, recovered.begin, volumes, board, options);
  auto sender = options.sender;
  if (!sender) sender = [this] { return Sender{{}, node, 0}; };
  receiver.emplace(context, relay, journal, board.received(), board,
                   ReceiverOptions{.sender = std::move(sender),
                                   .pull_bytes = options.pull_bytes,
                                   .stream_queue = options.stream_queue,
                                   .retry_every = options.retry_every});
  head_keeper.emplace(heard_path, board, heard);
  scrubber.emplace(Scrubber::Parts{journal.folder(), "the own journal",
                                   [&board] { return board.received().position.group; },
                                   [this, &board](const std::vector<JournalFault>& damage) {
                                     board.SetDamage(WhatIsDamaged(damage, journal.folder()));
                                   }},
                   options.scrub, std::vector<JournalFault>{});
}

void Replica::Parts::EndStarter() {
  ending = true;
  if (!starter.joinable()) return;
  board()->StopReplay();
  starter.join();
}

bool Replica::Parts::EndThreads() {
  const MutexLock lock(ending_mutex);
  if (std::exchange(ended, true)) return false;
  EndStarter();
  if (!receiver) return true;
  scrubber->Stop();
  receiver->Stop();
  head_keeper->Stop();
  replayer->Stop();
  checkpointer->Stop();
  return true;
}

Result<std::unique_ptr<Replica>> Replica::Start(NetContext& context, const RelayConfig& relay,
                                                const NodeName& node, const std::string& state_folder,
                                                const std::vector<ReplicaVolume>& volumes,
                                                const ReplicaOptions& options) {
  HAWSER_TRY(MakeDirectories(state_folder));
  auto parts = std::make_unique<Parts>(context, relay, node, state_folder, volumes, options);
  HAWSER_TRY(parts->Start());
  return std::unique_ptr<Replica>(new Replica(std::move(parts)));
}

Replica::Replica(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Replica::~Replica() = default;

void Replica::Halt() { (void)parts_->EndThreads(); }

Status Replica::Stop() {
  if (!parts_->EndThreads() || !parts_->checkpointer) return {};
  return parts_->checkpointer->Finish();
}

ReplicaReport Replica::Report() const {
  const auto board = parts_->board();
  return {.head = board->head(),
          .received = board->received(),
          .connected = board->connected(),
          .stands = board->stands(),
          .volumes = board->Reports(),
          .unshown = board->Unshown()};
}

void Replica::SetPaused(bool paused) { parts_->SetPaused(paused); }

}  // namespace hawser
