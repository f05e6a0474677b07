#include "volume/mount/kernel_news.h"

#include <iterator>
#include <utility>

namespace hawser {

void Stale::Add(Stale more) {
  nodes.insert(nodes.end(), more.nodes.begin(), more.nodes.end());
  entries.insert(entries.end(), std::make_move_iterator(more.entries.begin()),
                 std::make_move_iterator(more.entries.end()));
}

void KernelNews::Tell(Stale stale) {
  if (stale.empty()) return;
  const MutexLock lock(mutex_);
  stale_.Add(std::move(stale));
  told_.NotifyAll();
}

std::optional<Stale> KernelNews::Next(const std::atomic<bool>& end) {
  const MutexLock lock(mutex_);
  while (stale_.empty() && !end) told_.Wait(mutex_);
  if (end) return std::nullopt;
  return std::exchange(stale_, {});
}

void KernelNews::Wake() {
  const MutexLock lock(mutex_);
  told_.NotifyAll();
}

}  // namespace hawser
