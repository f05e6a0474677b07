#include "volume/mount/role_slot.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/local_role.h"

namespace hawser {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
Deadline Soon() { return SteadyClock::now() + kPatience; }
Deadline AtOnce() { return SteadyClock::now(); }

class CountedCopy : public LocalCopy {
 public:
  std::atomic<bool> in_office{true};
};

TEST(RoleSlot, TheFirstRoleIsTakenAtOnce) {
  RoleSlot slot;
  EXPECT_EQ(slot.role(), nullptr);
  const auto role = std::make_shared<LocalCopy>();
  ASSERT_TRUE(slot.Replace(role, AtOnce()));
  EXPECT_EQ(&*slot.Take(), role.get());
  EXPECT_EQ(slot.leases(), 0U);
}

TEST(RoleSlot, ARoleIsNotReplacedUnderALease) {
  RoleSlot slot;
  const auto first = std::make_shared<LocalCopy>();
  ASSERT_TRUE(slot.Replace(first, AtOnce()));
  {
    const auto lease = slot.Take();
    const Status replaced = slot.Replace(std::make_shared<LocalCopy>(), AtOnce());
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code, ETIMEDOUT);
    EXPECT_EQ(&*slot.Take(), first.get()) << "calls don't go on under the old role";
  }
  EXPECT_TRUE(slot.Replace(std::make_shared<LocalCopy>(), AtOnce()));
}

TEST(RoleSlot, TheOldRoleIsGoneWhenTheNewOneIsThere) {
  RoleSlot slot;
  auto first = std::make_shared<LocalCopy>();
  const std::weak_ptr<LocalCopy> watched = first;
  ASSERT_TRUE(slot.Replace(std::move(first), AtOnce()));
  ASSERT_TRUE(slot.Replace(std::make_shared<LocalCopy>(), AtOnce()));
  EXPECT_TRUE(watched.expired());
}

TEST(RoleSlot, WhoWaitsForTheEndOfAllLeasesIsToldOfTheLast) {
  RoleSlot slot;
  ASSERT_TRUE(slot.Replace(std::make_shared<LocalCopy>(), AtOnce()));
  auto lease = std::make_unique<RoleSlot::Lease>(slot.Take());
  EXPECT_FALSE(slot.AwaitIdle(AtOnce()));
  std::thread call([&] { lease.reset(); });
  EXPECT_TRUE(slot.AwaitIdle(Soon()));
  call.join();
}

// Each call finds one role, and that role is in office until the call ends.
TEST(RoleSlot, NoCallIsUnderARoleThatHasLeft) {
  RoleSlot slot;
  auto present = std::make_shared<CountedCopy>();
  ASSERT_TRUE(slot.Replace(present, AtOnce()));
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!done) {
        const auto lease = slot.Take();
        const auto& role = static_cast<CountedCopy&>(*lease);
        const bool at_first = role.in_office;
        std::this_thread::yield();
        if (!at_first || !role.in_office) ++wrong;
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    const auto next = std::make_shared<CountedCopy>();
    const Status replaced = slot.Replace(next, Soon());
    EXPECT_TRUE(replaced);
    if (!replaced) break;
    present->in_office = false;
    present = next;
  }
  done = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace hawser
