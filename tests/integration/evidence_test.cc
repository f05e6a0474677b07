// Nobody is taken for what its name says (DESIGN section 5b): configs of other groups, processes that serve
// one node twice, journals that have gone back, state folders that were lost.
#include <fmt/format.h>
#include <sys/xattr.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <thread>

#include "common/base/state_folder.h"
#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

// A machine with a copy of the group's config and its own folders for one node.
class SecondMachine {
 public:
  SecondMachine(const Cluster& cluster, std::string node)
      : node_(std::move(node)), daemons_(folder_.path()), folder_of_group_(cluster.folder()) {
    std::string text = Read(cluster.config());
    for (const std::string& path :
         {cluster.State(node_), cluster.Store(node_, "docs"), cluster.Store(node_, "mail"),
          cluster.Mount(node_, "docs"), cluster.Mount(node_, "mail")})
      text = std::regex_replace(text, std::regex(path + "([,\\s}])"), Here(path) + "$1");
    Write(config(), text);
    for (const std::string& volume : kVolumes) {
      std::filesystem::create_directories(Here(cluster.Store(node_, volume)));
      std::filesystem::create_directories(Here(cluster.Mount(node_, volume)));
    }
  }

  // Where here lies what lies there in the group's folder.
  std::string Here(const std::string& path) const {
    return folder_ / path.substr(folder_of_group_.size() + 1);
  }
  std::string config() const { return folder_ / "hawser.yaml"; }
  std::string Log() const { return Read(daemons_.Log(node_)); }
  HawserProgram program() const { return {HAWSER_PROGRAM, config(), folder_.path(), {}}; }

  Status Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = program().ServiceCommand(node_);
    command.insert(command.end(), more.begin(), more.end());
    HAWSER_TRY(daemons_.Launch(node_, command));
    return daemons_.AwaitReady(node_);
  }
  Status Stop() { return daemons_.Stop(node_); }

 private:
  const std::string node_;
  TempDir folder_;
  Daemons daemons_;
  const std::string folder_of_group_;
};

class EvidenceTest : public ::testing::Test {
 protected:
  bool LogHas(const std::string& process, const std::string& words) {
    return Read(cluster_.Log(process)).find(words) != std::string::npos;
  }
  void AwaitLog(const std::string& process, const std::string& words) {
    EXPECT_TRUE(WaitUntil([&] { return LogHas(process, words); })) << process << " never said: " << words;
  }
  // alpha's docs as `hawser status` has it.
  nlohmann::json StatusOf(const std::string& node) {
    const auto status = cluster_.GetStatus();
    return status ? (*status)["nodes"][node] : nlohmann::json();
  }
  std::string Docs(const std::string& node) const { return cluster_.Mount(node, "docs"); }

  Cluster cluster_;
};

TEST_F(EvidenceTest, AConfigOfAnotherGroupIsRefusedAndDisturbsNobody) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/before", "1");
  SecondMachine other(cluster_, "alpha");
  Write(other.config(), std::regex_replace(Read(other.config()), std::regex("^group: \\S+"), "group: other"));

  const auto mount = other.program().Run({"mount", "alpha"});
  ASSERT_OK(mount);
  EXPECT_EQ(mount->exit, 3) << mount->output;
  EXPECT_NE(mount->output.find("other"), std::string::npos) << mount->output;
  for (const char* command : {"status", "wait"}) {
    const auto result = other.program().Run({command});
    ASSERT_OK(result);
    EXPECT_EQ(result->exit, 3) << result->output;
    EXPECT_NE(result->output.find("group 'other'"), std::string::npos) << result->output;
  }

  Write(Docs("alpha") + "/after", "2");  // its session goes on
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(EvidenceTest, ASecondProcessOfALivePrimaryIsRefusedNamingTheFirst) {
  ASSERT_OK(cluster_.Start());
  SecondMachine twin(cluster_, "alpha");
  const auto refused = twin.program().Run({"mount", "alpha"});
  ASSERT_OK(refused);
  EXPECT_EQ(refused->exit, 3) << refused->output;
  EXPECT_NE(refused->output.find(cluster_.State("alpha")), std::string::npos) << refused->output;
  EXPECT_NE(refused->output.find("--take-over"), std::string::npos) << refused->output;
  Write(Docs("alpha") + "/file", "still the primary");
  EXPECT_OK(cluster_.CompareAllTrees());
}

// A clone of the machine, or its restored snapshot: nothing in its folders tells it from the first.
TEST_F(EvidenceTest, ACopyOfALivePrimarysFoldersIsRefusedToo) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "1");
  SecondMachine twin(cluster_, "alpha");
  for (const std::string& folder : {cluster_.State("alpha"), cluster_.Store("alpha", "docs")}) {
    const auto copied = RunCommand({"cp", "-aT", folder, twin.Here(folder)});
    ASSERT_OK(copied);
    ASSERT_EQ(copied->exit, 0) << copied->output;
  }
  const auto refused = twin.program().Run({"mount", "alpha"});
  ASSERT_OK(refused);
  EXPECT_EQ(refused->exit, 3) << refused->output;
  EXPECT_NE(refused->output.find(cluster_.State("alpha")), std::string::npos) << refused->output;
  Write(Docs("alpha") + "/file", "still the primary");
  EXPECT_OK(cluster_.CompareAllTrees());
}

// The sample: the first process counted what the second had written as applied, and after going back a file
// was missing on the primary.
TEST_F(EvidenceTest, WhoseSessionWasTakenOverStopsAndLosesNothingWhenItComesBack) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/by the first", "1");
  SecondMachine twin(cluster_, "alpha");
  ASSERT_OK(twin.Start({"--take-over"}));
  Write(twin.Here(Docs("alpha")) + "/by the second", "2");
  AwaitLog("alpha", "has been replaced by session");
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/refused"), EROFS);
  EXPECT_EQ(Read(Docs("alpha") + "/by the first"), "1");
  ASSERT_OK(twin.Stop());
  ASSERT_OK(cluster_.Stop("alpha"));

  ASSERT_TRUE(WaitUntil([&] { return !!cluster_.Start("alpha"); })) << "the twin is still taken for alive";
  EXPECT_EQ(Read(Docs("alpha") + "/by the second"), "2");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(EvidenceTest, ASecondProcessOfASecondaryEndsTheFirstOrIsRefused) {
  ASSERT_OK(cluster_.Start());
  SecondMachine twin(cluster_, "charlie");
  const auto refused = twin.program().Run({"mount", "charlie"});
  ASSERT_OK(refused);
  EXPECT_EQ(refused->exit, 3) << refused->output;

  ASSERT_OK(twin.Start({"--take-over"}));
  AwaitLog("charlie", "follows no more");
  Write(Docs("alpha") + "/after", "x");
  ASSERT_OK(cluster_.WaitForSecondaries());  // the second one is who is asked
  EXPECT_EQ(Read(twin.Here(Docs("charlie")) + "/after"), "x");
  EXPECT_FALSE(Exists(Docs("charlie") + "/after"));
}

// A journal that is older than what the primary was told is durable.
TEST_F(EvidenceTest, AJournalThatWentBackIsNoticedAndNothingIsWrittenOnItsFork) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/before", "1");
  ASSERT_OK(cluster_.Stop("relay"));
  const std::string backup = cluster_.folder() + "/backup";
  std::filesystem::copy(cluster_.journal(), backup, std::filesystem::copy_options::recursive);
  ASSERT_OK(cluster_.Start("relay"));
  Write(Docs("alpha") + "/acknowledged", "2");
  ASSERT_OK(cluster_.WaitForSecondaries());
  cluster_.Kill("relay");
  const std::string right = cluster_.folder() + "/right";
  std::filesystem::rename(cluster_.journal(), right);
  std::filesystem::rename(backup, cluster_.journal());

  ASSERT_OK(cluster_.Start("relay"));
  for (const std::string node : {"alpha", "charlie"}) {
    EXPECT_TRUE(WaitUntil([&] { return StatusOf(node)["state"] == "diverged"; })) << StatusOf(node);
    EXPECT_NE(StatusOf(node)["problem"].get<std::string>().find("records are missing"), std::string::npos)
        << StatusOf(node);
  }
  EXPECT_EQ((*cluster_.GetStatus())["relay"]["state"], "went_back");
  std::thread writer([&] { Write(Docs("alpha") + "/waits", "3"); });
  AwaitLog("alpha", "what became of changes is not known");
  EXPECT_EQ(Read(Docs("alpha") + "/acknowledged"), "2");

  // The right one comes back: nothing was lost, and who waited goes on.
  cluster_.Kill("relay");
  std::filesystem::remove_all(cluster_.journal());
  std::filesystem::rename(right, cluster_.journal());
  ASSERT_OK(cluster_.Start("relay"));
  writer.join();
  for (const std::string node : {"alpha", "charlie"})
    EXPECT_TRUE(WaitUntil([&] { return StatusOf(node)["state"] == "live"; })) << StatusOf(node);
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(Read(Docs("charlie") + "/waits"), "3");
}

TEST_F(EvidenceTest, DamageInAnOldSegmentOfTheRelaysJournalIsShownUntilItIsMended) {
  ASSERT_OK(cluster_.Start());
  // More than a segment.
  for (int i = 0; i < 70; ++i)
    Write(fmt::format("{}/file-{}", Docs("alpha"), i), std::string(1'000'000, 'x'));
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::string name = "00000000000000000001.hwj";
  const auto flip = [&] {
    std::fstream file(cluster_.journal() + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(1'000'000);
    const auto byte = static_cast<char>(file.get());
    file.seekp(1'000'000);
    file.put(static_cast<char>(byte ^ 1));
  };
  const auto restart = [&] {
    cluster_.Kill("relay");
    flip();
    ASSERT_OK(cluster_.Start("relay"));
  };
  const auto check = [&] { return *cluster_.Hawser({"status", "--check"}); };
  ASSERT_NO_FATAL_FAILURE(restart());
  EXPECT_TRUE(WaitUntil([&] { return (*cluster_.GetStatus())["relay"]["state"] == "journal_damaged"; }));
  EXPECT_EQ(check().exit, 1);
  EXPECT_NE(check().output.find("segment " + name + ", offset"), std::string::npos) << check().output;
  Write(Docs("alpha") + "/after", "writers go on");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Read(Docs("charlie") + "/after"), "writers go on");
  ASSERT_NO_FATAL_FAILURE(restart());  // the byte is as it was
  EXPECT_TRUE(WaitUntil([&] { return check().exit == 0; })) << check().output;
}

TEST_F(EvidenceTest, APrimaryDoesNotStartOnAJournalThatWentBackButACopyIsShown) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "1");
  ASSERT_OK(cluster_.WaitForSecondaries());
  ASSERT_OK(cluster_.StopAll());
  std::filesystem::remove_all(cluster_.journal());
  ASSERT_OK(cluster_.Start("relay"));
  const auto refused = cluster_.Hawser({"mount", "alpha"});
  ASSERT_OK(refused);
  EXPECT_EQ(refused->exit, 3) << refused->output;
  EXPECT_NE(refused->output.find("node alpha follows journal"), std::string::npos) << refused->output;
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/file"), "1");
  EXPECT_TRUE(WaitUntil([&] { return StatusOf("charlie")["state"] == "diverged"; })) << StatusOf("charlie");
}

// ---- a checkpoint knows its store

class StoreEvidenceTest : public EvidenceTest {
 protected:
  void Replace(const std::string& path, const std::string& by) {
    std::filesystem::rename(path, path + ".aside");
    std::filesystem::rename(by, path);
  }
  void PutBack(const std::string& path) {
    std::filesystem::remove_all(path);
    std::filesystem::rename(path + ".aside", path);
  }
  // As `cp -a` does, ids and marks too.
  std::string CopyOf(const std::string& path) {
    const auto copied = RunCommand({"cp", "-a", path, path + ".copy"});
    EXPECT_OK(copied);
    EXPECT_EQ(copied->exit, 0) << copied->output;
    return path + ".copy";
  }
  std::string EmptyFolder() {
    const std::string path = cluster_.folder() + "/empty";
    std::filesystem::create_directory(path);
    return path;
  }
  void ExpectRefused(const std::string& node) {
    const auto refused = cluster_.Hawser({"mount", node});
    ASSERT_OK(refused);
    EXPECT_EQ(refused->exit, 3) << refused->output;
    const std::string checkpoint = StateFolder(cluster_.State(node)).Checkpoint(VolumeName("docs"));
    for (const std::string& said :
         {cluster_.Store(node, "docs"), checkpoint, "hawser mount " + node + " --new-store docs"})
      EXPECT_NE(refused->output.find(said), std::string::npos) << refused->output;
  }
};

TEST_F(StoreEvidenceTest, AnEmptyFolderIsNotServedInTheStoresPlace) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "1");
  ASSERT_OK(cluster_.WaitForSecondaries());
  for (const std::string node : {"alpha", "charlie"}) {
    const std::string store = cluster_.Store(node, "docs");
    ASSERT_OK(cluster_.Stop(node));
    Replace(store, EmptyFolder());
    ExpectRefused(node);
    ExpectRefused(node);  // the first one hasn't made it a store
    PutBack(store);
    ASSERT_OK(cluster_.Start(node));
    EXPECT_EQ(Read(Docs(node) + "/file"), "1");
  }
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(StoreEvidenceTest, AnOlderCopyOfTheStoreIsNotServedInItsPlace) {
  ASSERT_OK(cluster_.Start());
  for (const std::string node : {"alpha", "charlie"}) {
    const std::string store = cluster_.Store(node, "docs");
    const std::string file = Docs("alpha") + "/" + node;
    Write(file, "old");
    ASSERT_OK(cluster_.WaitForSecondaries());
    ASSERT_OK(cluster_.Stop(node));
    const std::string copy = CopyOf(store);
    ASSERT_OK(cluster_.Start(node));
    Write(file, "new");
    ASSERT_OK(cluster_.WaitForSecondaries());
    ASSERT_OK(cluster_.Stop(node));
    Replace(store, copy);
    ExpectRefused(node);
    PutBack(store);
    ASSERT_OK(cluster_.Start(node));
    EXPECT_EQ(Read(Docs(node) + "/" + node), "new");
  }
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(StoreEvidenceTest, ANewStoreThatIsSaidToBeNewIsReplayed) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "1");
  ASSERT_OK(cluster_.WaitForSecondaries());
  for (const std::string node : {"alpha", "charlie"}) {
    ASSERT_OK(cluster_.Stop(node));
    // Not while there is something in it.
    const auto full = cluster_.Hawser({"mount", node, "--new-store", "docs"});
    ASSERT_OK(full);
    EXPECT_EQ(full->exit, 3) << full->output;
    EXPECT_NE(full->output.find("holds files"), std::string::npos) << full->output;
    Replace(cluster_.Store(node, "docs"), EmptyFolder());
    ASSERT_OK(cluster_.Start(node, {"--new-store", "docs"}));
    EXPECT_TRUE(WaitUntil([&] { return Exists(Docs(node) + "/file"); })) << node;
    EXPECT_EQ(Read(Docs(node) + "/file"), "1");
    ASSERT_OK(cluster_.Stop(node));
    ASSERT_OK(cluster_.Start(node));  // and is its store from then on
  }
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_OK(cluster_.CompareAllTrees());
}

// Ids come from the session, not from the state folder: a lost one brings none back.
// The stores are what is left of a group that lost everything else: nothing in the new journal is of them.
TEST_F(EvidenceTest, StoresThatFollowALostJournalAreNotTakenForThoseOfANewOne) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "1");
  ASSERT_OK(cluster_.WaitForSecondaries());
  ASSERT_OK(cluster_.Stop("charlie"));
  Write(Docs("alpha") + "/file", "2");
  ASSERT_OK(cluster_.StopAll());
  for (const std::string& lost : {cluster_.journal(), cluster_.State("alpha"), cluster_.State("charlie")})
    std::filesystem::remove_all(lost);

  ASSERT_OK(cluster_.Start("relay"));
  EXPECT_FALSE(cluster_.Start("alpha")) << "a store is served that the journal knows nothing of";
  ASSERT_OK(cluster_.Start("charlie"));  // to say so in its status
  EXPECT_TRUE(WaitUntil([&] { return cluster_.StateOf("charlie") == "needs_sync"; }));
  for (const char* node : {"alpha", "charlie"})
    EXPECT_TRUE(LogHas(node, "the store follows journal")) << Read(cluster_.Log(node));
}

TEST_F(EvidenceTest, NoFileIdIsGivenTwiceWhateverIsLost) {
  ASSERT_OK(cluster_.Start());
  std::set<std::string> given;
  const auto note = [&](const std::string& name) {
    Write(Docs("alpha") + "/" + name, name);
    std::array<char, 64> id{};
    const std::string file = cluster_.Store("alpha", "docs") + "/" + name;
    const auto size = getxattr(file.c_str(), "user.hawser.id", id.data(), id.size());
    ASSERT_GT(size, 0) << file;
    EXPECT_TRUE(given.emplace(id.data(), static_cast<std::size_t>(size)).second)
        << name << "'s id was given before";
  };
  note("one");
  note("two");
  ASSERT_OK(cluster_.Stop("alpha"));
  std::filesystem::remove(cluster_.State("alpha") + "/incarnation");
  ASSERT_TRUE(WaitUntil([&] { return !!cluster_.Start("alpha"); }));
  note("three");
  note("four");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(EvidenceTest, AConfigThatDiffersIsNamedInTheStatus) {
  ASSERT_OK(cluster_.Start());
  ASSERT_OK(cluster_.Stop("charlie"));
  const std::string same = Read(cluster_.config());
  Write(cluster_.config(),
        std::regex_replace(same, std::regex("primary: bravo"), "primary: bravo, fsync: relay"));
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_TRUE(WaitUntil([&] {
    return StatusOf("charlie").value("problem", "").find("config isn't the relay's") != std::string::npos;
  })) << StatusOf("charlie");
}

}  // namespace
}  // namespace hawser::test
