// Keeps the newest head heard of on disk, so that it outlives a crash (heard_head.h).
//
// The own journal already says how far the head was at least. So the file is written only when the head has
// been ahead of the own journal for longer than receiving takes (kLook), and every kRefresh for the time of
// the relay's last word. What a crash loses of it: heads of the last kLook or two, and up to kRefresh of that
// time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/base/periodic_thread.h"
#include "fuse_secondary/heard_head.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

class HeadKeeper {
 public:
  static constexpr std::chrono::milliseconds kLook{100};
  static constexpr std::chrono::seconds kRefresh{10};

  // Starts its thread at once; the board outlives it. `saved` is what the file holds.
  HeadKeeper(std::string path, const ReplicaBoard& board, std::optional<HeardHead> saved);

  // Ends the thread and writes what was heard last. Destroyed without it, it leaves the file as a crash does.
  void Stop();

 private:
  void Look();
  void Save(const HeardHead& heard);

  const std::string path_;
  const ReplicaBoard& board_;
  std::optional<HeardHead> saved_;
  Group seen_;  // the head at the look before
  bool failed_ = false;
  PeriodicThread thread_;
};

}  // namespace hawser
