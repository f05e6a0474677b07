// Links that are held lose nothing, links that are cut tell both ends.
#include "tests/crash/proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/unique_fd.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr int kSilenceMs = 100;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class ProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    ASSERT_SYSCALL(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size));
    ASSERT_SYSCALL(listen(listener_.get(), 8));
    ASSERT_SYSCALL(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size));
    const auto link = proxy_.Add(ntohs(address.sin_port));
    ASSERT_OK(link);
    link_ = *link;
    const sockaddr_in to = Loopback(proxy_.port(link_));
    ASSERT_SYSCALL(connect(client_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to));
    server_ = UniqueFd(accept(listener_.get(), nullptr, nullptr));
    ASSERT_TRUE(server_);
  }

  static void Send(const UniqueFd& fd, const std::string& text) {
    ASSERT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // What arrives within the time; "" if nothing, "end" when the connection is over.
  static std::string Receive(const UniqueFd& fd, int milliseconds = kPatienceMs) {
    pollfd ready{fd.get(), POLLIN, 0};
    if (poll(&ready, 1, milliseconds) <= 0) return "";
    char text[100];
    const ssize_t got = recv(fd.get(), text, sizeof text, 0);
    return got <= 0 ? "end" : std::string(text, static_cast<std::size_t>(got));
  }

  Proxy proxy_;
  LinkId link_ = 0;
  UniqueFd listener_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  UniqueFd client_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  UniqueFd server_;
};

TEST_F(ProxyTest, OpenLinkPassesBothWays) {
  Send(client_, "there");
  EXPECT_EQ(Receive(server_), "there");
  Send(server_, "back");
  EXPECT_EQ(Receive(client_), "back");
}

TEST_F(ProxyTest, HeldRequestsArriveOnceTheLinkHeals) {
  proxy_.Set(link_, Flow::kHoldRequests);
  Send(client_, "there");
  EXPECT_EQ(Receive(server_, kSilenceMs), "");
  Send(server_, "back");
  EXPECT_EQ(Receive(client_), "back");
  proxy_.Set(link_, Flow::kOpen);
  EXPECT_EQ(Receive(server_), "there");
}

TEST_F(ProxyTest, HeldRepliesAreLostByAReset) {
  proxy_.Set(link_, Flow::kHoldReplies);
  Send(server_, "back");
  EXPECT_EQ(Receive(client_, kSilenceMs), "");
  proxy_.Reset(link_);
  EXPECT_EQ(Receive(client_), "end");
}

TEST_F(ProxyTest, CutLinkEndsBothSidesAndRefusesNewOnes) {
  proxy_.Set(link_, Flow::kCut);
  EXPECT_EQ(Receive(client_), "end");
  EXPECT_EQ(Receive(server_), "end");
  const UniqueFd another(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = Loopback(proxy_.port(link_));
  ASSERT_SYSCALL(connect(another.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to));
  EXPECT_EQ(Receive(another), "end");
}

TEST_F(ProxyTest, EndOfOneDirectionIsPassedOn) {
  Send(client_, "last");
  ASSERT_SYSCALL(shutdown(client_.get(), SHUT_WR));
  EXPECT_EQ(Receive(server_), "last");
  EXPECT_EQ(Receive(server_), "end");
  Send(server_, "still");
  EXPECT_EQ(Receive(client_), "still");
}

}  // namespace
}  // namespace hawser::test
