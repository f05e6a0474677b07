#include "volume/mount/request_buffers.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace hawser {
namespace {

class RequestBuffersTest : public testing::Test {
 protected:
  const std::shared_ptr<RequestBuffers> buffers_ = std::make_shared<RequestBuffers>();
  void* const memory_ = std::malloc(64);
};

TEST_F(RequestBuffersTest, ABufferIsUsedAgainOnceNobodyHasIt) {
  auto lent = buffers_->Lend(memory_);
  auto copy = lent;
  lent.reset();
  EXPECT_EQ(buffers_->Take(), nullptr) << "somebody has it still";
  copy.reset();
  EXPECT_EQ(buffers_->Take(), memory_);
  std::free(memory_);
}

TEST_F(RequestBuffersTest, TheBufferAtHandIsKnownForAsLongAsItsRequest) {
  EXPECT_EQ(RequestBuffers::Current(), nullptr);
  {
    const RequestBuffers::Use use(buffers_->Lend(memory_), 100);
    EXPECT_EQ(RequestBuffers::Current().get(), memory_);
  }
  EXPECT_EQ(RequestBuffers::Current(), nullptr);
}

TEST(RequestBuffers, ABufferInUseOutlivesTheSession) {
  auto buffers = std::make_shared<RequestBuffers>();
  const auto lent = buffers->Lend(std::malloc(64));
  buffers.reset();
  EXPECT_NE(lent, nullptr);  // freed by its last owner: the sanitizers would tell
}

}  // namespace
}  // namespace hawser
