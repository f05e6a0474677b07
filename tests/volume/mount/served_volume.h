// The set-up of tests that play the kernel: a volume over an empty store, served over a FakeKernel.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/temp_dir.h"
#include "tests/volume/mount/fake_kernel.h"
#include "volume/mount/session.h"
#include "volume/mount/switch_role.h"

namespace hawser::test {

class ServedVolumeTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::Open({folder_.path(), "group", VolumeName("docs")});
    ASSERT_TRUE(store) << store.error().Text();
    volume_ = std::make_unique<Volume>(*std::move(store));
  }

  // The volume's first role begins, and the kernel has said hello.
  void Begin(std::shared_ptr<Role> role) {
    ASSERT_TRUE(SwitchRole(*volume_, nullptr, std::move(role), {}));
    UniqueFd end;
    kernel_ = std::make_unique<FakeKernel>(end);
    auto session = Session::Serve(*volume_, {}, std::move(end));
    ASSERT_TRUE(session) << session.error().Text();
    session_ = *std::move(session);
    ASSERT_EQ(kernel_->Init().error, 0);
  }

  FakeKernel::Reply Lookup(std::uint64_t parent, const std::string& name) {
    return kernel_->Call(FUSE_LOOKUP, parent, FakeKernel::Names({name}));
  }

  TempDir folder_;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<FakeKernel> kernel_;
  std::unique_ptr<Session> session_;
};

}  // namespace hawser::test
