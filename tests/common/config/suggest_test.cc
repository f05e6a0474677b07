#include "common/config/suggest.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(Suggest, DistanceCountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("journal", "jornal"), 1u);
  EXPECT_EQ(EditDistance("journal", "journall"), 1u);
  EXPECT_EQ(EditDistance("journal", "jourmal"), 1u);
  EXPECT_EQ(EditDistance("journal", "juornal"), 1u);
  EXPECT_EQ(EditDistance("Journal", "jOURNAL"), 0u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Suggest, NearestIsTheOneWithFewestEdits) {
  EXPECT_EQ(Nearest("prots", {"journal", "ports", "port"}), "ports");
  EXPECT_EQ(Nearest("adress", {"address", "after"}), "address");
}

TEST(Suggest, WordWithNothingInCommonHasNoNearest) {
  EXPECT_EQ(Nearest("xyz", {"journal", "ports"}), std::nullopt);
  EXPECT_EQ(Nearest("zz", {"up"}), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100'000, 'p'), {"ports"}), std::nullopt);
}

TEST(Suggest, SentenceNamesTheNearestOrAll) {
  EXPECT_EQ(Suggestion("prots", {"journal", "ports"}), "; did you mean 'ports'?");
  EXPECT_EQ(Suggestion("xyz", {"journal", "ports"}), "; use one of: journal, ports");
  EXPECT_EQ(Suggestion("xyz", {}), "; there is none");
}

}  // namespace
}  // namespace hawser
