// A secondary of two volumes in this process, with the relay and the authors of the volumes that it follows.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fuse_secondary/replica.h"
#include "tests/fuse_secondary/fake_relay.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {

inline constexpr std::chrono::seconds kPatience{30};

class SecondaryTest : public ::testing::Test {
 protected:
  SecondaryTest();

  // The secondary, from its state folder and stores.
  Status Start() { return StartWith(relay_.config()); }
  Status StartWith(const RelayConfig& relay);
  // The orderly end, and the end by a crash.
  Status Stop();
  void Crash();
  Replica& replica() { return *replica_; }
  void Pause();  // until it stands
  Volume& volume(const std::string& name);

  // What Start() is to do where the own journal can't stand in for the relay's: reads that one.
  Result<RelaysJournal> ReadRelays(const std::vector<VolumeName>& volumes);

  VolumeReport Report(const std::string& volume) const;
  bool WaitUntil(const std::function<bool()>& condition) const;
  // Until both volumes have applied all that the relay has.
  bool WaitUntilCaughtUp() const;
  bool WaitForState(const std::string& volume, ReplicaState state) const;

  std::string SecondaryStore(const std::string& volume) const { return temp_ / ("secondary." + volume); }
  std::string Content(const std::string& volume, const std::string& path) const;
  void ExpectEqualTrees(const std::string& volume) const;

  TempDir temp_;
  Author docs_;
  Author mail_;
  FakeRelay relay_;
  ReplicaOptions options_;

 private:
  std::string Folder(const std::string& name) const;

  NetContext context_;
  std::vector<std::unique_ptr<Volume>> volumes_;
  std::unique_ptr<Replica> replica_;
};

}  // namespace hawser::test
