#include "tests/cli/program.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>

#include "common/base/files.h"

namespace hawser::test {

ProgramResult ProgramTest::Hawser(const std::vector<std::string>& arguments) const {
  const TempDir streams("hawser-cli-streams-");
  const std::string errors = streams / "err";
  // The shell takes stderr apart; exec keeps the exit code hawser's own.
  std::vector<std::string> command{"sh", "-c",   "err=$1; shift; exec \"$@\" 2>\"$err\"",
                                   "sh", errors, HAWSER_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto result = RunCommand(command, folder());
  if (!result) {
    ADD_FAILURE() << result.error().Text() << Content(errors);
    return {};
  }
  return {result->exit, result->output, Content(errors)};
}

Process ProgramTest::StartHawser(const std::vector<std::string>& arguments, const std::string& output) const {
  std::vector<std::string> command{HAWSER_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto process =
      Process::Start({.command = command, .output = output, .folder = folder(), .environment = {}});
  if (!process) throw std::runtime_error(process.error().Text());  // fails the test
  return *std::move(process);
}

std::string ProgramTest::WriteFile(const std::string& name, const std::string& content) const {
  std::ofstream(Path(name)) << content;
  return Path(name);
}

void ProgramTest::WriteConfig() const {
  const auto ports = FreePorts(3);
  WriteFile("hawser.yaml",
            "group: test\n"
            "relay:\n"
            "  ports: { write: " +
                std::to_string(ports[0]) + ", stream: " + std::to_string(ports[1]) +
                ", control: " + std::to_string(ports[2]) +
                " }\n"
                "  journal: relay\n"
                "volumes: { docs: { primary: alpha } }\n"
                "nodes:\n"
                "  alpha:\n"
                "    state: alpha\n"
                "    volumes: { docs: { store: alpha.store, mount: alpha.mount } }\n"
                "  charlie:\n"
                "    state: charlie\n"
                "    volumes: { docs: { store: charlie.store, mount: charlie.mount } }\n");
  for (const char* name : {"alpha.store", "alpha.mount", "charlie.store", "charlie.mount"}) {
    std::filesystem::create_directories(Path(name));
  }
}

void ProgramTest::ChangeConfig(const std::string& text, const std::string& by) const {
  std::string config = Content(Path("hawser.yaml"));
  auto at = config.find(text);
  EXPECT_NE(at, std::string::npos) << "'" << text << "' isn't in the config";
  for (; at != std::string::npos; at = config.find(text, at + by.size())) config.replace(at, text.size(), by);
  WriteFile("hawser.yaml", config);
}

std::vector<int> FreePorts(int count) {
  // All held at once, so that they differ.
  std::vector<UniqueFd> held;
  std::vector<int> ports;
  for (int i = 0; i < count; ++i) {
    held.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(held.back().get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(held.back().get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    ports.push_back(ntohs(address.sin_port));
  }
  return ports;
}

std::string Content(const std::string& path) {
  auto content = ReadFile(path);
  return content ? *std::move(content) : "";
}

}  // namespace hawser::test
