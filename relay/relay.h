// The relay of one consistency group: it numbers and journals what the primaries send, answers them, and
// hands it on to the secondaries. DESIGN section 5. This is the composition root: it builds the parts and
// their threads and joins them; tests start as many as they like in one process.
//
// Threads (they share queues and a notice board, nothing else):
//   writer     serves the write port: requests -> sequencer -> journal -> answers
//   publisher  serves the stream port: frames as they become durable, and the head every 250 ms
//   control    serves the control port: reports, status; hands pulls to the disk thread; decides retention
//   disk       reads frames for pulls, drops old segments: nobody who answers a person waits for it
//   scrub      reads old segments again, for damage (common/journal/scrubber.h)
//   and for each port one that watches its peers (common/net/peer_watch.h)
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/config/config.h"
#include "common/journal/journal.h"
#include "common/journal/scrubber.h"

namespace hawser {

// What tests and tuning may change.
struct RelayOptions {
  std::uint64_t segment_bytes = 64 * kMiB;
  std::chrono::milliseconds retention_interval = std::chrono::seconds(1);
  ScrubPace scrub;
  std::uint64_t run = 0;  // of this process, as Welcome says it; 0: a random one

  // How the journal is opened and how much room its filesystem has.
  std::function<Result<std::unique_ptr<Journal>>(const JournalOptions&, const Progress&, RecoveryReport&)>
      open_journal = OpenJournal;
  std::function<Result<std::uint64_t>(const std::string& folder)> free_bytes;  // empty: statvfs
};

class Relay {
 public:
  // Opens or begins the journal in config.relay.journal, recovers, binds the three ports (0: any free one)
  // and serves until Stop(). When this returns, requests are answered. EBUSY: another relay has the journal;
  // EADDRINUSE, naming the port; EBADMSG: the journal's end is damaged or isn't where the relay had left it.
  static Result<std::unique_ptr<Relay>> Start(const Config& config, RelayOptions options = {});

  virtual ~Relay() = default;  // as Stop()

  // Finishes the write group in progress with its answers, writes the sequencer's state and ends all threads.
  // What had not been taken up is not answered: requesters resend it to the next relay. Idempotent; not
  // thread safe.
  virtual void Stop() = 0;

  // Where it listens, with the real ports: tcp://127.0.0.1:7401
  virtual std::string write_endpoint() const = 0;
  virtual std::string stream_endpoint() const = 0;
  virtual std::string control_endpoint() const = 0;

  // What opening the journal found.
  virtual const RecoveryReport& recovery() const = 0;
};

}  // namespace hawser
