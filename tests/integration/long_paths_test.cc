// Paths up to the limit, and what would go beyond it.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

const std::string kName(255, 'd');

class LongPathsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    mount_ = cluster_.Mount("alpha", "docs");
  }

  // Folders of 255 bytes, each in the one before, beginning with `top` in the mount; at most `most`. Gives
  // the deepest, and how many there are.
  std::pair<UniqueFd, int> MakeDeep(const std::string& top, int most) {
    EXPECT_EQ(mkdir((mount_ + "/" + top).c_str(), 0755), 0);
    UniqueFd at(open((mount_ + "/" + top).c_str(), O_PATH | O_CLOEXEC));
    int made = 0;
    while (made < most && mkdirat(at.get(), kName.c_str(), 0755) == 0) {
      ++made;
      at = UniqueFd(openat(at.get(), kName.c_str(), O_PATH | O_CLOEXEC));
    }
    return {std::move(at), made};
  }

  // The program, which goes down by short names.
  void ExpectRemovable(const std::string& top) {
    EXPECT_EQ(std::system(("rm -rf '" + mount_ + "/" + top + "'").c_str()), 0);
    EXPECT_FALSE(Exists(mount_ + "/" + top));
  }

  Cluster cluster_;
  std::string mount_;
};

TEST_F(LongPathsTest, APathOverTheLimitIsRefusedAndWhatIsThereCanBeRemoved) {
  const auto [deepest, made] = MakeDeep("deep", 1000);
  EXPECT_EQ(errno, ENAMETOOLONG);
  EXPECT_EQ(made, 28 * 1024 / 256 - 1);
  EXPECT_EQ(mkdirat(deepest.get(), kName.c_str(), 0755), -1);
  EXPECT_EQ(errno, ENAMETOOLONG);
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_OK(cluster_.CompareAllTrees());
  ExpectRemovable("deep");
}

TEST_F(LongPathsTest, ATreeIsNotMovedToWhereItsPathsWouldBeOverTheLimit) {
  const auto [one, one_made] = MakeDeep("one", 60);
  const auto [other, other_made] = MakeDeep("other", 60);
  ASSERT_EQ(one_made, 60);
  ASSERT_EQ(other_made, 60);
  const UniqueFd top(open(mount_.c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(renameat(top.get(), "one", other.get(), "one"), -1);
  EXPECT_EQ(errno, ENAMETOOLONG);
  // Half of it fits.
  ASSERT_EQ(MakeDeep("shallow", 30).second, 30);
  ASSERT_SYSCALL(renameat(top.get(), "shallow", other.get(), "shallow"));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_OK(cluster_.CompareAllTrees());
  ExpectRemovable("one");
  ExpectRemovable("other");
}

}  // namespace
}  // namespace hawser::test
