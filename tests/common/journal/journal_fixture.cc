#include "tests/common/journal/journal_fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/files.h"
#include "common/journal/segment_reader.h"
#include "common/record/codec.h"

namespace hawser::test {

OwnedFrame::OwnedFrame(const Progress& previous, std::size_t writes, std::size_t payload_bytes,
                       const std::string& path) {
  Sequence sequence = Next(previous.position.sequence);
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < writes; ++i, sequence = Next(sequence)) {
    const std::size_t size = payload_bytes + i;
    Record record{VolumeName("docs"), Generation(1), Origin{NodeName("alpha"), 7, sequence.value},
                  Mark{"note"}};
    if (size > 0) {
      Write& write = record.body.emplace<Write>();
      write.file = FileId(17);
      write.path = *StorePath::Parse(path);
      write.offset = sequence.value * 10;
      write.length = size;
    }
    headers_.push_back(EncodeRecord(record));
    payloads_.emplace_back(size, static_cast<std::byte>(sequence.value % 255 + 1));
  }
  for (std::size_t i = 0; i < writes; ++i) entries.push_back({headers_[i], payloads_[i]});
  frame_ = MakeFrame(previous, Timestamp{1'000'000'000 + static_cast<std::int64_t>(sequence.value)}, entries);
}

Buffer OwnedFrame::AsBytes() const {
  Buffer bytes = frame_.front;
  for (const Entry& entry : frame_.entries) {
    bytes.insert(bytes.end(), entry.header.begin(), entry.header.end());
    bytes.insert(bytes.end(), entry.payload.begin(), entry.payload.end());
  }
  return bytes;
}

std::uint64_t Place::end() const { return slot + kStampBytes + frame_bytes; }

std::string ReadAll(const std::string& path) {
  auto content = ReadFile(path);
  EXPECT_TRUE(content) << path;
  return content ? *content : std::string();
}

void WriteAll(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

Status JournalTest::TryOpen(std::shared_ptr<Disk> disk) {
  Close();
  report_ = {};
  auto journal = FileJournal::Open(options_, start_, report_, std::move(disk));
  if (!journal) return journal.error();
  journal_ = *std::move(journal);
  return {};
}

void JournalTest::Open(std::shared_ptr<Disk> disk) {
  const Status opened = TryOpen(std::move(disk));
  ASSERT_TRUE(opened) << opened.error().Text();
}

void JournalTest::AppendUnflushed(std::size_t records, std::size_t payload_bytes) {
  const OwnedFrame frame(journal_->appended(), records, payload_bytes);
  const Status appended = journal_->Append(frame.frame());
  ASSERT_TRUE(appended) << appended.error().Text();
  appended_.push_back(frame.AsBytes());
  progress_.push_back(frame.frame().header.progress());
}

void JournalTest::AppendGroup(std::size_t records, std::size_t payload_bytes) {
  ASSERT_NO_FATAL_FAILURE(AppendUnflushed(records, payload_bytes));
  const Status flushed = journal_->Flush();
  ASSERT_TRUE(flushed) << flushed.error().Text();
}

void JournalTest::AppendGroups(int count) {
  for (int i = 0; i < count; ++i) ASSERT_NO_FATAL_FAILURE(AppendGroup());
}

JournalStatus JournalTest::AppendTogether(int count, std::size_t payload_bytes) {
  std::vector<std::unique_ptr<OwnedFrame>> frames;
  std::vector<const Frame*> pointers;
  Progress before = journal_->appended();
  for (int i = 0; i < count; ++i) {
    frames.push_back(std::make_unique<OwnedFrame>(before, 2, payload_bytes));
    pointers.push_back(&frames.back()->frame());
    before = pointers.back()->header.progress();
  }
  auto appended = journal_->Append(pointers);
  for (std::size_t i = 0; appended && i < frames.size(); ++i) {
    appended_.push_back(frames[i]->AsBytes());
    progress_.push_back(frames[i]->frame().header.progress());
  }
  return appended;
}

std::vector<Buffer> JournalTest::ReadGroups() {
  std::vector<Buffer> groups;
  auto reader = OpenJournalReader(options_.folder, Position{});
  EXPECT_TRUE(reader) << reader.error().Text();
  while (reader) {
    auto frame = (*reader)->Next(kAllGroups);
    EXPECT_TRUE(frame) << frame.error().Text();
    if (!frame || !*frame) break;
    Buffer bytes = (*frame)->front;
    for (const Entry& entry : (*frame)->entries) {
      bytes.insert(bytes.end(), entry.header.begin(), entry.header.end());
      bytes.insert(bytes.end(), entry.payload.begin(), entry.payload.end());
    }
    groups.push_back(std::move(bytes));
  }
  return groups;
}

void JournalTest::ExpectHolds(std::size_t first, std::size_t count) {
  const auto groups = ReadGroups();
  ASSERT_EQ(groups.size(), count);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_TRUE(groups[i] == appended_[first + i]) << "group " << first + i + 1;
}

std::vector<std::string> JournalTest::Segments() const {
  std::vector<std::string> paths;
  const auto groups = ListSegments(options_.folder);
  EXPECT_TRUE(groups);
  for (const Group group : *groups) paths.push_back(options_.folder + "/" + SegmentName(group));
  return paths;
}

Place JournalTest::PlaceOf(std::size_t index) const {
  const auto groups = ListSegments(options_.folder);
  EXPECT_TRUE(groups);
  const Group wanted(start_.position.group.value + index + 1);
  Place place;
  for (const Group first : *groups) {
    auto reader = SegmentReader::Open(options_.folder, first);
    while (reader) {
      const std::uint64_t slot = reader->offset();
      const auto frame = reader->Skip();
      if (!frame || !*frame) break;
      if ((*frame)->group == wanted) return {reader->path(), slot, (*frame)->frame_bytes()};
    }
  }
  ADD_FAILURE() << "group " << wanted.value << " is not there";
  return place;
}

void JournalTest::CorruptByte(const std::string& path, std::uint64_t offset) {
  const auto fd = OpenFile(path, O_RDWR);
  ASSERT_TRUE(fd);
  std::byte byte{};
  ASSERT_TRUE(ReadAllAt(fd->get(), std::span(&byte, 1), offset, path));
  byte ^= std::byte{0x40};
  ASSERT_TRUE(WriteAllAt(fd->get(), Bytes(&byte, 1), offset, path));
}

void JournalTest::ZeroFrom(const std::string& path, std::uint64_t offset, std::uint64_t end) {
  const auto fd = OpenFile(path, O_RDWR);
  ASSERT_TRUE(fd);
  ASSERT_TRUE(WriteAllAt(fd->get(), Buffer(end - offset), offset, path));
}

void JournalTest::CutFile(const std::string& path, std::uint64_t bytes) {
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(bytes)), 0);
}

}  // namespace hawser::test
