// The vocabulary of the journal's tests: a journal in a folder of its own, and what can happen to its files.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/journal/file_journal.h"
#include "common/journal/journal.h"
#include "common/journal/reader.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

// A frame that owns its bytes: whole records, `writes` of them, each with a payload of about `payload_bytes`.
class OwnedFrame {
 public:
  OwnedFrame(const Progress& previous, std::size_t writes, std::size_t payload_bytes,
             const std::string& path = "a/b");

  const Frame& frame() const { return frame_; }
  Buffer AsBytes() const;  // front and records

 private:
  std::vector<Buffer> headers_;
  std::vector<Buffer> payloads_;
  Frame frame_;
};

// Where a group lies.
struct Place {
  std::string path;
  std::uint64_t slot = 0;         // offset
  std::uint64_t frame_bytes = 0;  // behind the stamp

  std::uint64_t end() const;
};

std::string ReadAll(const std::string& path);
void WriteAll(const std::string& path, const std::string& content);

class JournalTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSegment = 64 * kKiB;

  JournalTest() { options_.folder = dir_ / "journal"; }

  void Open(std::shared_ptr<Disk> disk = std::make_shared<Disk>());
  Status TryOpen(std::shared_ptr<Disk> disk = std::make_shared<Disk>());
  void Close() { journal_.reset(); }

  // Appends a group and remembers its bytes; AppendGroup flushes too.
  void AppendUnflushed(std::size_t records = 2, std::size_t payload_bytes = 100);
  void AppendGroup(std::size_t records = 2, std::size_t payload_bytes = 100);
  void AppendGroups(int count);
  // Appends so many groups at once; not flushed.
  JournalStatus AppendTogether(int count, std::size_t payload_bytes = 100);

  // All groups as a reader sees them, each as its bytes. From the oldest.
  std::vector<Buffer> ReadGroups();
  // That the journal holds what was appended, from the group after `first` on, and no more.
  void ExpectHolds(std::size_t first, std::size_t count);

  std::vector<std::string> Segments() const;  // paths, in order
  Place PlaceOf(std::size_t index) const;     // of the index-th group, from 0

  void CorruptByte(const std::string& path, std::uint64_t offset);
  void ZeroFrom(const std::string& path, std::uint64_t offset, std::uint64_t end);
  void CutFile(const std::string& path, std::uint64_t bytes);

  TempDir dir_;
  JournalOptions options_{.folder = {}, .segment_bytes = kSegment};
  Progress start_;
  RecoveryReport report_;
  std::unique_ptr<FileJournal> journal_;
  std::vector<Buffer> appended_;    // bytes of each group
  std::vector<Progress> progress_;  // after each group
};

}  // namespace hawser::test
