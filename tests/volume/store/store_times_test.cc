// How stores keep times, and that copies on other filesystems aren't called diverged for it.
#include "volume/store/store_times.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/base/bytes.h"
#include "common/base/files.h"
#include "tests/support/ok.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "volume/store/store.h"

namespace hawser::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr Timestamp kIn1850{-3'786'912'000 * kSecond + 5};
constexpr Timestamp kIn2024{1'704'067'200 * kSecond + 123'456'789};
constexpr Timestamp kIn2150{5'680'281'600 * kSecond + 5};
// What 32 bits of seconds can say.
constexpr Timestamp kIn1901{INT32_MIN * kSecond};
constexpr Timestamp kIn2038{INT32_MAX * kSecond};

TEST(StoreTimes, ExactOnesKeepWhatIsSet) {
  for (const Timestamp time : {kIn1850, kIn2024, kIn2150}) EXPECT_EQ(StoreTimes{}.Kept(time), time);
}

TEST(StoreTimes, CoarseOnesKeepTheSecondBefore) {
  const StoreTimes seconds{.granularity = kSecond, .earliest = {}, .latest = {}};
  EXPECT_EQ(seconds.Kept(kIn2024).nanoseconds, kIn2024.nanoseconds - 123'456'789);
  EXPECT_EQ(seconds.Kept(Timestamp{-1}).nanoseconds, -kSecond);
  EXPECT_EQ(seconds.Kept(seconds.Kept(kIn1850)), seconds.Kept(kIn1850));
}

TEST(StoreTimes, OutsideOfTheRangeIsTheNearestInIt) {
  const StoreTimes small{.granularity = 1, .earliest = kIn1901, .latest = kIn2038};
  EXPECT_EQ(small.Kept(kIn1850), kIn1901);
  EXPECT_EQ(small.Kept(kIn2024), kIn2024);
  EXPECT_EQ(small.Kept(kIn2150), kIn2038);
}

struct Filesystem {
  std::string name;
  std::vector<std::string> mkfs;
  StoreTimes times;
};

void PrintTo(const Filesystem& filesystem, std::ostream* out) { *out << filesystem.name; }

class StoreTimesOn : public ::testing::TestWithParam<Filesystem> {
 protected:
  void SetUp() override {
    if (!SmallDisk::Available()) GTEST_SKIP() << "this user can't mount a disk here";
    auto disk = SmallDisk::Make(temp_ / "image", temp_ / "mount", 320 * kMiB, GetParam().mkfs);
    ASSERT_OK(disk);
    disk_ = *std::move(disk);
  }

  Timestamp SetAndRead(Timestamp time) const {
    const std::string path = disk_->folder() + "/file";
    const auto fd = OpenFile(path, O_RDWR | O_CREAT);
    EXPECT_OK(fd);
    const timespec times[2] = {time.ToTimespec(), time.ToTimespec()};
    EXPECT_EQ(::futimens(fd->get(), times), 0);
    struct stat info {};
    EXPECT_EQ(::fstat(fd->get(), &info), 0);
    return Timestamp::From(info.st_mtim);
  }

  TempDir temp_;
  std::unique_ptr<SmallDisk> disk_;
};

TEST_P(StoreTimesOn, AreFoundOut) {
  const auto root = OpenFile(disk_->folder(), O_RDONLY | O_DIRECTORY);
  ASSERT_OK(root);
  const auto times = ProbeTimes(root->get());
  ASSERT_OK(times);
  EXPECT_EQ(times->granularity, GetParam().times.granularity);
  EXPECT_EQ(times->earliest, GetParam().times.earliest);
  EXPECT_EQ(times->latest, GetParam().times.latest);
  for (const Timestamp time : {kIn1850, Timestamp{-1}, Timestamp{}, kIn2024, kIn2150})
    EXPECT_EQ(SetAndRead(time), times->Kept(time)) << time.nanoseconds;
}

TEST_P(StoreTimesOn, AFileIsTheExpectedOneIfItsTimeIsAsTheStoreKeepsIt) {
  const auto store = Store::Open({disk_->folder(), "demo", VolumeName("docs")});
  ASSERT_OK(store);
  const auto apply = [&](Body body, std::string_view payload = {}) {
    return (*store)->Apply({VolumeName("docs"), Generation(1), {NodeName("alpha"), 1, 1}, std::move(body)},
                           AsBytes(payload));
  };
  const StorePath path = *StorePath::Parse("file");
  for (const Timestamp time : {kIn1850, kIn2024, kIn2150}) {
    ASSERT_OK(apply(
        Create{.file = FileId(7), .path = path, .kind = NodeKind::kRegular, .mode = 0644, .time = time}));
    // As a primary journals it whose store keeps times as they are.
    Write write{
        .file = FileId(7), .path = path, .offset = 0, .length = 4, .before = {0, time}, .mtime = kIn2024};
    EXPECT_OK(apply(write, "text"));
    write.before = {4, Timestamp{kIn2024.nanoseconds + 2 * kSecond}};
    EXPECT_EQ(apply(write, "text").error().code, kStoreDiverged);
    ASSERT_OK(apply(Unlink{FileId(7), path, time}));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Filesystems, StoreTimesOn,
    ::testing::Values(
        Filesystem{"ext4", {"mkfs.ext4", "-q", "-F"}, {1, kIn1901, {}}},
        Filesystem{"small_inodes", {"mkfs.ext4", "-q", "-F", "-I", "128"}, {kSecond, kIn1901, kIn2038}},
        Filesystem{"xfs", {"mkfs.xfs", "-q", "-f"}, {1, kIn1901, {}}},
        Filesystem{"older_xfs", {"mkfs.xfs", "-q", "-f", "-m", "bigtime=0"}, {1, kIn1901, kIn2038}}),
    [](const auto& filesystem) { return filesystem.param.name; });

}  // namespace
}  // namespace hawser::test
