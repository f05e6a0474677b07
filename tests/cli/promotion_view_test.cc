#include "cli/promotion_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

using ::testing::HasSubstr;

// docs has moved and is served, mail has moved and isn't served yet, news has not moved.
Promotion Three() {
  Promotion promotion;
  promotion.volumes = {
      {VolumeName("docs"), "alpha", Generation(2), true, Sequence(1200), Sequence(1201), true},
      {VolumeName("mail"), "bravo", Generation(4), false, Sequence(1200), Sequence(900), false},
      {VolumeName("news"), "bravo", Generation(0), false, Sequence(0), Sequence(900), false},
  };
  return promotion;
}

TEST(PromotionView, JsonHasWhatHasMoved) {
  const Json json = PromotionJson(Three(), "charlie", 0.5);
  EXPECT_EQ(json.dump(),
            R"({"volumes":{"docs":{"from":"alpha","to":"charlie","generation":2,"acknowledged":1200,)"
            R"("applied":1201,"lost":0,"planned":true},"mail":{"from":"bravo","to":"charlie","generation":4,)"
            R"("acknowledged":1200,"applied":900,"lost":null,"planned":false}},"seconds":0.5})");
}

TEST(PromotionView, AFirstPrimaryTakesOverFromNobodyAndANoteIsSaid) {
  Promotion promotion;
  promotion.settled = true;
  promotion.progress = "mail stayed";
  promotion.volumes = {{VolumeName("docs"), "", Generation(2), false, Sequence(3), Sequence(1), true}};
  const Json json = PromotionJson(promotion, "charlie", 1);
  EXPECT_TRUE(json["volumes"]["docs"]["from"].is_null());
  EXPECT_EQ(json["volumes"]["docs"]["lost"], 2);
  EXPECT_EQ(json["note"], "mail stayed");
}

TEST(PromotionView, TheTableHasARowForWhatHasMoved) {
  EXPECT_EQ(PromotionTable(Three(), "charlie", false),
            "VOLUME  FROM   TO       GENERATION  ACKNOWLEDGED  APPLIED  LOST  HOW\n"
            "docs    alpha  charlie           2         1,200    1,201     0  planned\n"
            "mail    bravo  charlie           4         1,200      900     ?  failover\n");
  EXPECT_EQ(PromotionTable({}, "charlie", false), "");
}

TEST(PromotionView, OfWhatItHadAlreadyTheTableSaysSo) {
  Promotion promotion;
  promotion.volumes = {{VolumeName("docs"), "charlie", Generation(2), true, Sequence(3), Sequence(3), true}};
  EXPECT_THAT(PromotionTable(promotion, "charlie", false), HasSubstr("docs    -     charlie"));
  EXPECT_THAT(PromotionTable(promotion, "charlie", false), HasSubstr("as before"));
}

TEST(PromotionView, DoneIsOneSentence) {
  EXPECT_EQ(PromotionDone(Three(), "charlie", 0.82),
            "node charlie is primary of docs, mail, news; after 0.8 s");
}

}  // namespace
}  // namespace hawser::cli
