// The config file of one consistency group as typed values. DESIGN section 10.
//
// Host paths are absolute after loading (relative ones are relative to the file's folder).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"

namespace hawser {

enum class WhenFull { kDropSlowest, kHoldWriters };
enum class FsyncPolicy { kBoth, kRelay };  // both: fsync also flushes the store
enum class OnRelayLoss { kBlock, kFail };
enum class IsolatedReads { kServe, kRefuse };
enum class FailoverMode { kManual, kAutomatic, kObserve };

struct RelayConfig {
  std::string address = "127.0.0.1";
  std::uint16_t write_port = 7401;
  std::uint16_t stream_port = 7402;
  std::uint16_t control_port = 7403;
  std::string journal;
  std::uint64_t keep_size = 10 * kGiB;
  std::chrono::seconds keep_time = std::chrono::hours(24);
  std::uint64_t keep_free = 512 * kMiB;  // of the journal's filesystem; below that `when_full` acts
  WhenFull when_full = WhenFull::kDropSlowest;
  bool insecure = false;  // allows an address that isn't loopback

  std::string WriteEndpoint() const;  // tcp://127.0.0.1:7401
  std::string StreamEndpoint() const;
  std::string ControlEndpoint() const;
};

struct VolumeConfig {
  NodeName primary;  // the first one; after a promotion the journal knows better
  FsyncPolicy fsync = FsyncPolicy::kBoth;
  OnRelayLoss on_relay_loss = OnRelayLoss::kBlock;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // of on_relay_loss: fail
  bool timeout_is_given = false;
  // Of a primary that hasn't heard the relay for failover.detect: another node may be primary meanwhile.
  IsolatedReads isolated_reads = IsolatedReads::kServe;
};

// A volume as one node has it.
struct ReplicaConfig {
  std::string store;
  std::string mount;
  bool nonempty = false;             // the mount may hide what is in its folder
  std::optional<bool> allow_other;   // default: true when root
  std::optional<std::uint32_t> uid;  // squash: every node in the mount belongs to this user
  std::optional<std::uint32_t> gid;
  bool xattrs = true;
};

struct NodeConfig {
  std::string state;
  std::map<VolumeName, ReplicaConfig> volumes;
};

// As the config has it.
constexpr const char* TextOf(FailoverMode mode) {
  switch (mode) {
    case FailoverMode::kManual:
      return "manual";
    case FailoverMode::kAutomatic:
      return "automatic";
    case FailoverMode::kObserve:
      break;
  }
  return "observe";
}

struct FailoverConfig {
  FailoverMode mode = FailoverMode::kManual;
  std::chrono::milliseconds detect = std::chrono::seconds(5);
  std::vector<NodeName> candidates;
  std::vector<std::string> before;
  std::vector<std::string> after;
};

struct Config {
  std::string path;  // the file, for messages
  std::string group;
  RelayConfig relay;
  std::map<VolumeName, VolumeConfig> volumes;
  std::map<NodeName, NodeConfig> nodes;
  FailoverConfig failover;
};

// EINVAL with "FILE:LINE: what is wrong; what to do" for anything that isn't a valid config: unknown keys
// (with the nearest valid one), wrong types, impossible values, duplicate stores, mounts or ports, folders
// that have to lie apart (folders.h) and don't, a volume whose primary doesn't hold it, an address that isn't
// loopback without `insecure: true`.
Result<Config> LoadConfig(const std::string& path);

// As LoadConfig from text; `path` is used in messages and for relative paths.
Result<Config> ParseConfig(const std::string& text, const std::string& path);

// The file to use: `option` if not empty, else $HAWSER_CONFIG, else hawser.yaml in the current folder.
std::string ConfigPath(const std::string& option);

}  // namespace hawser
