#include "common/record/kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace hawser {
namespace {

using ::testing::ElementsAre;

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }

// One of each kind, with nothing set.
template <class... Rs>
std::vector<Body> OneOfEach(const std::variant<Rs...>*) {
  return {Body(Rs{})...};
}
std::vector<Body> OneOfEach() { return OneOfEach(static_cast<const Body*>(nullptr)); }

std::vector<std::string> PathsIn(const Body& body) {
  std::vector<std::string> paths;
  ForEachPath(body, [&](const StorePath& path) { paths.push_back(path.text()); });
  return paths;
}

std::vector<FileId> FileIdsIn(const Body& body) {
  std::vector<FileId> ids;
  ForEachFileId(body, [&](FileId id) { ids.push_back(id); });
  return ids;
}

TEST(RecordKinds, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Body& body : OneOfEach()) names.insert(KindName(body));
  EXPECT_EQ(names.size(), std::variant_size_v<Body>);
}

TEST(RecordKinds, ControlRecordsAreAboutNoFileAndNoPath) {
  for (const Body& body : OneOfEach()) {
    EXPECT_EQ(PathsIn(body).empty(), IsControl(body)) << KindName(body);
    EXPECT_EQ(FileIdsIn(body).empty(), IsControl(body)) << KindName(body);
    if (IsControl(body)) {
      EXPECT_EQ(FileOf(body), kNoFileId) << KindName(body);
    }
  }
  EXPECT_TRUE(IsControl(Promote{NodeName("bravo")}));
  EXPECT_FALSE(IsControl(SetAttr{}));
}

TEST(RecordKinds, AllButSessionsAreAboutOneVolume) {
  for (const Body& body : OneOfEach())
    EXPECT_EQ(HasVolume(body), !std::holds_alternative<NodeSession>(body)) << KindName(body);
}

TEST(RecordKinds, ARenameNamesBothPathsAndWhatItReplaces) {
  const Body plain = Rename{FileId(7), Path("a/b"), Path("c"), RenameMode::kReplace, {}, {}};
  EXPECT_THAT(PathsIn(plain), ElementsAre("a/b", "c"));
  EXPECT_THAT(FileIdsIn(plain), ElementsAre(FileId(7)));
  const Body over = Rename{FileId(7), Path("a/b"), Path("c"), RenameMode::kReplace, FileId(8), {}};
  EXPECT_THAT(FileIdsIn(over), ElementsAre(FileId(7), FileId(8)));
  EXPECT_EQ(FileOf(over), FileId(7));
}

TEST(RecordKinds, FileIdsCanBeReplaced) {
  Body body = Rename{FileId(7), Path("a"), Path("b"), RenameMode::kExchange, FileId(8), {}};
  ForEachFileId(body, [](FileId& id) { id = FileId(id.value + 100); });
  EXPECT_THAT(FileIdsIn(body), ElementsAre(FileId(107), FileId(108)));
}

TEST(RecordKinds, NamesAreTakenByWhatRemovesOrMovesThem) {
  std::vector<std::string_view> taking;
  for (const Body& body : OneOfEach()) {
    if (TakesNames(body)) taking.push_back(KindName(body));
  }
  EXPECT_THAT(taking, ElementsAre("unlink", "rmdir", "rename"));
}

TEST(RecordKinds, PayloadsBelongToWritesAndXattrValuesOnly) {
  Write write;
  write.length = 512;
  EXPECT_EQ(PayloadBytes(write), 512u);
  EXPECT_EQ(PayloadBytes(SetXattr{}), std::nullopt);
  for (const Body& body : OneOfEach()) {
    if (std::holds_alternative<SetXattr>(body)) continue;
    EXPECT_EQ(PayloadBytes(body), 0u) << KindName(body);
  }
}

TEST(RecordKinds, FieldsAreGivenInTheOrderOfTheFormat) {
  std::vector<std::string> names;
  const Link link;
  ForEachField(link, [&](const char* name, const auto&) { names.emplace_back(name); });
  EXPECT_THAT(names, ElementsAre("file", "path", "new_path", "time"));
}

}  // namespace
}  // namespace hawser
