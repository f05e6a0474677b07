#include "volume/mount/view_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace hawser {
namespace {

TEST(ViewGate, ReadersNeverSeeTheMiddleOfAChangeAndAppliersAreNotStarved) {
  ViewGate gate;
  int one = 0;
  int other = 0;  // equal to `one` but while the gate is held alone
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const std::shared_lock view(gate);
        if (one != other) ++torn;
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    const std::unique_lock alone(gate);
    ++one;
    ++other;
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace hawser
