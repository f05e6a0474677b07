// A relay in this process with real files and sockets, and what a test needs to talk to it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/journal/reader.h"
#include "common/net/requester.h"
#include "common/net/subscriber.h"
#include "common/record/codec.h"
#include "relay/relay.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

constexpr auto kPatience = std::chrono::seconds(60);
inline Deadline Patience() { return SteadyClock::now() + kPatience; }

// Waits until `condition` holds; fails the test if it doesn't in time.
void AwaitThat(const std::string& what, const std::function<bool()>& condition);

inline const NodeName kAlpha("alpha");
inline const NodeName kBravo("bravo");
inline const NodeName kCharlie("charlie");
inline const VolumeName kDocs("docs");
inline const VolumeName kMail("mail");

// What a test does to the flushes of the relay's journal.
class FlushControl {
 public:
  void Hold();                                                      // flushes wait from now on
  void Release();                                                   // they go on
  void AwaitHeld();                                                 // until one waits
  void Fail() { fail_.store(true); }                                // every flush from now on fails
  void Fill(bool full) { full_.store(full); }                       // there is no room for a segment
  void Slow(std::chrono::microseconds time) { slow_.store(time); }  // models a slow disk

  Status Pass();
  bool full() const { return full_.load(); }
  void Starve(bool starving) { starving_.store(starving); }  // there is no descriptor for a segment
  bool starving() { return starving_.load() && ++starved_ > 0; }
  int starved() const { return starved_.load(); }  // how often it was tried
  void Fence() { fenced_.store(true); }            // another relay takes the journal over
  bool fenced() const { return fenced_.load(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hold_ = false;
  bool held_ = false;
  std::atomic<bool> fail_ = false;
  std::atomic<bool> full_ = false;
  std::atomic<bool> starving_ = false;
  std::atomic<int> starved_ = 0;
  std::atomic<bool> fenced_ = false;
  std::atomic<std::chrono::microseconds> slow_{std::chrono::microseconds(0)};
};

// A primary: numbers its records, sends one batch at a time, and resends as a real one does.
// Of all relays that a test starts, as if they were one process.
inline constexpr std::uint64_t kRun = 1;

class Primary {
 public:
  Primary(NetContext& context, const std::string& endpoint, NodeName node, VolumeName volume,
          std::uint64_t session, std::uint64_t first = 1);

  // A write of `payload` with the next number, and its answer. Anything but an ack is an error; a refusal has
  // the code ToErrno gives it and the relay's text.
  Result<Ack> Write(const std::string& payload, std::optional<Deadline> deadline = Patience());
  // The last request, which was of one record, once more.
  Result<Ack> Repeat(std::optional<Deadline> deadline = Patience());

  // The same for a batch, with cuts before the places given.
  Result<std::vector<Answer>> WriteBatch(const std::vector<std::string>& payloads,
                                         std::vector<std::uint32_t> cuts = {});
  Result<std::vector<Answer>> RepeatBatch(std::optional<Deadline> deadline = Patience());

  // Of what is written from now on.
  void set_generation(std::uint64_t generation) { next_.generation = Generation(generation); }

  // Of the last request.
  Record& record() { return batch_.back().record; }
  Requester& requester() { return *requester_; }

 private:
  struct Sent {
    Record record;
    std::string payload;
  };

  void Prepare(const std::string& payload);

  std::unique_ptr<Requester> requester_;
  Record next_;
  std::vector<Sent> batch_;
  std::vector<std::uint32_t> cuts_;
};

// A record as a replica gets it.
struct Received {
  Sequence sequence;
  Group group;
  Record record;
  std::string payload;
};

// Gives the records of a frame, in order.
std::vector<Received> Unpack(const Frame& frame);

class RelayTest : public testing::Test {
 protected:
  RelayTest();
  ~RelayTest() override;

  // Starts the relay; the first time on free ports, which it then keeps.
  void Start();
  Status TryStart();
  void Restart();

  // The numbers of a session begin with `first`: one whose records were sent by another object goes on.
  // Session 0: the one that the node's last hello began.
  Primary MakePrimary(std::uint64_t session = 0, std::uint64_t first = 1) {
    return PrimaryOf(kAlpha, kDocs, session, first);
  }
  Primary PrimaryOf(const NodeName& node, const VolumeName& volume, std::uint64_t session = 0,
                    std::uint64_t first = 1);

  // Before Start(): that many more nodes, each the primary of a volume of its own, so that many can write at
  // once.
  void AddWriters(std::size_t count);
  // One of them, after its hello.
  Primary Writer(std::size_t index);
  static NodeName WriterName(std::size_t index) { return NodeName("writer-" + std::to_string(index)); }

  // Of the first state folder of the node. The same `start` again begins no new session.
  Hello HelloOf(const NodeName& node, std::uint64_t start) const;
  Result<Welcome> SayHello(const Hello& hello);
  Result<Welcome> SayHello(const NodeName& node, std::uint64_t start) {
    return SayHello(HelloOf(node, start));
  }
  // That the relay gave last; 0: none.
  std::uint64_t SessionOf(const NodeName& node) const {
    const auto session = sessions_.find(node);
    return session == sessions_.end() ? 0 : session->second;
  }
  Result<Overview> SendReport(const NodeName& node, const Progress& checkpoint);
  Result<Overview> SendReport(const NodeName& node, const Progress& received,
                              std::vector<VolumeReport> volumes);
  nlohmann::json AskStatus();
  Sequence HeadNow() { return Sequence(AskStatus()["relay"]["head"]); }
  // One pull; frames are checked and unpacked into `into`.
  PullReply PullOnce(const NodeName& node, Position& after, std::vector<Received>& into);
  // Pulls until nothing more comes.
  std::vector<Received> PullAll(const NodeName& node = kCharlie, Position after = {});
  // All records in the relay's journal, read from its files.
  std::vector<Received> ReadJournal();

  Result<Incoming> Ask(const std::string& endpoint, MessageType type, const std::vector<Bytes>& parts);

  TempDir folder_;
  Config config_;
  RelayOptions options_;
  FlushControl flushes_;
  NetContext context_;
  std::unique_ptr<Relay> relay_;
  std::map<NodeName, std::uint64_t> sessions_;
};

}  // namespace hawser::test
