#include "tests/fuse_secondary/frozen_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <filesystem>

#include "common/record/kinds.h"
#include "fuse_secondary/replay_state.h"
#include "tests/support/ok.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFolderOfRedo = ".hawser.redo";

FileId IdAt(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return fd ? *ReadFileId(ProcPath(fd.get())) : kNoFileId;
}

Progress At(std::size_t group) {
  Progress progress;
  progress.position.journal.bytes[0] = std::byte{7};
  progress.position.sequence = Sequence(group);
  progress.position.group = Group(group);
  return progress;
}

Status FineOrWhy(const VolumeStand& stand) {
  return stand.active() ? Status() : Error{kStoreDiverged, stand.problem};
}

}  // namespace

bool SetFrozen(const std::string& path, bool frozen) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  int flags = 0;
  if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) return false;
  flags = frozen ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  return ::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

FrozenCopy::FrozenCopy(std::string folder, const std::vector<Written>& records, bool value_ids)
    : folder_(std::move(folder)) {
  fs::create_directories(folder_);
  auto store =
      Store::Open({.root = folder_, .group = "test", .volume = VolumeName("docs"), .value_ids = value_ids});
  EXPECT_OK(store);
  store_ = *std::move(store);
  stand_.name = VolumeName("docs");
  for (std::size_t i = 0; i < records.size(); ++i) {
    ReplayGroup group;
    group.end = At(i + 1);
    group.records.push_back({0, records[i].record, AsBytes(records[i].payload), Sequence(i + 1)});
    groups_.push_back(std::move(group));
  }
}

void FrozenCopy::Freeze(const std::string& path) {
  const std::string full = folder_ + "/" + path;
  if (SetFrozen(full, true)) were_frozen_.insert(IdAt(full));
}

void FrozenCopy::FreezeAtRandom(std::mt19937_64& random, int one_in) {
  const auto is_chosen = [&] { return std::uniform_int_distribution<int>(0, one_in - 1)(random) == 0; };
  if (is_chosen() && is_chosen()) Freeze(".");  // rarely: nothing is made in it then
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string path = entry.path().lexically_relative(folder_);
    const bool may_be = !entry.is_symlink() && (entry.is_directory() || entry.is_regular_file());
    if (!may_be || path.starts_with(kFolderOfRedo)) continue;
    if (is_chosen()) Freeze(path);
  }
}

void FrozenCopy::ThawAll() {
  SetFrozen(folder_, false);
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    if (entry.is_directory() || entry.is_regular_file()) SetFrozen(entry.path(), false);
}

Status FrozenCopy::Replay(std::size_t last) {
  const auto store = Recoverable(*store_);
  const auto day = std::chrono::hours(24);
  ReplicaBoard board({.disconnected_after = day, .live_within = day}, At(groups_.size()), {stand_});
  ReplayState state(stand_.applied, {{&place_, store.get(), folder_}}, board);
  GroupApplier applier(1, [&](const ReplayRecord& record, bool again) -> Status {
    HAWSER_ASSIGN(const Manner manner, state.MannerOf(record, again));
    return store->ApplyAs(manner, record.record, record.payload);
  });
  for (std::size_t i = stand_.applied.position.group.value; i < last; ++i) {
    for (auto failures = applier.Apply(state.Enter(groups_[i])); !failures.empty();
         failures = applier.Apply(state.Enter(groups_[i]))) {
      const auto waiting = state.Settle(failures, [](Sequence) { return false; });
      if (!waiting.empty()) return waiting.front().error;
    }
    state.Applied();
    state.Passed(std::span(groups_).subspan(i, 1));
  }
  stand_ = board.volume(0);
  return FineOrWhy(stand_);
}

void FrozenCopy::KeepCheckpoint(bool clean) {
  place_.checkpoint.progress = stand_.applied;
  place_.checkpoint.clean = clean;
  place_.differences = stand_.differences.Encode();
}

Status FrozenCopy::Recover(std::size_t last, std::optional<std::size_t> killed_at) {
  const auto store = Recoverable(*store_);
  Recovery recovery({{stand_.name, store.get(), &place_}}, RecoverFor::kFollowing, "test");
  HAWSER_TRY(recovery.ReadStands());
  HAWSER_TRY(recovery.Begin({"the journal", At(0), At(last)}));
  while (const auto want = recovery.wanted()) {
    const std::size_t next = want->after.position.group.value;
    if (killed_at && recovery.records() > 0 && next >= *killed_at) return {};
    HAWSER_TRY(recovery.Take(std::span(groups_).subspan(next, next < want->last.value ? 1 : 0)));
  }
  stand_ = recovery.stands().front();
  return FineOrWhy(stand_);
}

bool FrozenCopy::IsNamed(const std::string& real, const std::string& path) const {
  std::set<FileId> files;
  for (const hawser::Difference& entry : differences().entries()) {
    const Body& body = entry.record.body;
    files.insert(FileOf(body));
    const auto* rename = std::get_if<Rename>(&body);
    if (rename != nullptr && rename->replaced) files.insert(*rename->replaced);
    if (entry.nameless || path == ".") continue;
    const bool is_folders = EffectOf(body) >= TreeEffect::kMakesName;
    if (is_folders ? PathOf(path).IsAtOrBelow(entry.path) : path == entry.path.text()) return true;
  }
  files.erase(kNoFileId);
  return files.contains(IdAt(fs::path(real) / path)) || files.contains(IdAt(fs::path(folder_) / path));
}

std::vector<std::string> FrozenCopy::Unnamed(const std::string& real, bool may_have_left) const {
  std::vector<std::string> unnamed;
  const auto report = CompareTrees(real, folder_, {.keep = 1000});
  EXPECT_OK(report);
  for (const Difference& difference : report->differences) {
    // A file whose name stays, though it should have gone, has more than it should.
    const bool is_of_links = difference.what == "link count" || difference.what == "hard link to";
    // A folder that can't be changed keeps its times.
    const bool is_of_frozen =
        difference.what == "mtime" && were_frozen_.contains(IdAt(real + "/" + difference.path));
    const bool is_left = may_have_left && difference.path == kFolderOfRedo;
    if (is_of_links || is_of_frozen || is_left || IsNamed(real, difference.path)) continue;
    unnamed.push_back(difference.Text());
  }
  return unnamed;
}

std::string FrozenCopy::NamedText() const {
  std::string text;
  for (const hawser::Difference& entry : differences().entries())
    text += fmt::format("named: {} since {}: {} ({})\n", entry.path.Printable(), entry.sequence.value,
                        Describe(entry.record), entry.why);
  return text;
}

}  // namespace hawser::test
