#include "tests/fuse_secondary/secondary_fixture.h"

#include "common/base/files.h"

namespace hawser::test {

namespace {

class JournalSource : public RecordSource {
 public:
  JournalSource(const Journal& journal, const std::vector<VolumeName>& volumes)
      : journal_(journal), volumes_(volumes) {}

  Result<ReplayBatch> Next(const Recovery::Want& want) override {
    HAWSER_ASSIGN(const auto reader, journal_.OpenReader(want.after.position));
    return ReadBatch(*reader, want.last, kKiB, volumes_);
  }

 private:
  const Journal& journal_;
  const std::vector<VolumeName>& volumes_;
};

}  // namespace

using namespace std::chrono_literals;

SecondaryTest::SecondaryTest()
    : docs_(Folder("primary.docs"), "docs"), mail_(Folder("primary.mail"), "mail"), relay_(temp_ / "relay") {
  options_.checkpoint_every = 50ms;
  options_.retry_every = 50ms;
  options_.segment_bytes = 128 * kKiB;
  options_.pull_bytes = 64 * kKiB;
}

std::string SecondaryTest::Folder(const std::string& name) const {
  const std::string path = temp_ / name;
  if (!MakeDirectories(path, 0755)) std::abort();
  return path;
}

Status SecondaryTest::StartWith(const RelayConfig& relay) {
  std::vector<ReplicaVolume> volumes;
  for (const std::string name : {"docs", "mail"}) {
    HAWSER_ASSIGN(
        auto store,
        Store::Open({.root = Folder("secondary." + name), .group = "test", .volume = VolumeName(name)}));
    volumes_.push_back(std::make_unique<Volume>(std::move(store)));
    volumes.push_back({volumes_.back().get(), Folder("state") + "/" + name + ".checkpoint"});
  }
  HAWSER_ASSIGN(replica_, Replica::Start(context_, relay, NodeName("charlie"), temp_ / "state",
                                         std::move(volumes), options_));
  return {};
}

Status SecondaryTest::Stop() {
  Status stopped = replica_->Stop();
  Crash();
  return stopped;
}

void SecondaryTest::Crash() {
  replica_.reset();
  volumes_.clear();
}

void SecondaryTest::Pause() {
  replica().SetPaused(true);
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().stands; }));
}

Result<RelaysJournal> SecondaryTest::ReadRelays(const std::vector<VolumeName>& volumes) {
  return RelaysJournal{{"the relay's journal", relay_.journal().oldest(), relay_.head(), true},
                       std::make_unique<JournalSource>(relay_.journal(), volumes)};
}

Volume& SecondaryTest::volume(const std::string& name) { return *volumes_.at(name == "docs" ? 0 : 1); }

VolumeReport SecondaryTest::Report(const std::string& volume) const {
  for (const VolumeReport& report : replica_->Report().volumes) {
    if (report.volume.value == volume) return report;
  }
  return {};
}

bool SecondaryTest::WaitUntil(const std::function<bool()>& condition) const {
  const Deadline deadline = SteadyClock::now() + kPatience;
  while (!condition()) {
    if (SteadyClock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

bool SecondaryTest::WaitUntilCaughtUp() const {
  const Progress head = relay_.head();
  return WaitUntil([&] { return Report("docs").applied == head && Report("mail").applied == head; });
}

bool SecondaryTest::WaitForState(const std::string& volume, ReplicaState state) const {
  return WaitUntil([&] { return Report(volume).state == state; });
}

std::string SecondaryTest::Content(const std::string& volume, const std::string& path) const {
  auto content = ReadFile(SecondaryStore(volume) + "/" + path);
  return content ? *std::move(content) : content.error().Text();
}

void SecondaryTest::ExpectEqualTrees(const std::string& volume) const {
  const auto report = CompareTrees(temp_ / ("primary." + volume), SecondaryStore(volume));
  ASSERT_TRUE(report) << report.error().Text();
  EXPECT_TRUE(report->equal()) << report->Text();
}

}  // namespace hawser::test
