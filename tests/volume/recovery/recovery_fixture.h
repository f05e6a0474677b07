// The vocabulary of the recovery's tests: a journal of numbered groups, volumes with their checkpoints, and a
// log of all that is done to them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "volume/recovery/recovery.h"

namespace hawser::test {

// The position of a group in the journal of all these tests, and in another one.
Progress At(std::uint64_t group);
Progress InAnotherJournal(std::uint64_t group);
// The same group of the same journal as somebody else has it.
Progress InAnotherHistory(std::uint64_t group);

using Log = std::vector<std::string>;

class LoggedPlace : public CheckpointPlace {
 public:
  LoggedPlace(std::string name, Log& log) : name_(std::move(name)), log_(log) {}

  Result<std::optional<Checkpoint>> Read() const override { return checkpoint; }
  Status Write(const Checkpoint& written) override;
  Result<std::optional<std::string>> ReadDivergence() const override { return note; }
  Status NoteDivergence(const std::string& problem) override;

  Result<Buffer> ReadDifferences(Sequence) const override { return differences; }
  Status WriteDifferences(Sequence, Sequence, Bytes) override { return {}; }

  std::optional<Checkpoint> checkpoint;
  Buffer differences;
  std::optional<std::string> note;

 private:
  const std::string name_;
  Log& log_;
};

class LoggedStore : public RecoverableStore {
 public:
  LoggedStore(std::string name, Log& log) : name_(std::move(name)), log_(log) {}

  bool is_new() const override { return is_new_; }
  Result<StoreMarks> Marks() const override { return marks; }
  Status Apply(const Record& record, Bytes) override { return Do("apply", record); }
  Status ApplyAnyhow(const Record& record, Bytes, bool) override { return Do("apply anyhow", record); }
  Status ApplyDiffering(const Record& record, Bytes) override { return Do("apply differing", record); }
  void ApplyFolderTimes(const Record&) override {}
  bool HasRoom(std::uint64_t) const override { return has_room; }
  bool HasOtherNames(const StorePath&) const override { return false; }
  Result<std::set<FileId>> Present(const std::set<FileId>& files) const override { return files; }
  Status Repeat(const Record& record, Bytes) override;
  void Expect(const Record& record) override { static_cast<void>(Do("expect", record)); }
  Status Redo(const Record& record, Bytes, bool) override { return Do("redo", record); }
  Status RedoAgain(const Record& record, Bytes, bool) override { return Do("redo again", record); }
  Status FinishRedo(bool) override;
  Status RemoveLeft() override { return {}; }

  void set_new() { is_new_ = true; }

  StoreMarks marks;
  void FailAt(std::uint64_t group, int code) { failures_[group] = code; }
  bool has_room = false;

 private:
  Status Do(const std::string& what, const Record& record);

  const std::string name_;
  Log& log_;
  bool is_new_ = false;
  std::map<std::uint64_t, int> failures_;
};

// In every group each volume is written to, at the offset that is the group's number.
class RecoveryTest : public ::testing::Test {
 protected:
  struct Volume {
    Volume(const std::string& name, Log& log) : store(name, log), place(name, log) {}

    LoggedStore store;
    LoggedPlace place;
  };
  enum class Ended { kClean, kUnclean };

  Volume& Add(const std::string& name);  // without a checkpoint
  Volume& Add(const std::string& name, const Progress& checkpoint, Ended ended);
  // The journal holds the groups after `oldest` up to `end`.
  void Holds(std::uint64_t oldest, std::uint64_t end);

  // In this group the writes are the last part of what makes up for those of an earlier one.
  void MakesUp(std::uint64_t group, std::uint64_t refused) { remedies_[group] = refused; }

  // To the end, two groups at a time. The error that ended it.
  Status Run(RecoverFor purpose);
  // As far as Begin().
  void Begin(RecoverFor purpose);
  std::vector<ReplayGroup> Groups(std::uint64_t after, std::uint64_t last) const;

  Recovery& recovery() { return *recovery_; }
  const VolumeStand& Stand(std::size_t volume) const { return recovery_->stands()[volume]; }

  Log log_;
  bool was_proven_ = false;  // whether the stores can't hold more than the journal

 private:
  // What the journal says to a request.
  Status Answer(const Recovery::Want& want);

  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Volume>> volumes_;
  Progress oldest_;
  Progress end_;
  std::map<std::uint64_t, std::uint64_t> remedies_;
  std::unique_ptr<Recovery> recovery_;
};

}  // namespace hawser::test
