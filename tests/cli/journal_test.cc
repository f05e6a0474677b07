// `hawser journal` on a journal that the test writes, with nothing running.
#include "common/journal/journal.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/record/codec.h"
#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class JournalCommand : public ProgramTest {
 protected:
  void SetUp() override {
    RecoveryReport report;
    auto journal = OpenJournal({.folder = Path("journal")}, Progress(), report);
    ASSERT_TRUE(journal) << journal.error().Text();
    // Group 1: two creates; group 2: a write; group 3: a rename to a name that isn't UTF-8.
    Append(**journal,
           {RecordOf("docs", Create{FileId(10), At("a"), NodeKind::kDirectory, 0755, 0, 0, 0, "", kTime}),
            RecordOf("mail", Create{FileId(11), At("b"), NodeKind::kRegular, 0644, 0, 0, 0, "", kTime})});
    Append(**journal, {RecordOf("docs", Write{FileId(12), At("a/c"), 0, 5, FileState{0, kTime}, kTime, {}})},
           "hello");
    Append(**journal,
           {RecordOf("mail", Rename{FileId(11), At("b"), At("b\xff"), RenameMode::kReplace, {}, kTime})});
  }

  static constexpr Timestamp kTime{1'700'000'000'000'000'000};

  static StorePath At(const std::string& path) { return *StorePath::Parse(path); }

  static Record RecordOf(const std::string& volume, Body body) {
    return {VolumeName(volume), Generation(1), Origin{NodeName("alpha"), 1, 1}, std::move(body)};
  }

  static void Append(Journal& journal, const std::vector<Record>& records, const std::string& payload = "") {
    std::vector<Buffer> headers;
    for (const auto& record : records) headers.push_back(EncodeRecord(record));
    std::vector<Entry> entries;
    for (const auto& header : headers) entries.push_back({header, AsBytes(payload)});
    const Status appended = journal.Append(MakeFrame(journal.appended(), kTime, entries));
    ASSERT_TRUE(appended) << appended.error().Text();
    ASSERT_TRUE(journal.Flush());
  }

  // The lines of `hawser journal show ARGUMENTS --json journal`.
  std::vector<json> Shown(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"journal", "show", "--json", Path("journal")});
    const ProgramResult result = Hawser(arguments);
    EXPECT_EQ(result.exit, 0) << result.err;
    std::vector<json> lines;
    std::istringstream text(result.out);
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line, nullptr, false));
    return lines;
  }

  std::vector<int> ShownNumbers(const std::vector<std::string>& arguments) const {
    std::vector<int> numbers;
    for (const auto& record : Shown(arguments)) numbers.push_back(record.value("sequence", 0));
    return numbers;
  }

  // Flips a bit in the journal where `text` stands.
  void Damage(const std::string& text) const {
    for (const auto& file : std::filesystem::directory_iterator(Path("journal"))) {
      const std::string content = Content(file.path());
      const auto at = content.find(text);
      if (at == std::string::npos) continue;
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(content[at] ^ 1));
      return;
    }
    FAIL() << "no file of the journal holds '" << text << "'";
  }
};

TEST_F(JournalCommand, ListShowsSegments) {
  const ProgramResult result = Hawser({"journal", "list", Path("journal")});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("1 - 4"), HasSubstr("1 - 3"), HasSubstr("4 records in 1 segment")));
  const auto list = json::parse(Hawser({"journal", "list", "--json", Path("journal")}).out, nullptr, false);
  ASSERT_THAT(list["segments"], SizeIs(1));
  EXPECT_EQ(list["segments"][0]["records"], 4);
  EXPECT_EQ(list["segments"][0]["groups"], 3);
}

TEST_F(JournalCommand, ShowPrintsOneLineARecord) {
  const ProgramResult result = Hawser({"journal", "show", Path("journal")});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 4) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("write"), HasSubstr("a/c"), HasSubstr("2023-11-14T22:13:20"),
                                HasSubstr("alpha")));
}

TEST_F(JournalCommand, ShowGivesJsonLinesWithEveryByteAccountedFor) {
  const auto records = Shown({});
  ASSERT_THAT(records, SizeIs(4));
  EXPECT_EQ(records[2]["kind"], "write");
  EXPECT_EQ(records[2]["path"], "a/c");
  EXPECT_EQ(records[2]["group"], 2);
  EXPECT_EQ(records[2]["payload_bytes"], 5);
  EXPECT_EQ(records[3]["new_path"], "b\\xff");
}

TEST_F(JournalCommand, ShowPicksByNumberVolumePathAndLimit) {
  EXPECT_EQ(ShownNumbers({"--from", "2", "--to", "3"}), (std::vector{2, 3}));
  EXPECT_EQ(ShownNumbers({"--volume", "mail"}), (std::vector{2, 4}));
  EXPECT_EQ(ShownNumbers({"--path", "a"}), (std::vector{1, 3}));
  EXPECT_EQ(ShownNumbers({"--path", "/a/"}), (std::vector{1, 3}));
  EXPECT_EQ(ShownNumbers({"--limit", "1"}), (std::vector{1}));
  EXPECT_EQ(ShownNumbers({"--limit", "0"}), (std::vector<int>{}));
  EXPECT_EQ(ShownNumbers({"--from", "99"}), (std::vector<int>{}));
}

TEST_F(JournalCommand, ShowSaysWhenThereIsNoSuchRecord) {
  const ProgramResult result = Hawser({"journal", "show", "--volume", "nope", Path("journal")});
  EXPECT_EQ(result.exit, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("is one of those asked for; 'hawser journal list'"));
}

TEST_F(JournalCommand, ShowRefusesAPathThatLeavesTheVolume) {
  const ProgramResult result = Hawser({"journal", "show", "--path", "../x", Path("journal")});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.err, HasSubstr("--path"));
}

TEST_F(JournalCommand, CheckOfASoundJournal) {
  const ProgramResult result = Hawser({"journal", "check", Path("journal")});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("4 records in 3 write groups"), HasSubstr("sound")));
  const auto report =
      json::parse(Hawser({"journal", "check", "--json", Path("journal")}).out, nullptr, false);
  EXPECT_EQ(report.value("sound", false), true);
  EXPECT_EQ(report["last_sequence"], 4);
}

TEST_F(JournalCommand, CheckFindsAFlippedBit) {
  Damage("hello");
  const ProgramResult result = Hawser({"journal", "check", Path("journal")});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.out, Not(HasSubstr("sound")));
  EXPECT_THAT(result.err, AllOf(HasSubstr("damaged in "), HasSubstr("up to record 2 is sound")));
  const auto report =
      json::parse(Hawser({"journal", "check", "--json", Path("journal")}).out, nullptr, false);
  EXPECT_EQ(report.value("sound", true), false);
  EXPECT_TRUE(report["damage"].contains("offset"));
}

TEST_F(JournalCommand, ShowStopsAtDamageAndSaysSo) {
  Damage("hello");
  const ProgramResult result = Hawser({"journal", "show", Path("journal")});
  EXPECT_EQ(result.exit, 3);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2) << result.out;
  EXPECT_THAT(result.err, HasSubstr("'hawser journal check' says more"));
}

TEST_F(JournalCommand, FolderWithoutJournalIsSaid) {
  for (const char* command : {"list", "show", "check"}) {
    const ProgramResult result = Hawser({"journal", command, folder()});
    EXPECT_EQ(result.exit, 3);
    EXPECT_THAT(result.err, HasSubstr("there is no journal in '" + folder() + "'"));
  }
}

TEST_F(JournalCommand, APrimaryKeepsNoJournal) {
  WriteConfig();
  const ProgramResult result = Hawser({"journal", "show", "--node", "alpha"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err,
              HasSubstr("a primary leaves that to the relay; without --node the relay's is read"));
}

TEST_F(JournalCommand, FolderComesFromTheConfig) {
  WriteConfig();
  std::filesystem::create_directories(Path("charlie"));
  std::filesystem::copy(Path("journal"), Path("relay"), std::filesystem::copy_options::recursive);
  std::filesystem::rename(Path("journal"), Path("charlie/journal"));
  EXPECT_EQ(Hawser({"journal", "check"}).exit, 0);
  EXPECT_EQ(Hawser({"journal", "check", "--node", "charlie"}).exit, 0);
  EXPECT_EQ(Hawser({"journal", "check", "--node", "alpha"}).exit, 3);
}

}  // namespace
}  // namespace hawser::test
