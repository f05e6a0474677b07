#include "tests/volume/recovery/recovery_fixture.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/ok.h"

namespace hawser::test {

namespace {

std::byte ByteOf(std::uint64_t value) { return static_cast<std::byte>(value); }

// The record of a volume in a group: the last one is the group's end.
Sequence SequenceOf(std::uint64_t group, std::size_t volume) { return Sequence(group * 10 - 9 + volume); }

}  // namespace

Progress At(std::uint64_t group) {
  Progress progress;
  progress.position.journal.bytes[0] = std::byte{7};
  progress.position.sequence = Sequence(group * 10);
  progress.position.group = Group(group);
  if (group > 0) progress.position.digest.bytes[0] = ByteOf(group);
  return progress;
}

Progress InAnotherJournal(std::uint64_t group) {
  Progress progress = At(group);
  progress.position.journal.bytes[0] = std::byte{8};
  return progress;
}

Progress InAnotherHistory(std::uint64_t group) {
  Progress progress = At(group);
  progress.position.digest.bytes[1] = std::byte{1};
  return progress;
}

Status LoggedPlace::Write(const Checkpoint& written) {
  checkpoint = written;
  log_.push_back(fmt::format("{}: checkpoint {}{}", name_, written.progress.position.group.value,
                             written.clean ? ", clean" : ""));
  return {};
}

Status LoggedPlace::NoteDivergence(const std::string& problem) {
  note = problem;
  log_.push_back(name_ + ": diverged");
  return {};
}

Status LoggedStore::FinishRedo(bool) {
  log_.push_back(name_ + ": finish");
  return {};
}

Status LoggedStore::Repeat(const Record& record, Bytes) {
  log_.push_back(name_ + ": repeat " + Describe(record));
  return {};
}

Status LoggedStore::Do(const std::string& what, const Record& record) {
  const std::uint64_t group = std::get<Write>(record.body).offset;
  log_.push_back(fmt::format("{}: {} {}", name_, what, group));
  const auto failure = failures_.find(group);
  if (what == "expect" || failure == failures_.end()) return {};
  return Error{failure->second, "the store fails"};
}

RecoveryTest::Volume& RecoveryTest::Add(const std::string& name) {
  names_.push_back(name);
  volumes_.push_back(std::make_unique<Volume>(name, log_));
  return *volumes_.back();
}

RecoveryTest::Volume& RecoveryTest::Add(const std::string& name, const Progress& checkpoint, Ended ended) {
  Volume& volume = Add(name);
  volume.place.checkpoint = Checkpoint{checkpoint, ended == Ended::kClean};
  return volume;
}

void RecoveryTest::Holds(std::uint64_t oldest, std::uint64_t end) {
  oldest_ = At(oldest);
  end_ = At(end);
}

void RecoveryTest::Begin(RecoverFor purpose) {
  std::vector<RecoveryVolume> volumes;
  for (std::size_t i = 0; i < volumes_.size(); ++i)
    volumes.push_back({VolumeName(names_[i]), &volumes_[i]->store, &volumes_[i]->place});
  recovery_ = std::make_unique<Recovery>(std::move(volumes), purpose, "test.redoing");
  ASSERT_OK(recovery_->ReadStands());
  const RecoveryJournal journal{"the journal", oldest_, end_, purpose == RecoverFor::kServing};
  was_proven_ = recovery_->IsProvenBy(journal);
  ASSERT_OK(recovery_->Begin(journal));
}

Status RecoveryTest::Run(RecoverFor purpose) {
  Begin(purpose);
  while (const auto want = recovery_->wanted()) HAWSER_TRY(Answer(*want));
  return {};
}

Status RecoveryTest::Answer(const Recovery::Want& want) {
  const std::uint64_t after = want.after.position.group.value;
  if (want.after.position != At(after).position)
    return recovery_->Refused(Error{ESTALE, "not a position of this journal"});
  const std::uint64_t last = std::min(after + 2, want.last.value);
  log_.push_back(fmt::format("wanted {}..{}", after, want.last.value));
  return recovery_->Take(Groups(after, last));
}

std::vector<ReplayGroup> RecoveryTest::Groups(std::uint64_t after, std::uint64_t last) const {
  std::vector<ReplayGroup> groups;
  for (std::uint64_t number = after + 1; number <= last; ++number) {
    ReplayGroup group;
    group.end = At(number);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      Write write;
      write.offset = number;
      Record record{VolumeName(names_[i]), Generation(1), {}, write};
      if (const auto remedy = remedies_.find(number); remedy != remedies_.end())
        record.remedy = RemedyOf{SequenceOf(remedy->second, i), true};
      group.records.push_back({i, std::move(record), {}, SequenceOf(number, i)});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace hawser::test
