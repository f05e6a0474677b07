#include "cli/output.h"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

TEST(Output, TableAlignsColumnsAndLeavesNoTrailingBlanks) {
  Table table({{"NAME"}, {"LAG", true}, {"PROBLEM"}}, /*with_colour=*/false);
  table.Add({{"alpha"}, {"7"}, {""}});
  table.Add({{"b"}, {"1,000"}, {"late"}});
  EXPECT_EQ(table.Text(),
            "NAME     LAG  PROBLEM\n"
            "alpha      7\n"
            "b      1,000  late\n");
}

TEST(Output, TableCountsCharactersNotBytes) {
  Table table({{"A"}, {"B"}}, false);
  table.Add({{"ü"}, {"x"}});
  table.Add({{"ab"}, {"y"}});
  EXPECT_EQ(table.Text(), "A   B\nü   x\nab  y\n");
}

TEST(Output, ColourSurroundsTextOnlyWhenAskedFor) {
  Table table({{"A"}}, true);
  table.Add({{"bad", Colour::kBad}});
  EXPECT_NE(table.Text().find("\033[1;31mbad\033[0m"), std::string::npos);
}

TEST(Output, Utf8KeepsTextAndEscapesOtherBytes) {
  EXPECT_EQ(Utf8("plain"), "plain");
  EXPECT_EQ(Utf8("b\xc3\xbc\x63her"), "bücher");
  EXPECT_EQ(Utf8("a\\b"), "a\\b");
  EXPECT_EQ(Utf8("a\xff\\"), "a\\xff\\\\");
  EXPECT_EQ(Utf8("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(Utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(Utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  EXPECT_EQ(Utf8("\xe2\x82"), "\\xe2\\x82");                    // cut off
  EXPECT_EQ(Utf8("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(Output, PrintableHasNoControlCharacters) {
  EXPECT_EQ(Printable("a\nb\033[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
}

TEST(Output, NumbersForPeople) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
  EXPECT_EQ(Counted(1, "record"), "1 record");
  EXPECT_EQ(Counted(1000, "record"), "1,000 records");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(HumanSeconds(0.25), "0.2 s");
  EXPECT_EQ(HumanSeconds(600), "10 min");
  EXPECT_EQ(HumanSeconds(86'400), "24.0 h");
}

}  // namespace
}  // namespace hawser::cli
