#include "volume/mount/session.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdarg>
#include <system_error>
#include <thread>

#include "common/base/log.h"
#include "volume/mount/binding.h"
#include "volume/mount/fuse_mount.h"
#include "volume/mount/killpriv.h"
#include "volume/mount/request_buffers.h"

namespace hawser {

namespace {

constexpr auto kUnmountPatience = std::chrono::seconds(5);

// Wakes a thread that waits in read(2) for a request.
constexpr int kWakeSignal = SIGUSR2;

void IgnoreWake(int) {}

void PrepareWakeSignal() {
  struct sigaction action {};
  action.sa_handler = IgnoreWake;  // no SA_RESTART: read returns EINTR
  ::sigaction(kWakeSignal, &action, nullptr);
}

// libfuse's own messages. That it can't unmount what has been detached already is no news.
void LogLibfuse(fuse_log_level level, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  const std::string_view message(text);
  if (level > FUSE_LOG_WARNING || message.find("failed to unmount") != std::string_view::npos)
    log::debug("libfuse: {}", message);
  else
    log::warn("libfuse: {}", message);
}

}  // namespace

Session::Session(Volume& volume, const OperationsOptions& operations, const SessionOptions& options)
    : options_(options),
      context_(new BindingContext{volume, operations}),
      buffers_(std::make_shared<RequestBuffers>()) {
  context_->waiting_room.AllowThreads(kMostThreads - kReaders);
}

Status Session::Create() {
  PrepareWakeSignal();
  fuse_set_log_func(LogLibfuse);
  std::string flags = fmt::format("fsname={},subtype=hawser,default_permissions", options_.name);
  if (options_.allow_other) flags += ",allow_other";
  if (::geteuid() == 0) flags += ",suid,dev";  // as on any filesystem that root mounts
  fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&arguments, "hawser");
  fuse_opt_add_arg(&arguments, "-o");
  fuse_opt_add_arg(&arguments, flags.c_str());
  session_ = fuse_session_new(&arguments, &FuseOperations(), sizeof(fuse_lowlevel_ops), context_.get());
  fuse_opt_free_args(&arguments);
  if (session_ == nullptr) return Error{EINVAL, "libfuse refused the mount options " + flags};
  return {};
}

Result<std::unique_ptr<Session>> Session::Mount(Volume& volume, const OperationsOptions& operations,
                                                const SessionOptions& options) {
  HAWSER_ASSIGN(const bool dead, HasDeadMount(options.mount));
  if (dead)
    log::warn("taking the place of the dead mount that an earlier process left at '{}'", options.mount);
  std::unique_ptr<Session> session(new Session(volume, operations, options));
  HAWSER_TRY(session->Create());
  if (auto made = FuseMount::Make(options.name, options.allow_other)) {
    HAWSER_TRY(session->Mount(fmt::format("/dev/fd/{}", made->device.get())));
    (void)made->device.Release();  // libfuse's from here on
    HAWSER_TRY(made->Attach(options.mount, dead));
  } else {
    log::debug("'{}': libfuse mounts it, since {}", options.mount, made.error().Text());
    if (dead) HAWSER_TRY(Detach(options.mount));
    HAWSER_TRY(session->Mount(options.mount));
  }
  session->mounted_ = true;
  if (auto place = MountPoint::At(options.mount)) session->place_ = *std::move(place);
  HAWSER_TRY(AskForKillprivV2(session->session_));
  return session;
}

// `where`: a folder, or "/dev/fd/N": the device of a mount that is made.
Status Session::Mount(const std::string& where) {
  errno = 0;
  if (fuse_session_mount(session_, where.c_str()) == 0) return {};
  return Error{
      errno != 0 ? errno : EPERM,
      fmt::format("cannot mount at '{}'; see the lines above, and that /dev/fuse is there and, unless "
                  "you are root, that user_allow_other is in /etc/fuse.conf where allow_other is on",
                  options_.mount)};
}

Result<std::unique_ptr<Session>> Session::Serve(Volume& volume, const OperationsOptions& operations,
                                                UniqueFd fd) {
  std::unique_ptr<Session> session(new Session(volume, operations, SessionOptions{{}, "test", false}));
  HAWSER_TRY(session->Create());
  session->custom_fd_ = std::move(fd);
  static const fuse_custom_io io = {
      [](int to, iovec* parts, int count, void*) { return ::writev(to, parts, count); },
      [](int from, void* buffer, std::size_t size, void*) { return ::read(from, buffer, size); }, nullptr,
      nullptr};
  if (fuse_session_custom_io(session->session_, &io, session->custom_fd_.get()) != 0)
    return Error{EINVAL, "libfuse refused the socket"};
  HAWSER_TRY(session->Begin());
  return session;
}

Status Session::Begin() {
  try {
    teller_ = std::thread(&Session::TellNews, this);
  } catch (const std::system_error& problem) {
    return Error{problem.code().value(), fmt::format("cannot start a thread for '{}'", options_.mount)};
  }
  return StartThread();
}

// What lies at the path by now may be somebody else's.
void Session::Unmount() {
  if (!mounted_ || unmounted_.exchange(true) || gone()) return;
  if (auto detached = Detach(options_.mount); !detached) log::warn("{}", detached.error().Text());
}

void Session::LookWritable(bool writable) {
  if (!mounted_) return;
  const Status set = place_ ? place_->SetReadOnly(!writable) : Error{ENOSYS, "the kernel is too old"};
  if (!set)
    log::info("the mount at '{}' doesn't look {} to programs that ask: {}", options_.mount,
              writable ? "writable" : "read-only", set.error().Text());
}

bool Session::Drain(Deadline deadline) {
  Unmount();
  return context_->volume.roles().AwaitIdle(deadline);
}

Session::~Session() {
  if (session_ == nullptr) return;
  Unmount();
  StopTelling();
  stopping_ = true;
  if (custom_fd_) ::shutdown(custom_fd_.get(), SHUT_RDWR);
  fuse_session_exit(session_);
  StopThreads();
  context_->kill_watch.Stop();  // it may be answering calls
  // Only now may libfuse close the descriptor that the threads were reading.
  if (mounted_) fuse_session_unmount(session_);
  fuse_session_destroy(session_);
}

// Threads that work on a call finish it first.
void Session::StopThreads() {
  const MutexLock lock(mutex_);
  const auto complain_at = SteadyClock::now() + kUnmountPatience;
  bool complained = false;
  while (!threads_.empty()) {
    for (const pthread_t thread : threads_) ::pthread_kill(thread, kWakeSignal);
    // A signal that comes just before the read is lost, so it is sent again until all have gone.
    (void)changed_.WaitUntil(mutex_, SteadyClock::now() + std::chrono::milliseconds(20));
    if (!complained && SteadyClock::now() > complain_at) {
      log::warn("'{}': waiting for {} calls in flight", options_.mount, context_->volume.roles().leases());
      complained = true;
    }
  }
}

Status Session::StartThread() {
  const MutexLock lock(mutex_);
  try {
    std::thread thread(&Session::Work, this);
    threads_.push_back(thread.native_handle());
    thread.detach();  // StopThreads waits until it has taken itself off the list
  } catch (const std::system_error& problem) {
    return Error{problem.code().value(), fmt::format("cannot start a thread for '{}'", options_.mount)};
  }
  ++idle_;
  return {};
}

// With as many threads as the system gives, this one reads on: no change waits in it.
void Session::StartAnother() {
  std::size_t changes = kMostThreads - kReaders;
  if (auto started = StartThread(); !started) {
    log::warn("{}", started.error().Text());
    const MutexLock lock(mutex_);
    changes = std::min(changes, threads_.size() - 1);
  }
  context_->waiting_room.AllowThreads(changes);
}

void Session::Work() {
  // The threads of a process start with all signals blocked (signals are main's); this one ends the read.
  sigset_t wake;
  ::sigemptyset(&wake);
  ::sigaddset(&wake, kWakeSignal);
  ::pthread_sigmask(SIG_UNBLOCK, &wake, nullptr);

  fuse_buf buffer{};
  do {
    const bool received = Receive(buffer);
    const bool was_last = EndWait();
    if (!received) break;
    if (was_last) StartAnother();
    Process(buffer);
  } while (WaitAgain());
  std::free(buffer.mem);
  const MutexLock lock(mutex_);
  std::erase(threads_, ::pthread_self());
  changed_.NotifyAll();
}

// The request's memory may be needed for longer than the call: its record may still be on its way.
void Session::Process(fuse_buf& request) {
  const RequestBuffers::Use use(buffers_->Lend(request.mem), request.size);
  fuse_session_process_buf(session_, &request);
  request.mem = nullptr;
}

bool Session::Receive(fuse_buf& buffer) {
  if (buffer.mem == nullptr) buffer.mem = buffers_->Take();  // null: libfuse makes one
  while (!stopping_) {
    const int got = fuse_session_receive_buf(session_, &buffer);
    if (got > 0) return true;
    if (got == -EINTR || got == -EAGAIN) continue;
    if (!unmounted_ && !stopping_ && !ended_.exchange(true))
      log::warn("the mount at '{}' has ended", options_.mount);
    break;
  }
  return false;
}

bool Session::EndWait() {
  const MutexLock lock(mutex_);
  return --idle_ == 0 && threads_.size() < kMostThreads && !stopping_;
}

// One that leaves isn't counted, not even for a moment: of many that end their calls at once, each would see
// the others and leave, and nobody would be there for the next request.
bool Session::WaitAgain() {
  const MutexLock lock(mutex_);
  if (idle_ >= kIdleThreads) return false;
  ++idle_;
  return true;
}

void Session::TellNews() {
  while (const auto stale = context_->volume.news().Next(telling_ends_)) Invalidate(*stale);
}

// While calls are still served: a notice may wait for one of them.
void Session::StopTelling() {
  telling_ends_ = true;
  context_->volume.news().Wake();
  if (teller_.joinable()) teller_.join();
}

// That the kernel doesn't know the node or the name (any more) is as good. It may be about to learn of the
// node, by an answer of before: it holds the directory's lock until it has, so a notice of any name in there
// waits for that.
void Session::Invalidate(NodeId node) {
  if (fuse_lowlevel_notify_inval_inode(session_, node.value, 0, 0) != -ENOENT) return;
  constexpr std::string_view kNoName = "/";
  for (const NodeId parent : context_->volume.inodes().Parents(node))
    fuse_lowlevel_notify_inval_entry(session_, parent.value, kNoName.data(), kNoName.size());
  fuse_lowlevel_notify_inval_inode(session_, node.value, 0, 0);
}

// A name that has gone is taken away, and with it the last that the kernel holds of a file that nobody has
// open.
void Session::Invalidate(const Stale& stale) {
  for (const NodeId node : stale.nodes) Invalidate(node);
  for (const InodeTable::Entry& entry : stale.entries)
    fuse_lowlevel_notify_inval_entry(session_, entry.parent.value, entry.name.c_str(), entry.name.size());
}

// The names may be as true as before. Expired, an entry is looked up again at its next use. Linux before 6.2
// knows no expiry and takes it away: then a program that stands in the directory has none above it until
// somebody looks it up.
void Session::ForgetAll() {
  InodeTable& inodes = context_->volume.inodes();
  for (const NodeId node : inodes.Nodes()) {
    for (const InodeTable::Entry& entry : inodes.EntriesToForget(node))
      fuse_lowlevel_notify_expire_entry(session_, entry.parent.value, entry.name.c_str(), entry.name.size(),
                                        FUSE_LL_EXPIRE_ONLY);
    Invalidate(node);
  }
}

}  // namespace hawser
