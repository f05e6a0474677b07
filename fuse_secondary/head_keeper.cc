#include "fuse_secondary/head_keeper.h"

#include "common/base/log.h"

namespace hawser {

HeadKeeper::HeadKeeper(std::string path, const ReplicaBoard& board, std::optional<HeardHead> saved)
    : path_(std::move(path)), board_(board), saved_(std::move(saved)), thread_(kLook, [this] { Look(); }) {}

void HeadKeeper::Stop() {
  thread_.Stop();
  if (const auto heard = board_.heard()) Save(*heard);
}

void HeadKeeper::Look() {
  const auto heard = board_.heard();
  if (!heard) return;
  const bool lags = seen_ > board_.received().position.group;
  seen_ = heard->head.position.group;
  const bool is_new = !saved_ || saved_->head != heard->head;
  const bool is_due = !saved_ || heard->heard.nanoseconds - saved_->heard.nanoseconds >=
                                     std::chrono::nanoseconds(kRefresh).count();
  if ((lags && is_new) || is_due) Save(*heard);
}

void HeadKeeper::Save(const HeardHead& heard) {
  const Status written = WriteHeardHead(path_, heard);
  if (!written && !failed_) log::warn("the newest head heard of can't be kept: {}", written.error().Text());
  failed_ = !written;
  if (written) saved_ = heard;
}

}  // namespace hawser
