#include "cli/notify_socket.h"

#include <gtest/gtest.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>

namespace hawser::cli {
namespace {

TEST(NotifySocket, HearsReadyAndKnowsWhoSaidIt) {
  auto socket = NotifySocket::Open();
  ASSERT_TRUE(socket) << socket.error().Text();
  EXPECT_EQ(socket->Receive(), std::nullopt);

  ::setenv("NOTIFY_SOCKET", socket->address().c_str(), 1);
  ASSERT_GT(sd_notify(/*unset_environment=*/1, "STATUS=half way"), 0);
  ::setenv("NOTIFY_SOCKET", socket->address().c_str(), 1);
  ASSERT_GT(sd_notify(/*unset_environment=*/1, "STATUS=there\nREADY=1"), 0);

  const auto first = socket->Receive();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->pid, ::getpid());
  EXPECT_FALSE(first->ready());
  const auto second = socket->Receive();
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->ready());
}

TEST(NotifySocket, ReadyIsAWholeLine) {
  EXPECT_TRUE((Notice{1, "READY=1"}).ready());
  EXPECT_TRUE((Notice{1, "READY=1\n"}).ready());
  EXPECT_FALSE((Notice{1, "STATUS=READY=1"}).ready());
  EXPECT_FALSE((Notice{1, "READY=10"}).ready());
}

}  // namespace
}  // namespace hawser::cli
