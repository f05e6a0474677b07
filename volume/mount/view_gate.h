// The gate between those who read a volume and those who change what is seen of it. Readers share it for the
// length of one request; on a secondary, replay holds it alone for a short, bounded batch of whole write
// groups, so readers only ever see group boundaries (I4); on a primary, it is held alone only while the store
// renames or removes an entry, so that a path looked up stays true until it is used.
//
// Waiting appliers go before new readers: busy readers can't hold up replay. Not recursive. Under it: local
// system calls on the store only; no network, no flush, no FUSE reply or notification (docs/LOCKS.md).
#pragma once

#include <pthread.h>

namespace hawser {

class ViewGate {
 public:
  ViewGate() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~ViewGate() { pthread_rwlock_destroy(&lock_); }
  ViewGate(const ViewGate&) = delete;
  ViewGate& operator=(const ViewGate&) = delete;

  // The names that std::unique_lock and std::shared_lock call.
  void lock() { pthread_rwlock_wrlock(&lock_); }
  void unlock() { pthread_rwlock_unlock(&lock_); }
  void lock_shared() { pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

}  // namespace hawser
