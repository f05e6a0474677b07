// What people get wrong in YAML: each slip has a message of its own, for the line where it was made.
#include "common/config/yaml_lines.h"
#include "tests/common/config/bad_config.h"

namespace hawser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class YamlSlip : public ::testing::TestWithParam<BadConfig> {};

TEST_P(YamlSlip, IsNamedInTheLineWhereItWasMade) { ExpectRefused(GetParam()); }

const BadConfig kSlips[] = {
    // Blanks
    {"Tab", "  address:", "\taddress:", 3, {"indented with a tab", "spaces only"}},
    {"TabBehindSpaces", "  address:", "  \taddress:", 3, {"indented with a tab"}},
    {"TabsDeeper", "      mail:\n", "\t\t\tmail:\n", 21, {"indented with a tab"}},
    {"TabBeforeAComment", "volumes:", "\t# all of them\nvolumes:", 8, {"with a tab"}},
    {"TabInAnEmptyLine", "volumes:", "\t\nvolumes:", 8, {"with a tab"}},
    {"NoBreakSpace", "  address:", "\u00a0 address:", 3, {"no-break space", "plain spaces"}},
    {"IndentedDeeper",
     "  ports:",
     "   ports:",
     4,
     {"deeper (3 spaces) than line 3 (2)", "indent both alike"}},
    {"IndentedBetween", "  ports:", " ports:", 4, {"indented by 1", "like its neighbours"}},

    // Brackets
    {"BraceOpen", "{ primary: alpha }", "{ primary: alpha", 9, {"'{' that is opened here is never closed"}},
    {"BraceOpenAtTheEnd", "[alpha]", "{ alpha: 1", 26, {"never closed; add the '}'"}},
    {"BracketOpen", "[alpha]", "[alpha", 26, {"'[' that is opened here is never closed; add the ']'"}},
    {"BraceTooMany", "{ primary: alpha }", "{ primary: alpha }}", 9, {"the '}' closes nothing"}},
    {"BraceClosesOnly", "{ primary: alpha }", "primary: alpha }", 9, {"the '}' closes nothing"}},
    {"BracketForBrace", "{ primary: alpha }", "{ primary: alpha ]", 9, {"the ']' closes a '{'", "write '}'"}},
    {"CommaMissing", "write: 7401, stream", "write: 7401 stream", 4, {"a comma is missing"}},
    {"CommaTwice", "write: 7401, stream", "write: 7401,, stream", 4, {"stands where a key has to stand"}},

    // Colons
    {"ColonMissing", "relay:\n", "relay\n", 2, {"'relay' has no colon", "'key:'"}},
    {"ColonMissingBeforeAValue", "group: demo", "group demo", 1, {"'group demo' has no colon"}},
    {"EqualsSign", "group: demo", "group = demo", 1, {"'group = demo' has no colon; write 'key: value'"}},
    {"HeadingOfAnIniFile", "relay:\n", "[relay]\n", 2, {"'[relay]' has no colon"}},
    {"BlankMissing", "address: 127", "address:127", 3, {"no blank behind the colon"}},
    {"BlankMissingInBraces",
     "{ primary: alpha }",
     "{primary:alpha}",
     9,
     {"unknown key 'primary:alpha'", "a blank behind the colon: 'primary: alpha'"}},
    {"ColonInTheValue", "group: demo", "group: demo: x", 1, {"two ': '", "into quotes"}},
    {"ChildInTheSameLine", "docs: { primary: alpha }", "docs: primary: alpha", 9, {"two ': '"}},

    // Quotes
    {"QuoteOpen", "group: demo", "group: \"demo", 1, {"quote (\") that is opened here is never closed"}},
    {"SingleQuoteOpen",
     "/hawser/relay",
     "'/hawser/relay",
     5,
     {"quote (') that is opened here is never closed"}},
    {"QuoteOpenInTheLastLine",
     "[alpha]",
     "[\"alpha]",
     26,
     {"quote (\") that is opened here is never closed"}},
    {"QuoteClosedByTheNext",
     "/hawser/relay\n  keep: { size: 10GiB",
     "\"/hawser/relay\n  keep: { size: \"10GiB",
     5,
     {"closed only in line 6"}},
    {"TextBehindAQuote", "group: demo", "group: \"demo\" x", 1, {"behind a closing quote"}},
    {"UnknownEscape", "group: demo", "group: \"de\\mo\"", 1, {"backslash", "use single quotes"}},

    // Signs with a meaning
    {"Anchor", "group: demo", "group: &a demo", 1, {"anchors", "write the value out"}},
    {"Alias", "{ primary: bravo }", "*docs", 10, {"aliases", "write the value out"}},
    {"AliasAsKey", "group: demo", "*x : demo", 1, {"aliases"}},
    {"MergedAlias", "{ primary: bravo }", "{ <<: *docs }", 10, {"aliases"}},
    {"Merge", "{ primary: bravo }", "{ <<: x }", 10, {"unknown key '<<'"}},
    {"Star", "group: demo", "group: *", 1, {"can't begin with '*'; put it into quotes"}},
    {"Ampersand", "group: demo", "group: &", 1, {"can't begin with '&'; put it into quotes"}},
    {"At", "group: demo", "group: @demo", 1, {"can't begin with '@'", "put it into quotes"}},
    {"Percent", "group: demo", "group: %demo", 1, {"can't begin with", "'%'"}},
    {"Tag", "group: demo", "group: !!str demo", 1, {"tags"}},
    {"BlockTextInTheLine", "group: demo", "group: |demo", 1, {"'|'", "into quotes"}},
    {"SlashesAsComment", "group: demo", "// the demo\ngroup: demo", 1, {"'//' begins no comment; write '#'"}},
    {"ItemAmongKeys", "  mail: { primary: bravo }", "  - mail", 10, {"'- mail' stands beside line 9"}},
    {"ListAsKey", "group: demo", "? [a, b]\n: demo", 1, {"stands where a key has to stand"}},

    // Documents
    {"SecondDocument", "failover:\n", "---\nfailover:\n", 24, {"a second YAML document", "one group"}},
    {"EndAndThenMore", "failover:\n", "...\nfailover:\n", 25, {"a second YAML document", "'...'"}},
    {"SecondDocumentThatIsBroken", "failover:\n", "---\nfailover: *x\n", 24, {"a second YAML document"}},
    {"SecondDocumentThatIsEmpty", "candidates: [alpha]\n", "candidates: [alpha]\n---\n", 27, {"second"}},
    {"OldVersion", "group: demo", "%YAML 3.0\n---\ngroup: demo", 1, {"%YAML", "remove it"}},
};

INSTANTIATE_TEST_SUITE_P(All, YamlSlip, ::testing::ValuesIn(kSlips),
                         [](const auto& slip) { return std::string(slip.param.name); });

std::string Refusal(const std::string& text) {
  const auto config = ParseConfig(text, "bad.yaml");
  return config ? "was accepted" : config.error().message;
}

TEST(YamlSlips, FileWithNothingInIt) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~\n", "null\n"}) {
    EXPECT_THAT(Refusal(text), AllOf(StartsWith("bad.yaml:1: the file is empty; "), HasSubstr("hawser init")))
        << text;
  }
}

TEST(YamlSlips, FileOfAnotherKind) {
  EXPECT_THAT(Refusal(std::string("\xff\xfeg\0r\0", 6)), HasSubstr("is UTF-16; save it as UTF-8"));
  EXPECT_THAT(Refusal("group: demo\rrelay:\r"), HasSubstr("CR alone; save the file with line ends of Unix"));
  EXPECT_THAT(Refusal(std::string("group: g\0rest", 13)), HasSubstr("is it the right file?"));
}

// Signs that look like slips and are none.
TEST(YamlSlips, WhatIsNoSlipIsTaken) {
  std::string text = kGood;
  for (const char* hooks : {
           "  before: [\"it's {\", 'a \"b', \"say \\\"x\", 'don''t']\n",
           "  before:\n    - echo it's {a\n    - echo a}b ]c\n    - \"a: b: c\"\n",
           "  before:\n    - |\n      it's \"open {\n      \tb: c: d\n    - >-\n      @x\n",
           "  before:\n    - echo one\n      'tis more of it\n      \"and more\n",
           "  # it's a comment with { and \"\n  before: []  # don't\n",
           "  before: [one,\n    two, # it's\n    \"three\n     four\"]\n",
       }) {
    const auto config = ParseConfig(text + hooks, "good.yaml");
    EXPECT_TRUE(config) << hooks << config.error().message;
    const YamlOutline outline = OutlineOf(text + hooks);
    EXPECT_FALSE(outline.structure.has_value()) << hooks << outline.structure->what;
  }
  for (const char* change : {"\xef\xbb\xbf", "---\n", "%YAML 1.2\n---\n"})
    EXPECT_EQ(Refusal(change + text), "was accepted") << change;
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(Refusal(windows), "was accepted");
}

}  // namespace
}  // namespace hawser
