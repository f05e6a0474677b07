// What the program says to people: help, wrong use, wrong configs; and its exit codes.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Usage : public ProgramTest {
 protected:
  // The command ends with `exit` and one line of error that holds `part`.
  void ExpectError(const std::vector<std::string>& arguments, int exit, const std::string& part) const {
    const ProgramResult result = Hawser(arguments);
    EXPECT_EQ(result.exit, exit) << result.err;
    EXPECT_THAT(result.err, AllOf(StartsWith("hawser: "), HasSubstr(part), EndsWith("\n")));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.out, IsEmpty());
  }
};

TEST_F(Usage, HelpNamesEveryCommand) {
  const ProgramResult result = Hawser({"--help"});
  EXPECT_EQ(result.exit, 0);
  for (const char* command :
       {"init", "relay", "mount", "up", "status", "wait", "promote", "pause", "resume", "journal", "check"}) {
    EXPECT_THAT(result.out, HasSubstr(std::string("\n  ") + command));
  }
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Usage, HelpOfEachCommandHasExamples) {
  const std::vector<std::vector<std::string>> commands = {{"init"},
                                                          {"relay"},
                                                          {"mount"},
                                                          {"up"},
                                                          {"status"},
                                                          {"wait"},
                                                          {"promote"},
                                                          {"pause"},
                                                          {"resume"},
                                                          {"check"},
                                                          {"journal"},
                                                          {"journal", "list"},
                                                          {"journal", "show"},
                                                          {"journal", "check"}};
  for (auto command : commands) {
    command.emplace_back("--help");
    const ProgramResult result = Hawser(command);
    EXPECT_EQ(result.exit, 0);
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("Examples:\n  hawser " + command.front()), HasSubstr("--config FILE")));
  }
}

TEST_F(Usage, VersionIsOneLine) {
  const ProgramResult result = Hawser({"--version"});
  EXPECT_EQ(result.exit, 0);
  EXPECT_THAT(result.out, ::testing::MatchesRegex("hawser [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Usage, WrongUseSaysWhatIsMeantAndEndsWithTwo) {
  ExpectError({}, 2, "no command given; see 'hawser --help'");
  ExpectError({"stauts"}, 2, "unknown command or argument 'stauts'; did you mean 'status'?");
  for (const char* planned : {"failover", "sync", "verify", "repair", "reload", "keygen"})
    ExpectError({planned, "charlie"}, 2,
                std::string("'") + planned + "' is planned, and not in this version");
  ExpectError({"status", "--wach"}, 2, "status: unknown option '--wach'; did you mean '--watch'?");
  ExpectError({"relay", "--port", "3"}, 2, "'--port'; use one of: --help, --config, --log-level; see");
  ExpectError({"journal"}, 2, "journal: no command given");
  ExpectError({"journal", "lst"}, 2, "did you mean 'list'?");
  ExpectError({"mount"}, 2, "node is required");
  ExpectError({"wait", "--timeout", "5"}, 2, "'5' has no unit; write for example 5s");
  ExpectError({"relay", "--log-level", "loud"}, 2, "unknown level 'loud'");
  ExpectError({"journal", "show", "--from", "x"}, 2, "--from");
  ExpectError({"journal", "show", "--from", "9", "--to", "3"}, 2, "--from is behind --to");
}

TEST_F(Usage, MissingConfigIsNamed) {
  ExpectError({"status"}, 2, "'hawser.yaml'");
  ExpectError({"status", "-c", "other.yaml"}, 2, "'other.yaml'");
  ExpectError({"-c", "other.yaml", "status"}, 2, "'other.yaml'");
}

TEST_F(Usage, WrongConfigIsNamedWithItsLine) {
  WriteFile("hawser.yaml", "group: g\nrelai: {}\n");
  ExpectError({"check"}, 2, "hawser.yaml:2: unknown key 'relai'; did you mean 'relay'?");
  for (const char* command : {"relay", "up", "status", "wait", "check"})
    ExpectError({command}, 2, "hawser.yaml:2");
  ExpectError({"mount", "alpha"}, 2, "hawser.yaml:2");
}

TEST_F(Usage, UnknownNodeIsNamedWithTheNearest) {
  WriteConfig();
  ExpectError({"mount", "alpa"}, 2, "no node 'alpa'; did you mean 'alpha'?");
  ExpectError({"wait", "--node", "alpa"}, 2, "no node 'alpa'; did you mean 'alpha'?");
  ExpectError({"check", "--node", "alpa"}, 2, "no node 'alpa'; did you mean 'alpha'?");
  ExpectError({"journal", "list", "--node", "alpa"}, 2, "no node 'alpa'; did you mean 'alpha'?");
  ExpectError({"promote", "alpa"}, 2, "no node 'alpa'; did you mean 'alpha'?");
}

TEST_F(Usage, VolumesToPromoteForAreThoseThatTheNodeHolds) {
  WriteConfig();
  ChangeConfig("volumes: { docs: { primary: alpha } }",
               "volumes: { docs: { primary: alpha }, mail: { primary: alpha } }");
  ChangeConfig("mount: alpha.mount } }", "mount: alpha.mount }, mail: { store: m.store, mount: m.mount } }");
  ExpectError({"promote", "charlie", "dcos"}, 2, "no volume 'dcos'; did you mean 'docs'?");
  ExpectError({"promote", "charlie", "mail"}, 2, "node charlie holds no copy of volume mail");
}

TEST_F(Usage, RelayThatIsAwayIsSaidAfterTwoSecondsWithThree) {
  WriteConfig();
  ExpectError({"status"}, 3, "does not answer");
  ExpectError({"wait"}, 3, "does not answer");
  ExpectError({"promote", "charlie"}, 3, "does not answer");
}

TEST_F(Usage, ErrorsAreOnStdoutTooWithJson) {
  WriteConfig();
  const ProgramResult result = Hawser({"status", "--json"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"error\""), HasSubstr("does not answer")));
}

}  // namespace
}  // namespace hawser::test
