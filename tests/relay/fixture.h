// A relay in this process with real files and sockets, and what a test needs to talk to it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
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

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hold_ = false;
  bool held_ = false;
  std::atomic<bool> fail_ = false;
  std::atomic<bool> full_ = false;
  std::atomic<std::chrono::microseconds> slow_{std::chrono::microseconds(0)};
};

// One lane of a primary: numbers its requests, and resends as a real one does.
class Lane {
 public:
  Lane(NetContext& context, const std::string& endpoint, NodeName node, VolumeName volume,
       std::uint64_t session, std::uint32_t lane);

  // A write of `payload` with the next number, and its answer. Anything but an ack is an error; a refusal has
  // the code ToErrno gives it and the relay's text.
  Result<Ack> Write(const std::string& payload, std::optional<Deadline> deadline = Patience());
  // The last request once more.
  Result<Ack> Repeat(std::optional<Deadline> deadline = Patience());

  Record& record() { return record_; }
  Requester& requester() { return requester_; }

 private:
  Requester requester_;
  Record record_;
  std::string payload_;
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

  Lane MakeLane(std::uint32_t lane, std::uint64_t session = 1) {
    return LaneOf(kAlpha, kDocs, lane, session);
  }
  Lane LaneOf(const NodeName& node, const VolumeName& volume, std::uint32_t lane, std::uint64_t session = 1);

  Result<Welcome> SayHello(const NodeName& node, std::uint64_t session);
  Result<Overview> SendReport(const NodeName& node, const Progress& checkpoint);
  nlohmann::json AskStatus();
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
};

}  // namespace hawser::test
