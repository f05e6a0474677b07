#include "node/start_watch.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using std::chrono::seconds;

TEST(StartWatch, SaysWhatTakesLongAndAgainAtGrowingIntervals) {
  StartWatch watch(nullptr);
  const Deadline begun = SteadyClock::now();
  EXPECT_FALSE(watch.News(begun + seconds(100))) << "nothing is done yet";
  watch.Does("this");
  EXPECT_EQ(watch.what(), "this");
  EXPECT_FALSE(watch.News(begun + seconds(1)));
  const auto first = watch.News(begun + seconds(3));
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->text.starts_with("still starting: this, for ")) << first->text;
  EXPECT_FALSE(watch.News(begun + seconds(11)));
  EXPECT_TRUE(watch.News(begun + seconds(13)));
  watch.Does("that");
  EXPECT_FALSE(watch.News(begun + seconds(1)));
}

TEST(StartWatch, IsGivenUpByWhoAskedForTheEnd) {
  std::atomic<bool> cancel = false;
  StartWatch watch(&cancel);
  EXPECT_TRUE(watch.GoOn());
  cancel = true;
  EXPECT_EQ(watch.GoOn().error().code, ECANCELED);
  EXPECT_TRUE(StartWatch(nullptr).GoOn());
}

}  // namespace
}  // namespace hawser
