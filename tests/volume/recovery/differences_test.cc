// What a refusal by a store means, for each errno and each kind of record; what is noted, and what takes it
// off again.
#include "volume/recovery/differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/record/kinds.h"
#include "volume/recovery/may_pass.h"
#include "volume/store/redo.h"
#include "volume/store/store.h"

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr FileId kFile{100};
constexpr FileId kOther{101};
constexpr FileId kFolder{102};

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }

Record Named(Body body) {
  return {VolumeName("docs"), Generation(1), {NodeName("alpha"), 1, 1}, std::move(body)};
}

// One of each kind that changes a tree.
std::vector<Body> EachKind() {
  return {Write{kFile, Path("d/f"), 0, 3, {}, {}, {}},
          Truncate{kFile, Path("d/f"), 7, {}, {}, {}},
          Allocate{kFile, Path("d/f"), 0, 0, 9, {}, {}, {}},
          Create{kFile, Path("d/f"), NodeKind::kRegular, 0644, 0, 0, 0, {}, {}},
          Link{kFile, Path("g"), Path("d/f"), {}},
          Unlink{kFile, Path("d/f"), {}},
          Rmdir{kFolder, Path("d/f"), {}},
          Rename{kFile, Path("g"), Path("d/f"), RenameMode::kReplace, {}, {}},
          SetAttr{kFile, Path("d/f"), 0600, {}, {}, {}, {}},
          SetXattr{kFile, Path("d/f"), "user.x"},
          RemoveXattr{kFile, Path("d/f"), "user.x"}};
}

class DifferencesTest : public ::testing::Test {
 protected:
  Consequence Refuse(const Body& body, int code, bool has_room = true, bool remedied = false) {
    const Record record = Named(body);
    const Sequence sequence(next_++);
    Consequence consequence = Consequence::kTryAgain;
    for (int tries = 0; tries < 2 && consequence == Consequence::kTryAgain; ++tries) {
      consequence = differences_.Weigh({.record = record,
                                        .sequence = sequence,
                                        .payload = AsBytes("abc"),
                                        .error = Error{code, "no"},
                                        .has_room = has_room,
                                        .tried_before = tries > 0,
                                        .remedied = remedied,
                                        .redone = false});
    }
    return consequence;
  }
  void Take(Body body, bool other_names = false) {
    differences_.Took(Named(std::move(body)), Sequence(next_++), other_names);
  }
  bool Concern(Body body) const { return differences_.Concern(Named(std::move(body))); }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const Difference& entry : differences_.entries()) paths.push_back(entry.path.text());
    return paths;
  }

  Differences differences_;
  std::uint64_t next_ = 10;
};

TEST_F(DifferencesTest, EachErrnoOfEachKindIsWaitedOutOrNotedAndNothingElse) {
  for (const Body& body : EachKind()) {
    for (int code = 1; code < 134; ++code) {
      if (code == ENOENT || code == kStoreDiverged) continue;
      for (const bool has_room : {false, true}) {
        const std::string about = std::string(KindName(body)) + ": " + std::strerror(code);
        SCOPED_TRACE(about);
        differences_ = {};
        const Consequence consequence = Refuse(body, code, has_room);
        EXPECT_EQ(consequence, MayPass(code, has_room) ? Consequence::kWait : Consequence::kGoOn);
        EXPECT_EQ(differences_.empty(), consequence == Consequence::kWait);
        EXPECT_TRUE(differences_.empty() || std::ranges::count(Paths(), "d/f") == 1);
        differences_ = {};
        EXPECT_EQ(Refuse(body, code, has_room, true), Consequence::kGoOn) << "a remedy follows";
        EXPECT_TRUE(differences_.empty());
      }
    }
  }
}

TEST_F(DifferencesTest, WhatPasses) {
  for (const int code : {ENOSPC, EDQUOT, EMFILE, ENFILE, EIO, ENOMEM, EROFS})
    EXPECT_TRUE(MayPass(code, false));
  for (const int code : {EPERM, EACCES, E2BIG, EFBIG, ENAMETOOLONG, EOPNOTSUPP, EINVAL, EMLINK, ENOSPC})
    EXPECT_FALSE(MayPass(code, true)) << code;
}

TEST_F(DifferencesTest, NoRoomWhereThereIsRoomIsTriedOnceMoreFirst) {
  const Record record = Named(SetXattr{kFile, Path("f"), "user.x"});
  const Refused refused{.record = record,
                        .sequence = Sequence(1),
                        .payload = {},
                        .error = Error{ENOSPC, "no"},
                        .has_room = true,
                        .tried_before = false,
                        .remedied = false,
                        .redone = false};
  EXPECT_EQ(differences_.Weigh(refused), Consequence::kTryAgain);
  EXPECT_TRUE(differences_.empty());
}

TEST_F(DifferencesTest, WhatSomebodyElseHasChangedIsADivergenceUnlessItIsNoted) {
  for (const Body& body : EachKind()) {
    differences_ = {};
    EXPECT_EQ(Refuse(body, kStoreDiverged), Consequence::kDiverged) << KindName(body);
    EXPECT_EQ(Refuse(Create{kOther, Path("d"), NodeKind::kDirectory, 0, 0, 0, 0, {}, {}}, EPERM),
              Consequence::kGoOn);
    EXPECT_EQ(Refuse(body, kStoreDiverged), Consequence::kGoOn) << KindName(body);
  }
}

TEST_F(DifferencesTest, WhatTheRemedyEndsIsTakenOff) {
  for (const Body& body : EachKind()) {
    differences_ = {};
    ASSERT_EQ(Refuse(body, EPERM), Consequence::kGoOn);
    Record remedy = Named(SetAttr{kFile, Path("d/f"), {}, {}, {}, {}, {}});
    const Sequence refused = differences_.entries().front().sequence;
    remedy.remedy = RemedyOf{refused, false};
    differences_.Took(remedy, Sequence(next_++), false);
    EXPECT_FALSE(differences_.empty()) << KindName(body);
    remedy.remedy->last = true;
    differences_.Took(remedy, Sequence(next_++), false);
    EXPECT_TRUE(differences_.empty()) << KindName(body);
  }
}

TEST_F(DifferencesTest, RemovedOrReplacedIsRightAgain) {
  for (const Body& body : EachKind()) {
    differences_ = {};
    ASSERT_EQ(Refuse(body, EPERM), Consequence::kGoOn);
    // What should have gone before has to be seen to be gone.
    if (TakesNames(body)) {
      ASSERT_EQ(Refuse(Unlink{kFile, Path("d/f"), {}}, ENOENT), Consequence::kGoOn);
    } else {
      Take(Unlink{kFile, Path("d/f"), {}});
    }
    EXPECT_THAT(Paths(), ::testing::Not(::testing::Contains("d/f"))) << KindName(body);
    differences_ = {};
    ASSERT_EQ(Refuse(body, EPERM), Consequence::kGoOn);
    Take(Rename{kOther, Path("o"), Path("d/f"), RenameMode::kReplace, kFile, {}});
    EXPECT_THAT(Paths(), ::testing::Not(::testing::Contains("d/f"))) << KindName(body);
  }
}

TEST_F(DifferencesTest, WhatIsSetAgainIsRightAgain) {
  Refuse(SetXattr{kFile, Path("f"), "user.x"}, ENOSPC);
  Take(SetXattr{kFile, Path("f"), "user.y"});
  EXPECT_THAT(Paths(), ElementsAre("f"));
  Take(RemoveXattr{kFile, Path("f"), "user.x"});
  EXPECT_THAT(Paths(), IsEmpty());

  Refuse(SetAttr{kFile, Path("f"), 0600, 5, {}, {}, {}}, EPERM);
  Take(SetAttr{kFile, Path("f"), 0640, {}, {}, {}, {}});
  ASSERT_THAT(Paths(), ElementsAre("f"));
  EXPECT_FALSE(std::get<SetAttr>(differences_.entries().front().record.body).mode) << "set since";
  Take(SetAttr{kFile, Path("f"), {}, 6, {}, {}, {}});
  EXPECT_THAT(Paths(), IsEmpty());

  Refuse(Truncate{kFile, Path("f"), 1 << 20, {}, {}, {}}, EFBIG);
  Take(Write{kFile, Path("f"), 0, 3, {}, {}, {}});
  EXPECT_THAT(Paths(), ElementsAre("f"));
  Take(Truncate{kFile, Path("f"), 0, {}, {}, {}});
  EXPECT_THAT(Paths(), IsEmpty());
}

// In a write group a file's records stand in their order: an earlier one doesn't undo what a later one lacks.
TEST_F(DifferencesTest, OnlyLaterRecordsMakeItRight) {
  next_ = 20;
  Refuse(SetXattr{kFile, Path("f"), "user.x"}, ENOSPC);
  next_ = 19;
  Take(SetXattr{kFile, Path("f"), "user.x"});
  EXPECT_THAT(Paths(), ElementsAre("f"));
}

TEST_F(DifferencesTest, RecordsBelowAFolderThatIsMissingAreGoneOnWithoutAndNotNotedEach) {
  Refuse(Create{kFolder, Path("d"), NodeKind::kDirectory, 0755, 0, 0, 0, {}, {}}, ENOSPC);
  EXPECT_EQ(Refuse(Create{kFile, Path("d/f"), NodeKind::kRegular, 0644, 0, 0, 0, {}, {}}, ENOENT),
            Consequence::kGoOn);
  EXPECT_EQ(Refuse(Write{kFile, Path("d/f"), 0, 3, {}, {}, {}}, ENOENT), Consequence::kGoOn);
  EXPECT_THAT(Paths(), ElementsAre("d"));
  EXPECT_FALSE(differences_.entries().front().repeatable) << "an empty folder would not be right";
  EXPECT_EQ(Refuse(Unlink{kFile, Path("d/f"), {}}, ENOENT), Consequence::kGoOn);
  EXPECT_THAT(Paths(), ElementsAre("d"));
  EXPECT_EQ(Refuse(Rmdir{kFolder, Path("d"), {}}, ENOENT), Consequence::kGoOn);
  EXPECT_THAT(Paths(), IsEmpty());
}

// As programs save: a new file under another name, then over the old one.
TEST_F(DifferencesTest, MissingFileThatIsRenamedIsMissingThere) {
  Refuse(Create{kFile, Path("f.new"), NodeKind::kSymlink, 0777, 0, 0, 0, "far", {}}, ENAMETOOLONG);
  const Rename rename{kFile, Path("f.new"), Path("f"), RenameMode::kReplace, kOther, {}};
  EXPECT_EQ(Refuse(rename, ENOENT), Consequence::kGoOn);
  EXPECT_THAT(Paths(), ElementsAre("f"));
  EXPECT_FALSE(Concern(Create{FileId(300), Path("f.new"), NodeKind::kRegular, 0, 0, 0, 0, {}, {}}));
}

TEST_F(DifferencesTest, PathsMoveWithTheirFolders) {
  Refuse(SetXattr{kFile, Path("d/f"), "user.x"}, ENOSPC);
  Take(Rename{kFolder, Path("d"), Path("e"), RenameMode::kReplace, {}, {}});
  ASSERT_THAT(Paths(), ElementsAre("e/f"));
  EXPECT_EQ(std::get<SetXattr>(differences_.entries().front().record.body).path, Path("e/f"));
  EXPECT_TRUE(differences_.entries().front().repeatable);
  Take(Rename{kFolder, Path("e"), Path("x"), RenameMode::kExchange, kOther, {}});
  EXPECT_THAT(Paths(), ElementsAre("x/f"));
  Take(Rename{kFolder, Path("y"), Path("x"), RenameMode::kExchange, kOther, {}});
  EXPECT_THAT(Paths(), ElementsAre("y/f"));
}

TEST_F(DifferencesTest, RefusedRenameDiffersAtBothPaths) {
  Refuse(Rename{kFile, Path("a"), Path("b"), RenameMode::kReplace, kOther, {}}, ENOSPC);
  EXPECT_THAT(Paths(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(Refuse(Unlink{kFile, Path("b"), {}}, kStoreDiverged), Consequence::kGoOn);
  EXPECT_EQ(Refuse(Create{FileId(300), Path("a"), NodeKind::kRegular, 0, 0, 0, 0, {}, {}}, kStoreDiverged),
            Consequence::kGoOn);
  EXPECT_THAT(Paths(), ::testing::IsSupersetOf({"a", "b"}));
  EXPECT_THAT(Paths(), ::testing::Each(::testing::AnyOf("a", "b")));
}

// As lock files come and go, where something stays that should have gone.
TEST_F(DifferencesTest, NameThatIsMadeAndTakenAwayOverAndOverIsNotedOnce) {
  Refuse(Unlink{kFile, Path("lock"), {}}, EPERM);
  for (std::uint64_t i = 0; i < 2 * kMostDifferences; ++i) {
    const FileId file(300 + i);
    ASSERT_EQ(Refuse(Create{file, Path("lock"), NodeKind::kRegular, 0, 0, 0, 0, {}, {}}, kStoreDiverged),
              Consequence::kGoOn)
        << i;
    ASSERT_EQ(Refuse(Write{file, Path("lock"), 0, 3, {}, {}, {}}, kStoreDiverged), Consequence::kGoOn) << i;
    ASSERT_EQ(Refuse(Unlink{file, Path("lock"), {}}, kStoreDiverged), Consequence::kGoOn) << i;
    ASSERT_THAT(Paths(), ElementsAre("lock"));
  }
}

// The new name is missing, but the file isn't: what is written by the one is to be seen by the others.
TEST_F(DifferencesTest, LinkedFileIsKnownByItsId) {
  Refuse(Rename{kFolder, Path("d"), Path("e"), RenameMode::kReplace, {}, {}}, EPERM);
  ASSERT_EQ(Refuse(Link{kFile, Path("f"), Path("e/f"), {}}, kStoreDiverged), Consequence::kGoOn);
  ASSERT_EQ(Refuse(Write{kFile, Path("e/f"), 0, 3, {}, {}, {}}, ENOENT), Consequence::kGoOn);
  EXPECT_TRUE(Concern(Write{kFile, Path("f"), 0, 3, {}, {}, {}}));
  ASSERT_EQ(Refuse(Unlink{kFile, Path("e/f"), {}}, ENOENT), Consequence::kGoOn);
  EXPECT_TRUE(Concern(Write{kFile, Path("f"), 0, 3, {}, {}, {}})) << "its content is still the old one";
  EXPECT_THAT(differences_.Nameless(), ElementsAre(kFile));
  Take(Truncate{kFile, Path("f"), 0, {}, {}, {}});
  EXPECT_FALSE(Concern(Write{kFile, Path("f"), 0, 3, {}, {}, {}}));
}

TEST_F(DifferencesTest, FilesBelowAFolderThatWasMovedAreKnownByTheirIdsOnceEach) {
  Refuse(Rename{kFolder, Path("d"), Path("e"), RenameMode::kReplace, {}, {}}, EPERM);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Refuse(Write{kFile, Path("e/f"), 0, 3, {}, {}, {}}, ENOENT), Consequence::kGoOn);
    ASSERT_EQ(Refuse(SetAttr{kFile, Path("e/f"), 0600, {}, {}, {}, {}}, ENOENT), Consequence::kGoOn);
  }
  EXPECT_THAT(Paths(), UnorderedElementsAre("d", "e", "e/f", "e/f"));
}

TEST_F(DifferencesTest, FileThatIsNowhereDiffersNowhere) {
  Refuse(SetXattr{kFile, Path("f"), "user.x"}, ENOSPC);
  Refuse(SetXattr{kOther, Path("g"), "user.x"}, ENOSPC);
  Take(Unlink{kFile, Path("f"), {}}, true);
  Take(Rename{FileId(300), Path("h"), Path("g"), RenameMode::kReplace, kOther, {}}, true);
  EXPECT_THAT(differences_.Nameless(), ElementsAre(kFile, kOther));
  differences_.Found({kOther});
  EXPECT_THAT(differences_.Nameless(), ElementsAre(kOther));
  EXPECT_TRUE(Concern(Rename{FileId(301), Path("i"), Path("k"), RenameMode::kReplace, kOther, {}}))
      << "it may lose its last name";
  differences_.Found({});
  EXPECT_TRUE(differences_.empty());
}

// The folder that is there isn't the one that the journal means: what was made in it would be in both.
TEST_F(DifferencesTest, NothingNewIsMadeInAFolderThatIsAnotherOne) {
  Refuse(Rename{kFolder, Path("d"), Path("e"), RenameMode::kReplace, FileId(300), {}}, EPERM);
  const auto may = [this](Body body) {
    return static_cast<bool>(differences_.MannerOf(Named(std::move(body))));
  };
  EXPECT_FALSE(may(Create{kFile, Path("e/f"), NodeKind::kRegular, 0644, 0, 0, 0, {}, {}}));
  EXPECT_FALSE(may(Link{kFile, Path("f"), Path("e/x/f"), {}}));
  EXPECT_FALSE(may(Rename{kFile, Path("f"), Path("e/f"), RenameMode::kReplace, {}, {}}));
  EXPECT_FALSE(may(Rename{kFile, Path("e/f"), Path("f"), RenameMode::kExchange, kOther, {}}));
  EXPECT_TRUE(may(Rename{kFile, Path("e/f"), Path("f"), RenameMode::kReplace, {}, {}}));
  EXPECT_TRUE(may(Create{kFile, Path("e"), NodeKind::kRegular, 0644, 0, 0, 0, {}, {}}));
  EXPECT_TRUE(may(Unlink{kFile, Path("e/f"), {}}));
}

TEST_F(DifferencesTest, RenameIsTriedAgainOnlyIfNeitherOfItsPathsWasMetSince) {
  for (const char* met : {"a", "b"}) {
    differences_ = {};
    Refuse(Rename{kFolder, Path("a"), Path("b"), RenameMode::kReplace, {}, {}}, ENOSPC);
    for (const Difference& entry : differences_.entries()) EXPECT_TRUE(differences_.MayRepeat(entry));
    const StorePath below = Path(met).Child("f");
    Refuse(Create{kFile, below, NodeKind::kRegular, 0644, 0, 0, 0, {}, {}}, ENOENT);
    for (const Difference& entry : differences_.entries())
      EXPECT_FALSE(differences_.MayRepeat(entry)) << entry.path.text() << " of " << met;
  }
}

TEST_F(DifferencesTest, WhatIsBelowAnotherFolderIsTriedAgainAfterThat) {
  Refuse(Rename{kFolder, Path("a"), Path("b"), RenameMode::kReplace, {}, {}}, ENOSPC);
  Refuse(SetXattr{kFile, Path("b/f"), "user.x"}, EPERM);
  EXPECT_FALSE(differences_.MayRepeat(differences_.entries().back()));
  differences_.Repeated(Difference(differences_.entries().front()));
  ASSERT_THAT(Paths(), ElementsAre("b/f"));
  EXPECT_TRUE(differences_.MayRepeat(differences_.entries().back()));
}

// Of a redo: it has found the file by its id, but where that should have been something else is.
TEST_F(DifferencesTest, NameThatStaysIsNoted) {
  Refuse(Create{kFile, Path("a"), NodeKind::kRegular, 0644, 0, 0, 0, {}, {}}, EPERM);
  EXPECT_EQ(Refuse(Rename{kFile, Path("a"), Path("b"), RenameMode::kReplace, {}, {}}, kNameStays),
            Consequence::kGoOn);
  EXPECT_THAT(Paths(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(Refuse(Unlink{kFile, Path("b"), {}}, kNameStays), Consequence::kGoOn);
  EXPECT_THAT(Paths(), UnorderedElementsAre("a", "b"));
}

TEST_F(DifferencesTest, EmptiedFileKeepsTheModeThatItLacks) {
  Refuse(Write{kFile, Path("f"), 0, 3, {}, {}, 0755}, EPERM);
  Take(Truncate{kFile, Path("f"), 0, {}, {}, {}});
  ASSERT_THAT(Paths(), ElementsAre("f"));
  Take(SetAttr{kFile, Path("f"), 0600, {}, {}, {}, {}});
  EXPECT_TRUE(differences_.empty());
}

TEST_F(DifferencesTest, FileThatLosesOneOfItsNamesDiffersUnderTheOthers) {
  Refuse(SetXattr{kFile, Path("f"), "user.x"}, ENOSPC);
  Take(Unlink{kFile, Path("f"), {}}, true);
  EXPECT_FALSE(differences_.empty());
  Take(Create{kOther, Path("f"), NodeKind::kRegular, 0, 0, 0, 0, {}, {}});
  Take(Unlink{kOther, Path("f"), {}});
  EXPECT_FALSE(differences_.empty()) << "another file had the name";
  Take(Write{kFile, Path("g"), 0, 3, {}, {}, {}});
  EXPECT_THAT(Paths(), ElementsAre("g"));
  Take(Unlink{kFile, Path("g"), {}}, false);
  EXPECT_TRUE(differences_.empty());
}

TEST_F(DifferencesTest, OnlySoManyAreNotedThenReplayWaits) {
  for (std::size_t i = 0; i < kMostDifferences; ++i) {
    ASSERT_EQ(
        Refuse(Create{FileId(1000 + i), Path("f" + std::to_string(i)), NodeKind::kFifo, 0, 0, 0, 0, {}, {}},
               EPERM),
        Consequence::kGoOn)
        << i;
  }
  EXPECT_EQ(Refuse(Create{FileId(9), Path("one more"), NodeKind::kFifo, 0, 0, 0, 0, {}, {}}, EPERM),
            Consequence::kWait);
  EXPECT_EQ(Paths().size(), kMostDifferences);
}

TEST_F(DifferencesTest, ComesBackFromTheDiskAsItWas) {
  for (const Body& body : EachKind()) Refuse(body, EPERM);
  const auto decoded = Differences::Decode(differences_.Encode());
  ASSERT_TRUE(decoded) << decoded.error().Text();
  EXPECT_EQ(decoded->Encode(), differences_.Encode());
  EXPECT_EQ(decoded->Texts(), differences_.Texts());
  EXPECT_THAT(differences_.Texts(), ::testing::Contains(HasSubstr("'d/f': ")));
  Buffer damaged = differences_.Encode();
  damaged.pop_back();
  EXPECT_FALSE(Differences::Decode(damaged));
}

}  // namespace
}  // namespace hawser
