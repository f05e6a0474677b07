// What is no message, too large, cut short or of another version comes to every port of a relay that has work
// to do: the work goes on, nothing of it is lost, nothing else is journaled, and the log says it in one line.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <sstream>
#include <thread>
#include <zmq.hpp>

#include "common/config/config.h"
#include "common/net/messages.h"
#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/raw_peer.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Parts = std::vector<std::string>;

constexpr std::size_t kTooLarge = 20 * kMiB;  // more than a socket takes

class BadInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    auto config = LoadConfig(cluster_.config());
    ASSERT_OK(config);
    relay_ = config->relay;
    pid_ = cluster_.Running("relay").pid();
    writer_ = std::thread([this] { WriteUntilStopped(); });
  }

  void TearDown() override { StopWriter(); }

  void StopWriter() {
    stop_ = true;
    if (writer_.joinable()) writer_.join();
  }

  // Every file is made by one create and one write; both are acknowledged before it counts.
  void WriteUntilStopped() {
    while (!stop_ && !HasFailure()) {
      Write(cluster_.Mount("alpha", "docs") + "/" + std::to_string(written_), "content", O_EXCL);
      ++written_;
    }
  }

  // That the writer gets on.
  void ExpectWorkGoesOn() {
    const int before = written_;
    EXPECT_TRUE(WaitUntil([&] { return written_ > before + 2; })) << "the writer stands still";
  }

  static std::vector<Parts> BadMessages() {
    const auto envelope = [](MessageType type) { return std::string(AsText(EncodeEnvelope(type))); };
    std::vector<Parts> messages{{""},
                                {"GET / HTTP/1.1"},
                                {std::string(100'000, '\xff')},
                                {std::string("HW\x07\x63", 4), "unknown type"},
                                {std::string("HW\x7e\x02", 4), "another version", "payload"},
                                {std::string("HW\x7e\x10", 4), "another version"}};
    for (const MessageType type : {MessageType::kHello, MessageType::kSubmit, MessageType::kReport,
                                   MessageType::kPull, MessageType::kStatus, MessageType::kFrame}) {
      messages.push_back({envelope(type)});
      messages.push_back({envelope(type), "\x92"});                              // truncated
      messages.push_back({envelope(type), std::string(5000, '\x9f'), "noise"});  // garbage
      messages.push_back({envelope(type), std::string(2 * kMiB, 'x'), "oversized"});
      messages.push_back({envelope(type), "a", "b", "c", "d"});
    }
    return messages;
  }

  struct Port {
    const char* name;
    std::string endpoint;
    std::uint16_t number;
    // What a PUB socket takes, too: messages that are no subscriptions are not for it.
    zmq::socket_type peer = zmq::socket_type::dealer;
    std::uint64_t good = 0;  // of the bad messages: they are what this port is for

    bool answers() const { return peer == zmq::socket_type::dealer; }
  };

  static zmq::socket_t Connect(zmq::context_t& context, const Port& port) {
    zmq::socket_t socket(context, port.peer);
    socket.set(zmq::sockopt::linger, 2000);
    socket.set(zmq::sockopt::sndtimeo, 2000);
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    socket.connect(port.endpoint);
    return socket;
  }

  // Sends each of them, and takes its answer: a refusal. One at a time: answers that nobody takes are
  // dropped.
  static void SendBadMessages(const Port& port) {
    zmq::context_t context;
    zmq::socket_t socket = Connect(context, port);
    const std::string refusal(AsText(EncodeEnvelope(MessageType::kRefusal)));
    std::uint64_t refused = 0;
    for (const Parts& parts : BadMessages()) {
      if (port.answers()) {  // as REQ sockets do
        ASSERT_TRUE(socket.send(zmq::message_t(), zmq::send_flags::sndmore));
      }
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        ASSERT_TRUE(
            socket.send(zmq::buffer(parts[i]), last ? zmq::send_flags::none : zmq::send_flags::sndmore));
      }
      if (!port.answers()) continue;
      zmq::message_t part;
      for (bool more = true; more; more = part.more()) {
        ASSERT_TRUE(socket.recv(part)) << "an answer does not come";
        refused += part.to_string_view() == refusal;
      }
    }
    EXPECT_EQ(refused, port.answers() ? BadMessages().size() - port.good : 0);
  }

  static void SendWhatIsTooLarge(const Port& port) {
    zmq::context_t context;
    zmq::socket_t socket = Connect(context, port);
    static_cast<void>(socket.send(zmq::message_t(kTooLarge), zmq::send_flags::none));
  }

  // Bytes that are not even ZeroMQ's, and a greeting that is cut short.
  static void SendBytes(std::uint16_t port) {
    const std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11);
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'), greeting,
          greeting + std::string(53, '\0') + std::string(1000, '\x02')}) {
      const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      ASSERT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
      static_cast<void>(!send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }
  }

  std::uint64_t Refused() const {
    const auto status = cluster_.GetStatus();
    return status ? status->at("relay").at("refused").get<std::uint64_t>() : 0;
  }

  // Lines of the relay's log that tell of refusals by a port.
  int LinesAbout(const std::string& port) const {
    std::istringstream log(Read(cluster_.Log("relay")));
    int count = 0;
    for (std::string line; std::getline(log, line);)
      count += line.find(port + " port: refused: ") != line.npos;
    return count;
  }

  Cluster cluster_;
  RelayConfig relay_;
  pid_t pid_ = -1;
  std::atomic<bool> stop_ = false;
  std::atomic<int> written_ = 0;
  std::thread writer_;
};

TEST_F(BadInputTest, TheRelayWorksOnAndNothingOfItIsJournaled) {
  const std::vector<Port> ports = {
      {.name = "write", .endpoint = relay_.WriteEndpoint(), .number = relay_.write_port},
      {.name = "control", .endpoint = relay_.ControlEndpoint(), .number = relay_.control_port, .good = 1},
      {.name = "stream",
       .endpoint = relay_.StreamEndpoint(),
       .number = relay_.stream_port,
       .peer = zmq::socket_type::xsub}};
  ExpectWorkGoesOn();
  for (const Port& port : ports) {
    SCOPED_TRACE(port.name);
    const std::uint64_t refused = Refused();
    const auto began = SteadyClock::now();
    SendBadMessages(port);
    SendWhatIsTooLarge(port);
    SendBytes(port.number);
    ExpectWorkGoesOn();
    if (!port.answers()) continue;
    EXPECT_GE(Refused(), refused + BadMessages().size() - port.good);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - began).count();
    EXPECT_GE(LinesAbout(port.name), 1) << Read(cluster_.Log("relay"));
    EXPECT_LE(LinesAbout(port.name), seconds + 2) << "more than a line a second";
  }
  StopWriter();
  EXPECT_EQ(cluster_.Running("relay").pid(), pid_);
  EXPECT_TRUE(cluster_.Running("relay").running());
  EXPECT_OK(cluster_.CompareAllTrees());

  // Of each file its create and its write, and what every relay begins with; nothing else.
  ASSERT_OK(cluster_.StopAll());
  const auto check = cluster_.Hawser({"journal", "check", "--json"});
  ASSERT_OK(check);
  EXPECT_EQ(json::parse(check->output, nullptr, false).value("sound", false), true) << check->output;
  const auto shown = cluster_.Hawser({"journal", "show", "--json", "--volume", "docs"});
  ASSERT_OK(shown);
  int creates = 0;
  std::istringstream lines(shown->output);
  for (std::string line; std::getline(lines, line);) {
    const json record = json::parse(line, nullptr, false);
    creates += record.value("kind", "") == "create";
    EXPECT_THAT(record.dump(), HasSubstr("alpha"));
  }
  EXPECT_EQ(creates, written_);
}

// In MiB, at its highest.
std::uint64_t MostMemoryOf(pid_t process) {
  std::istringstream status(Read("/proc/" + std::to_string(process) + "/status"));
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib / 1024;
  }
  ADD_FAILURE() << "the process has ended";
  return 0;
}

TEST_F(BadInputTest, NoPeerCostsTheRelayMoreThanItsLimits) {
  ExpectWorkGoesOn();
  const std::uint64_t before = MostMemoryOf(pid_);
  const std::string large = RawPeer::Part(std::string(64 * kKiB, 'x'), true);
  std::string tiny;
  std::string subscriptions;
  for (int i = 0; i < 32 * 1024; ++i) tiny += RawPeer::Part("", true);
  for (int i = 0; i < 200; ++i)
    subscriptions += RawPeer::Part("\x01" + std::to_string(i) + std::string(500, 's'), false);
  constexpr std::uint64_t kFarTooMuch = 2 * kGiB;
  constexpr std::uint64_t kFarTooManyTiny = 64 * kMiB;  // each part of two bytes costs 64
  EXPECT_LT(RawPeer(relay_.write_port, "DEALER").SendUntilClosed(large, kFarTooMuch), kFarTooMuch);
  EXPECT_LT(RawPeer(relay_.control_port, "DEALER").SendUntilClosed(large, kFarTooMuch), kFarTooMuch);
  EXPECT_LT(RawPeer(relay_.write_port, "DEALER").SendUntilClosed(tiny, kFarTooManyTiny), kFarTooManyTiny);
  EXPECT_LT(RawPeer(relay_.stream_port, "SUB").SendUntilClosed(subscriptions, kFarTooManyTiny),
            kFarTooManyTiny);
  EXPECT_LT(MostMemoryOf(pid_), before + 512);
  ExpectWorkGoesOn();
}

// More than it has descriptors for.
TEST(FewDescriptorsTest, ManyConnectionsKeepNobodyFromTheRelayAndItsJournalGoesOn) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = {"prlimit", "--nofile=256:256"}});
  ASSERT_OK(cluster.Start());
  const auto config = LoadConfig(cluster.config());
  ASSERT_OK(config);
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 300; ++i) {
    silent.push_back(std::make_unique<RawPeer>(config->relay.write_port, "DEALER"));
    silent.push_back(std::make_unique<RawPeer>(config->relay.control_port, "DEALER"));
  }
  // More than a segment of the journal: the next one has to be opened.
  const std::string block(kMiB, 'b');
  for (int i = 0; i < 70; ++i) Append(cluster.Mount("alpha", "docs") + "/big", block);
  ASSERT_OK(cluster.WaitForSecondaries());
  EXPECT_OK(cluster.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
