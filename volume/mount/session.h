// One FUSE mount: from /dev/fuse to Operations, with threads of its own.
//
// Threads: as many as there are calls waiting, up to kMostThreads: a thread that takes a request while no
// other one is waiting for requests starts another first. Some are kept for readers (waiting_room.h). So
// callers that wait for the relay never keep readers from being served. One more tells the kernel the
// volume's news (kernel_news.h).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "volume/mount/mount_point.h"
#include "volume/mount/operations.h"

struct fuse_buf;
struct fuse_session;

namespace hawser {

struct BindingContext;
class RequestBuffers;

struct SessionOptions {
  std::string mount;  // an existing folder
  std::string name;   // shown as the mount's source
  bool allow_other = false;
};

class Session {
 public:
  // Mounts; the volume has a role and outlives the session. Calls wait until Begin. Takes the place of a dead
  // mount that a crash left there (fuse_mount.h). Errors say what to do: no such folder, already mounted
  // (EBUSY), no /dev/fuse, not allowed.
  static Result<std::unique_ptr<Session>> Mount(Volume& volume, const OperationsOptions& operations,
                                                const SessionOptions& options);
  // Serves from now on. The kernel has learned nothing before: whoever is to tell it of changes (see below)
  // is given the session first. Once.
  Status Begin();

  // Drains without a deadline, and ends the threads.
  ~Session();

  // No new calls: unmounts (lazily, if it's in use) and waits for the calls in flight until `deadline`;
  // whether all have ended. The destructor waits for the rest.
  bool Drain(Deadline deadline);

  // As Mount and Begin, over a socket and with no mount: `fd` is a SOCK_SEQPACKET socket whose other end
  // plays the kernel.
  static Result<std::unique_ptr<Session>> Serve(Volume& volume, const OperationsOptions& operations,
                                                UniqueFd fd);

  // These tell the kernel that what it keeps is no longer true: what has become stale, or all of it. It will
  // ask when it next needs it; who has a node open or stands in it isn't disturbed. Under no lock, from no
  // call, and not while calls are held back: the kernel waits for those that are about the same node or
  // directory.
  void Invalidate(const Stale& stale);
  void ForgetAll();

  // How the mount looks to programs (mount_point.h): changes are refused by the role, whatever it says. By
  // root, and Linux since 5.12, only; otherwise it stays as it is, and the log says so.
  void LookWritable(bool writable);

  // The mount has ended by itself: nobody can call any more.
  bool ended() const { return ended_; }
  // Programs don't see it any more: it has ended, or was only taken from its path.
  bool gone() const { return ended_ || (place_ && !place_->shown()); }

 private:
  static constexpr std::size_t kMostThreads = 1024;
  static constexpr std::size_t kReaders = 64;  // that many of them never wait in a change
  static constexpr int kIdleThreads = 8;

  Session(Volume& volume, const OperationsOptions& operations, const SessionOptions& options);
  Status Create();
  Status Mount(const std::string& where);
  Status StartThread();
  void StartAnother();
  void Invalidate(NodeId node);
  void TellNews();
  void StopTelling();
  void Process(fuse_buf& request);
  void Work();
  bool Receive(fuse_buf& buffer);  // false: there will be no more
  bool EndWait();                  // whether nobody waits for the next request now, and somebody may
  bool WaitAgain();                // false: enough others do
  void Unmount();
  void StopThreads();

  const SessionOptions options_;
  std::unique_ptr<BindingContext> context_;
  const std::shared_ptr<RequestBuffers> buffers_;
  fuse_session* session_ = nullptr;
  UniqueFd custom_fd_;
  bool mounted_ = false;
  std::atomic<bool> unmounted_{false};
  std::optional<MountPoint> place_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};

  Mutex mutex_;
  CondVar changed_;
  std::vector<pthread_t> threads_ HAWSER_GUARDED_BY(mutex_);  // running
  int idle_ HAWSER_GUARDED_BY(mutex_) = 0;                    // of them, waiting for a request

  std::atomic<bool> telling_ends_{false};
  std::thread teller_;
};

}  // namespace hawser
