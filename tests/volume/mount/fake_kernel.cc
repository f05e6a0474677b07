#include "tests/volume/mount/fake_kernel.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hawser::test {

namespace {

constexpr int kPatienceMilliseconds = 30'000;
constexpr std::size_t kMostReplyBytes = 2 * kMiB;

}  // namespace

FakeKernel::FakeKernel(UniqueFd& session_end) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  socket_ = UniqueFd(ends[0]);
  session_end = UniqueFd(ends[1]);
}

Buffer FakeKernel::With(Buffer bytes, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto run = std::as_bytes(std::span(name.c_str(), name.size() + 1));
    bytes.insert(bytes.end(), run.begin(), run.end());
  }
  return bytes;
}

FakeKernel::Reply FakeKernel::Init() {
  fuse_init_in init{};
  init.major = FUSE_KERNEL_VERSION;
  init.minor = FUSE_KERNEL_MINOR_VERSION;
  init.max_readahead = 128 * kKiB;
  init.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_POSIX_ACL | FUSE_DONT_MASK | FUSE_HANDLE_KILLPRIV;
  return Call(FUSE_INIT, 0, Body(init));
}

void FakeKernel::SendRaw(Bytes bytes) {
  EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::uint64_t FakeKernel::Send(fuse_opcode opcode, std::uint64_t node, Bytes body) {
  fuse_in_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.opcode = opcode;
  header.unique = ++unique_ * 2;
  header.nodeid = node;
  Buffer packet = Body(header);
  packet.insert(packet.end(), body.begin(), body.end());
  SendRaw(packet);
  return header.unique;
}

FakeKernel::Received FakeKernel::Receive() {
  Buffer packet(kMostReplyBytes);
  for (;;) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMilliseconds) != 1) {
      ADD_FAILURE() << "no reply";
      return {0, {EIO, {}}};
    }
    const ssize_t size = ::recv(socket_.get(), packet.data(), packet.size(), 0);
    fuse_out_header out{};
    if (size < static_cast<ssize_t>(sizeof out)) {
      ADD_FAILURE() << "a short reply";
      return {0, {EIO, {}}};
    }
    std::memcpy(&out, packet.data(), sizeof out);
    if (out.unique != 0)
      return {out.unique, {-out.error, Buffer(packet.begin() + sizeof out, packet.begin() + size)}};
    notices_.push_back(NoticeIn(Bytes(packet).first(static_cast<std::size_t>(size))));
  }
}

FakeKernel::Notice FakeKernel::NoticeIn(Bytes packet) {
  fuse_out_header out{};
  std::memcpy(&out, packet.data(), sizeof out);
  EXPECT_EQ(out.unique, 0U) << "a reply that nobody waits for";
  const Reply body{0, Buffer(packet.begin() + sizeof out, packet.end())};
  Notice notice{static_cast<fuse_notify_code>(out.error), 0, {}, false};
  if (notice.code == FUSE_NOTIFY_INVAL_INODE) notice.node = body.As<fuse_notify_inval_inode_out>().ino;
  if (notice.code == FUSE_NOTIFY_INVAL_ENTRY) {
    const auto entry = body.As<fuse_notify_inval_entry_out>();
    notice.node = entry.parent;
    notice.name.assign(AsText(Bytes(body.body).subspan(sizeof entry, entry.namelen)));
    notice.expired = (entry.flags & FUSE_EXPIRE_ONLY) != 0;
  }
  return notice;
}

std::vector<FakeKernel::Notice> FakeKernel::TakeNotices() {
  std::vector<Notice> notices = std::exchange(notices_, {});
  Buffer packet(kMostReplyBytes);
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return notices;
    if (size < static_cast<ssize_t>(sizeof(fuse_out_header))) {
      ADD_FAILURE() << "a short notice";
      return notices;
    }
    notices.push_back(NoticeIn(Bytes(packet).first(static_cast<std::size_t>(size))));
  }
}

FakeKernel::Reply FakeKernel::Call(fuse_opcode opcode, std::uint64_t node, Bytes body) {
  const std::uint64_t unique = Send(opcode, node, body);
  Received received = Receive();
  EXPECT_EQ(received.unique, unique) << "opcode " << opcode;
  return std::move(received.reply);
}

}  // namespace hawser::test
