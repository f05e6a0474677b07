// `hawser journal lack` on folders that the test writes, with nothing running.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/journal/journal.h"
#include "common/record/codec.h"
#include "tests/cli/program.h"
#include "volume/store/checkpoint.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Timestamp kTime{1'700'000'000'000'000'000};

class JournalLack : public ProgramTest {
 protected:
  // The relay's journal has 3 groups of a create in docs and one in mail; charlie's has the first two of
  // them.
  void SetUp() override {
    WriteConfig();
    auto journal = Begin("relay", Progress());
    Group(*journal, 2);
    const Progress second = journal->durable();
    Group(*journal, 1);
    head_ = journal->durable();
    journal.reset();
    Progress nothing;
    nothing.position.journal = head_.position.journal;
    auto own = Begin("charlie/journal", nothing);
    Group(*own, 2);
    ASSERT_EQ(own->durable(), second);
  }

  std::unique_ptr<Journal> Begin(const std::string& name, const Progress& after) {
    std::filesystem::create_directories(Path(name));
    RecoveryReport report;
    auto journal = OpenJournal({.folder = Path(name)}, after, report);
    EXPECT_TRUE(journal) << journal.error().Text();
    return journal ? *std::move(journal) : nullptr;
  }

  // Appends `count` groups of two records each; `who` makes them of another history.
  static void Group(Journal& journal, int count, const std::string& who = "alpha") {
    for (int i = 0; i < count; ++i) {
      std::vector<Buffer> headers;
      for (const char* volume : {"docs", "mail"}) {
        const auto path = StorePath::Parse("f" + std::to_string(journal.appended().position.group.value));
        headers.push_back(
            EncodeRecord({VolumeName(volume), Generation(1), Origin{NodeName(who), 1, 1},
                          Create{FileId(10), *path, NodeKind::kRegular, 0644, 0, 0, 0, "", kTime}}));
      }
      ASSERT_TRUE(journal.Append(MakeFrame(journal.appended(), kTime, {{headers[0], {}}, {headers[1], {}}})));
      ASSERT_TRUE(journal.Flush());
    }
  }

  std::vector<json> Lines(const ProgramResult& result) const {
    std::vector<json> lines;
    std::istringstream text(result.out);
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line, nullptr, false));
    return lines;
  }

  Progress head_;
};

TEST_F(JournalLack, ListsAndCountsWhatComesAfterTheReplicasJournal) {
  const ProgramResult result = Hawser({"journal", "lack", "charlie"});
  EXPECT_EQ(result.exit, 1) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("charlie stands at 4 (group 2)"), HasSubstr("ends at 6 (group 3)"),
                                HasSubstr("it lacks 2 records in 1 write group"),
                                HasSubstr("create docs file 'f2'"), HasSubstr("create mail file 'f2'")));
  EXPECT_EQ(result.out.find("'f1'"), std::string::npos) << "a record that the replica has is listed";
}

TEST_F(JournalLack, GivesJsonLinesAndTheCountAtTheEnd) {
  const auto lines = Lines(Hawser({"journal", "lack", "--json", "charlie"}));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["sequence"], 5);
  EXPECT_EQ(lines[1]["sequence"], 6);
  EXPECT_EQ(lines[2]["at"], 4);
  EXPECT_EQ(lines[2]["end"], 6);
  EXPECT_EQ(lines[2]["lacks"]["records"], 2);
  EXPECT_EQ(lines[2]["lacks"]["volumes"]["mail"]["records"], 1);
}

TEST_F(JournalLack, LimitOnlyShortensTheList) {
  const auto lines = Lines(Hawser({"journal", "lack", "--json", "--limit", "0", "charlie"}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["lacks"]["records"], 2);
}

TEST_F(JournalLack, TakesFoldersWithoutAConfig) {
  std::filesystem::remove(Path("hawser.yaml"));
  EXPECT_EQ(Hawser({"journal", "lack", Path("charlie"), Path("relay")}).exit, 1);
  EXPECT_EQ(Hawser({"journal", "lack", Path("charlie/journal"), Path("relay")}).exit, 1);
}

TEST_F(JournalLack, AReplicaThatHasAllOrIsAheadLacksNothing) {
  const ProgramResult same = Hawser({"journal", "lack", Path("relay"), Path("relay")});
  EXPECT_EQ(same.exit, 0) << same.err;
  EXPECT_THAT(same.out, HasSubstr("it lacks nothing\n"));
  const ProgramResult ahead = Hawser({"journal", "lack", Path("relay"), "charlie"});
  EXPECT_EQ(ahead.exit, 0) << ahead.err;
  EXPECT_THAT(ahead.out, HasSubstr("it is ahead of this journal"));
}

TEST_F(JournalLack, HistoriesThatPartedAreToldWithThePlace) {
  auto own = Begin("charlie/journal", Progress());
  Group(*own, 1, "bravo");
  own.reset();
  for (const auto& [replica, journal] : {std::pair("charlie", "relay"), std::pair("relay", "charlie")}) {
    const ProgramResult result = Hawser({"journal", "lack", Path(replica), Path(journal)});
    EXPECT_EQ(result.exit, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("holds another history"), HasSubstr("the same up to 4 (group 2)")));
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(JournalLack, AReplicaAheadOnAnotherHistoryIsTold) {
  auto own = Begin("charlie/journal", Progress());
  Group(*own, 3, "bravo");
  own.reset();
  const auto lines = Lines(Hawser({"journal", "lack", "--json", "charlie"}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].value("differs", false), true);
  EXPECT_EQ(lines[0].value("same_up_to", 0), 4);
}

TEST_F(JournalLack, AnotherJournalIsAnotherHistory) {
  auto other = Begin("other", Progress());
  Group(*other, 3);
  other.reset();
  const ProgramResult result = Hawser({"journal", "lack", "charlie", Path("other")});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err, HasSubstr("it was made from journal " + head_.position.journal.Hex()));
}

TEST_F(JournalLack, AJournalThatNoLongerReachesBackIsSaid) {
  auto later = Begin("later", head_);
  Group(*later, 1);
  later.reset();
  const ProgramResult result = Hawser({"journal", "lack", "charlie", Path("later")});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("no longer has what came after 4 (group 2)"), HasSubstr("needs a sync")));
}

TEST_F(JournalLack, WithoutAJournalTheCheckpointsOfItsVolumesCount) {
  std::filesystem::create_directories(Path("alpha/docs"));
  auto own = Begin("charlie/journal", Progress());
  ASSERT_TRUE(WriteCheckpoint(Path("alpha/docs/checkpoint"), {.progress = own->durable(), .clean = false}));
  const ProgramResult result = Hawser({"journal", "lack", "alpha"});
  EXPECT_EQ(result.exit, 1) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("its stores may hold more"), HasSubstr("it lacks 1 record in")));
}

TEST_F(JournalLack, AFolderOfNeitherIsRefused) {
  std::filesystem::create_directories(Path("empty"));
  const ProgramResult result = Hawser({"journal", "lack", Path("empty")});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err, HasSubstr("neither a journal nor a checkpoint"));
}

// ---- what `hawser status` says from the same folders when no relay answers

class StatusWithoutRelay : public JournalLack {};

TEST_F(StatusWithoutRelay, TellsWhatIsKnownToBeMissing) {
  WriteFile("charlie/lock", "");
  json heard{{"journal", head_.position.journal.Hex()},
             {"sequence", head_.position.sequence.value},
             {"group", head_.position.group.value},
             {"digest", head_.position.digest.Hex()},
             {"journal_bytes", head_.journal_bytes},
             {"time", 0},
             {"heard", kTime.nanoseconds}};
  WriteFile("charlie/heard", heard.dump());
  const ProgramResult table = Hawser({"status"});
  EXPECT_EQ(table.exit, 3);
  EXPECT_THAT(table.err, HasSubstr("does not answer"));
  EXPECT_THAT(table.out, AllOf(HasSubstr("read from the state folders"), HasSubstr("charlie"),
                               HasSubstr("2023-11-14T22:13:20Z")));
  const auto status = json::parse(Hawser({"status", "--json"}).out, nullptr, false);
  const auto& charlie = status["nodes"]["charlie"];
  EXPECT_EQ(status["relay"]["state"], "unreachable");
  EXPECT_EQ(charlie["running"], false);
  EXPECT_EQ(charlie["role"], "secondary");
  EXPECT_EQ(charlie["received"], 4);
  EXPECT_EQ(charlie["head_heard"], 6);
  EXPECT_EQ(charlie["missing"], 2);
  EXPECT_FALSE(status["nodes"].contains("alpha")) << "its state folder is not here";
}

}  // namespace
}  // namespace hawser::test
