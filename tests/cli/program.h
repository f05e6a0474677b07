// The hawser program run as a process, with a folder and a config of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

struct ProgramResult {
  int exit = -1;
  std::string out;
  std::string err;
};

class ProgramTest : public ::testing::Test {
 protected:
  // Runs `hawser ARGUMENTS` in folder() to its end. Fails the test if it takes too long.
  ProgramResult Hawser(const std::vector<std::string>& arguments) const;
  // Starts it; its output goes to the file `output`.
  Process StartHawser(const std::vector<std::string>& arguments, const std::string& output) const;

  // Writes a config of one relay (on free ports) and the nodes alpha (primary of docs) and charlie
  // (secondary) to ./hawser.yaml, and makes the stores and mounts.
  void WriteConfig() const;
  // Replaces `text`, wherever it stands in that config, by `by`.
  void ChangeConfig(const std::string& text, const std::string& by) const;
  // Writes `content` to the file `name` in folder().
  std::string WriteFile(const std::string& name, const std::string& content) const;
  std::string Path(const std::string& name) const { return folder_ / name; }
  const std::string& folder() const { return folder_.path(); }

 private:
  TempDir folder_{"hawser-cli-"};
};

// `count` ports of the loopback address that nobody uses now.
std::vector<int> FreePorts(int count);

// The content of a file; empty if there is none.
std::string Content(const std::string& path);

}  // namespace hawser::test
