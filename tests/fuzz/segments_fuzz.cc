// Segment files that were damaged in any way: recovery and readers get them as they are. Whatever was done to
// the files, a journal that opens holds a beginning of what was written, byte for byte, and takes the next
// group; else it is refused.
//
// The input is a list of changes: [what][segment][offset, 3 bytes][more].
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "common/journal/disk.h"
#include "common/journal/inspect.h"
#include "common/journal/journal.h"
#include "common/journal/reader.h"
#include "common/journal/segment.h"
#include "common/record/codec.h"
#include "tests/fuzz/fuzz.h"

namespace hawser::fuzz {
namespace {

constexpr std::uint64_t kSegmentBytes = 16 * kKiB;
constexpr int kGroups = 24;  // enough for three segments

// Nothing here outlives a power cut.
class QuickDisk : public Disk {
 public:
  Status Flush(int, const std::string&) override { return {}; }
  Status FlushFolder(const std::string&) override { return {}; }
};

Status AppendGroup(Journal& journal) {
  const std::uint64_t number = journal.appended().position.group.value + 1;
  Write write;
  write.file = FileId(number);
  write.path = *StorePath::Parse("f");
  write.length = 1000 + 700 * (number % 3);
  const Buffer payload(write.length, static_cast<std::byte>('a' + number));
  const Buffer header =
      EncodeRecord({VolumeName("docs"), Generation(1), {NodeName("alpha"), 1, number}, write});
  const Timestamp time{static_cast<std::int64_t>(number)};
  HAWSER_TRY(journal.Append(MakeFrame(journal.appended(), time, {{header, payload}})));
  // Some groups were not flushed by themselves: the stamps tell.
  return number % 4 == 3 ? Status() : journal.Flush();
}

Result<std::unique_ptr<Journal>> Open(const std::string& folder) {
  RecoveryReport report;
  Progress start;
  start.position.journal.bytes.fill(std::byte{7});
  return OpenJournal(
      {.folder = folder, .segment_bytes = kSegmentBytes, .disk = std::make_shared<QuickDisk>()}, start,
      report);
}

struct File {
  std::string name;
  std::string content;
};

const std::string kScratch = "/dev/shm/hawser-fuzz-";

// A run that finds something ends without cleaning up: the next one does.
void RemoveLeftovers() {
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    const std::string path = entry.path();
    if (!path.starts_with(kScratch)) continue;
    const pid_t owner = std::atoi(path.c_str() + kScratch.size());
    if (owner <= 0 || ::kill(owner, 0) == 0 || errno != ESRCH) continue;
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
}

// The journal that is damaged again and again, made once.
class Original {
 public:
  Original() : root_(kScratch + std::to_string(::getpid())) {
    spdlog::set_level(spdlog::level::off);
    RemoveLeftovers();
    std::filesystem::create_directories(root_);
    {
      auto journal = Open(root_);
      Check(static_cast<bool>(journal), "a journal can be made");
      for (int i = 0; i < kGroups; ++i)
        Check(static_cast<bool>(AppendGroup(**journal)), "a group can be appended");
      Check(static_cast<bool>((*journal)->Flush()), "the journal can be flushed");
    }
    groups_ = ReadAll();
    Check(groups_.size() == kGroups, "a whole journal is read whole");
    for (const auto& entry : std::filesystem::directory_iterator(root_)) {
      if (entry.path().extension() != kSegmentSuffix) continue;
      files_.push_back({entry.path().filename(), *ReadFile(entry.path())});
    }
    std::ranges::sort(files_, {}, &File::name);
    Check(files_.size() >= 3, "the journal has several segments");
  }
  ~Original() { std::filesystem::remove_all(root_); }

  const std::string& folder() const { return root_; }
  const std::vector<File>& files() const { return files_; }

  void Restore(const std::vector<File>& files) const {
    for (const auto& entry : std::filesystem::directory_iterator(root_))
      if (entry.path().extension() == kSegmentSuffix) std::filesystem::remove(entry.path());
    for (const File& file : files) std::ofstream(root_ + "/" + file.name, std::ios::binary) << file.content;
  }

  // The groups that a reader gives out, until the end or an error; each must be one that was written, in
  // order and without gaps.
  std::vector<Buffer> ReadAll() const {
    std::vector<Buffer> groups;
    const auto reader = OpenJournalReader(root_, Position{});
    if (!reader) return groups;
    for (;;) {
      const auto bytes = (*reader)->NextBytes(kAllGroups, 1);
      if (!bytes || bytes->empty()) return groups;
      groups.push_back(*bytes);
      const std::uint64_t group = (*reader)->at().position.group.value;
      if (groups_.empty()) continue;  // this is the original
      Check(group <= groups_.size() && groups_[group - 1] == *bytes,
            "a reader gives out nothing but what was written");
    }
  }

  // A journal that opened holds a beginning of what was written.
  void CheckIsPrefix(const Journal& journal) const {
    const std::uint64_t end = journal.durable().position.group.value;
    Check(end <= groups_.size(), "recovery adds no group");
    if (end == 0) return;
    const auto frame = ParseFrame(groups_[end - 1]);
    Check(frame && frame->header.progress() == journal.durable(),
          "recovery ends with a group that was written");
  }

 private:
  const std::string root_;
  std::vector<File> files_;
  std::vector<Buffer> groups_;
};

void Change(Input& input, std::vector<File>& files) {
  const std::uint64_t what = input.Number(1) % 7;
  const std::size_t index = input.Number(1) % files.size();
  std::string& content = files[index].content;
  const std::size_t offset = input.Number(3) % (content.size() + 1);
  const auto put = [&](std::string_view bytes) {
    const std::size_t count = std::min(bytes.size(), content.size() - offset);
    content.replace(offset, count, bytes.substr(0, count));
  };
  switch (what) {
    case 0:  // a bit
      if (offset < content.size())
        content[offset] = static_cast<char>(content[offset] ^ (1 << input.Number(1) % 8));
      return;
    case 1:  // bytes of the input's choice
      return put(AsText(input.TakeSized()));
    case 2:  // zeros
      return put(std::string(input.Number(2), '\0'));
    case 3:  // zeros to the end
      return put(std::string(content.size() - offset, '\0'));
    case 4:  // cut off
      return content.resize(offset);
    case 5: {  // a piece of some segment, where it doesn't belong
      const std::string& from = files[input.Number(1) % files.size()].content;
      const std::size_t begin = input.Number(3) % (from.size() + 1);
      return put(std::string(from.substr(begin, input.Number(2))));
    }
    default:  // the whole file is gone
      if (files.size() > 1) files.erase(files.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

// Damage is refused as such; never anything else.
void CheckRefusal(const Error& error) {
  Check(error.code == EBADMSG || error.code == ENOTSUP, "a damaged journal is refused with EBADMSG");
  Check(!error.message.empty(), "the refusal says what is wrong");
}

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  using namespace hawser::fuzz;
  static const Original original;
  Input input(data, size);
  std::vector<File> files = original.files();
  for (int changes = 0; !input.empty() && changes < 8; ++changes) Change(input, files);
  original.Restore(files);

  static_cast<void>(ListJournal(original.folder()));
  static_cast<void>(CheckJournal(original.folder()));
  original.ReadAll();
  auto journal = Open(original.folder());
  if (!journal) {
    CheckRefusal(journal.error());
    return 0;
  }
  original.CheckIsPrefix(**journal);
  original.ReadAll();
  const Position end = (*journal)->durable().position;
  const bool appended = AppendGroup(**journal) && (*journal)->Flush();
  Check(appended, "a journal that opened takes the next group");
  journal->reset();
  const auto reader = OpenJournalReader(original.folder(), end);
  Check(static_cast<bool>(reader), "the end that recovery reported can be read from");
  const auto next = (*reader)->Next(kAllGroups);
  Check(next && *next && (*next)->header.group == Next(end.group),
        "the next group follows where recovery ended");
  return 0;
}
