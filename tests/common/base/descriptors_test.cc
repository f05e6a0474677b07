#include "common/base/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

namespace hawser {
namespace {

constexpr rlim_t kLimit = 256;
constexpr rlim_t kInherited = 8;  // whoever runs the tests may have left some open, high up

class DescriptorsTest : public testing::Test {
 protected:
  DescriptorsTest() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit limit{kLimit, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~DescriptorsTest() override {
    held_.clear();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

  static UniqueFd Open() { return UniqueFd(::open("/", O_PATH | O_CLOEXEC)); }

  // Until there is none any more; the errno.
  int HoldAll(HeldFor use) {
    for (;;) {
      UniqueFd fd = Open();
      if (!fd) return errno;
      auto kept = KeepFor(use, std::move(fd));
      if (!kept) return kept.error().code;
      held_.push_back(*std::move(kept));
    }
  }

  rlimit before_{};
  std::vector<UniqueFd> held_;
};

TEST_F(DescriptorsTest, WhatProgramsHoldLeavesRoomForCallsAndThoseForTheRest) {
  EXPECT_EQ(HoldAll(HeldFor::kProgram), EMFILE);
  const std::size_t programs = held_.size();
  EXPECT_GT(programs, kLimit / 3);
  EXPECT_EQ(HoldAll(HeldFor::kCall), EMFILE);
  EXPECT_GE(held_.size() - programs, kLimit / 4 - kInherited);
  for (rlim_t i = 0; i < kLimit / 4 - kInherited; ++i) {
    held_.push_back(Open());
    EXPECT_TRUE(held_.back()) << i;
  }
}

TEST_F(DescriptorsTest, APlaceThatWasTakenIsFilledThoughAllOthersHaveGoneSince) {
  auto place = DescriptorPlace::Take(HeldFor::kProgram);
  ASSERT_TRUE(place);
  EXPECT_EQ(HoldAll(HeldFor::kProgram), EMFILE);
  EXPECT_FALSE(DescriptorPlace::Take(HeldFor::kProgram));
  UniqueFd late = Open();
  ASSERT_FALSE(static_cast<std::uint64_t>(late.get()) < DescriptorMark(HeldFor::kProgram));
  const auto filled = (*std::move(place)).Fill(std::move(late));
  ASSERT_TRUE(filled);
  EXPECT_LT(static_cast<std::uint64_t>(filled->get()), DescriptorMark(HeldFor::kProgram));
  EXPECT_EQ(::fcntl(filled->get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace hawser
