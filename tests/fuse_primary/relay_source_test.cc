// What a recovery is told of the relay's answers to its pulls.
#include "fuse_primary/relay_source.h"

#include <gmock/gmock.h>

#include "common/record/codec.h"
#include "tests/support/ok.h"

namespace hawser {
namespace {

class RelaySourceTest : public testing::Test {
 protected:
  RelaySourceTest() { start_.position.journal = JournalId::Random(); }

  // The next group of the relay's journal, with a record of each of these volumes.
  void Append(const std::vector<std::string>& volumes) {
    std::vector<Buffer> headers;
    std::vector<Entry> entries;
    headers.reserve(volumes.size());
    for (const std::string& volume : volumes) {
      headers.push_back(EncodeRecord({VolumeName(volume), Generation(1), {}, Mark{"a"}}));
      entries.push_back({headers.back(), {}});
    }
    const Progress& last = ends_.empty() ? start_ : ends_.back();
    const Frame frame = MakeFrame(last, Timestamp{1}, std::move(entries));
    frames_.insert(frames_.end(), frame.front.begin(), frame.front.end());
    for (const Buffer& header : headers) frames_.insert(frames_.end(), header.begin(), header.end());
    ends_.push_back(frame.header.progress());
  }

  Result<ReplayBatch> Answer(PullReply::Answer answer, const Progress& after, std::uint64_t last) {
    const PullReply reply{.answer = answer, .text = "what the relay says", .head = {}};
    return BatchFrom(Incoming::Of(MessageType::kFrames, {Encode(reply), frames_}), {after, Group(last)},
                     volumes_);
  }
  int CodeOf(PullReply::Answer answer) { return Answer(answer, start_, 9).error().code; }

  Progress start_;
  std::vector<Progress> ends_;
  Buffer frames_;
  const std::vector<VolumeName> volumes_{VolumeName("docs")};
};

constexpr auto kFrames = PullReply::Answer::kFrames;

TEST_F(RelaySourceTest, FramesAreGroupsWithTheRecordsOfTheVolumes) {
  Append({"docs", "mail"});
  Append({"mail"});
  const auto batch = Answer(kFrames, start_, 9);
  ASSERT_OK(batch);
  ASSERT_EQ(batch->groups.size(), 2U);
  EXPECT_EQ(batch->groups[0].end, ends_[0]);
  ASSERT_EQ(batch->groups[0].records.size(), 1U);
  EXPECT_EQ(batch->groups[0].records[0].record.volume, VolumeName("docs"));
  EXPECT_TRUE(batch->groups[1].records.empty());
}

TEST_F(RelaySourceTest, GroupsAfterTheLastOneWantedAreLeftOut) {
  Append({"docs"});
  Append({"docs"});
  const auto batch = Answer(kFrames, start_, 1);
  ASSERT_OK(batch);
  EXPECT_EQ(batch->groups.size(), 1U);
}

TEST_F(RelaySourceTest, FramesThatDontFollowAreRefused) {
  Append({"docs"});
  const Progress first = ends_.back();
  Append({"docs"});
  const auto batch = Answer(kFrames, first, 9);  // they begin before it
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, EBADMSG);
}

TEST_F(RelaySourceTest, FramesWithAnotherByteAreRefused) {
  Append({"docs"});
  frames_.back() ^= std::byte{1};
  EXPECT_EQ(CodeOf(kFrames), EBADMSG);
}

TEST_F(RelaySourceTest, PositionThatIsGoneAndPositionOfAnotherHistoryAreToldApart) {
  EXPECT_EQ(CodeOf(PullReply::Answer::kGone), ENODATA);
  EXPECT_EQ(CodeOf(PullReply::Answer::kDiverged), ESTALE);
}

TEST_F(RelaySourceTest, RelayThatCantReadItsJournalIsAnError) {
  EXPECT_EQ(CodeOf(PullReply::Answer::kFailed), EIO);
  EXPECT_THAT(Answer(PullReply::Answer::kFailed, start_, 9).error().message,
              testing::HasSubstr("what the relay says"));
}

TEST_F(RelaySourceTest, AnswerToSomethingElseIsAnError) {
  const auto batch =
      BatchFrom(Incoming::Of(MessageType::kAnswers, {Encode(Answers{})}), {start_, Group(9)}, volumes_);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, EPROTO);
}

}  // namespace
}  // namespace hawser
