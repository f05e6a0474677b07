// Each named point of the program: killed there under load, started again, and nothing is lost, repeated or
// half.
#include "tests/crash/points.h"

#include <gtest/gtest.h>

#include "tests/crash/trial.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class CrashPointTest : public ::testing::TestWithParam<Point> {};

TEST_P(CrashPointTest, NothingIsLostWhenTheProcessEndsHere) {
  const Point& point = GetParam();
  auto trial = Trial::Start(1);
  ASSERT_OK(trial);
  ASSERT_OK((*trial)->load().AwaitProgress());
  const auto killed = AtPoint(point);
  const std::uint64_t before = (*trial)->tally().crashes;
  ASSERT_OK(killed->Inject(**trial));
  ASSERT_FALSE((*trial)->group().IsRunning(point.process)) << "the point was not passed: " << point.place;
  // The process that was killed to begin with, and the one that has ended there.
  EXPECT_GE((*trial)->tally().crashes, before + 2) << (*trial)->history();
  EXPECT_OK((*trial)->Settle());
  EXPECT_EQ((*trial)->tally().lost, 0u);
}

std::string NameOfPoint(const ::testing::TestParamInfo<Point>& info) {
  std::string name = info.param.process + "_" + info.param.place.substr(0, info.param.place.rfind(':'));
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Points, CrashPointTest, ::testing::ValuesIn(Points()), NameOfPoint);

}  // namespace
}  // namespace hawser::test
