#include "common/config/schema.h"

namespace hawser {
namespace {

using std::chrono::milliseconds;

Read KeepTime(std::chrono::seconds& into) {
  return Duration(milliseconds(0),
                  [&into](milliseconds time) { into = std::chrono::ceil<std::chrono::seconds>(time); });
}

Read Period(milliseconds& into) {
  return Duration(milliseconds(1), [&into](milliseconds time) { into = time; });
}

// Notes in `given` that the key is there.
Read Noted(bool& given, Read read) {
  return [&given, read = std::move(read)](const YamlPlace& place) {
    given = true;
    return read(place);
  };
}

// Two segments of the journal: room is taken by the segment.
constexpr std::uint64_t kLeastFree = 128 * kMiB;

Read Relay(RelayConfig& relay) {
  return Mapping({
      {"address", Text(relay.address)},
      {"ports", Mapping({{"write", Port(relay.write_port)},
                         {"stream", Port(relay.stream_port)},
                         {"control", Port(relay.control_port)}})},
      {"journal", HostPath(relay.journal), kRequired},
      {"keep", Mapping({{"size", Size(relay.keep_size)},
                        {"time", KeepTime(relay.keep_time)},
                        {"free", Size(relay.keep_free, kLeastFree)}})},
      {"when_full", Choose<WhenFull>(relay.when_full, {{"drop_slowest", WhenFull::kDropSlowest},
                                                       {"hold_writers", WhenFull::kHoldWriters}})},
      {"insecure", Flag(relay.insecure)},
  });
}

std::vector<Field> Volume(VolumeConfig& volume) {
  return {
      {"primary", Name(volume.primary), kRequired},
      {"fsync",
       Choose<FsyncPolicy>(volume.fsync, {{"both", FsyncPolicy::kBoth}, {"relay", FsyncPolicy::kRelay}})},
      {"on_relay_loss", Choose<OnRelayLoss>(volume.on_relay_loss,
                                            {{"block", OnRelayLoss::kBlock}, {"fail", OnRelayLoss::kFail}})},
      {"timeout", Noted(volume.timeout_is_given, Period(volume.timeout))},
      {"isolated_reads", Choose<IsolatedReads>(volume.isolated_reads, {{"serve", IsolatedReads::kServe},
                                                                       {"refuse", IsolatedReads::kRefuse}})},
  };
}

std::vector<Field> Replica(ReplicaConfig& replica) {
  return {
      {"store", HostPath(replica.store), kRequired},
      {"mount", HostPath(replica.mount), kRequired},
      {"nonempty", Flag(replica.nonempty)},
      {"allow_other", Flag(replica.allow_other)},
      {"uid", UserId(replica.uid)},
      {"gid", UserId(replica.gid)},
      {"xattrs", Flag(replica.xattrs)},
  };
}

std::vector<Field> Node(NodeConfig& node) {
  return {
      {"state", HostPath(node.state), kRequired},
      {"volumes", Named("volume", node.volumes, Replica), kRequired},
  };
}

Read Failover(FailoverConfig& failover) {
  return Mapping({
      {"mode", Choose<FailoverMode>(failover.mode, {{"manual", FailoverMode::kManual},
                                                    {"automatic", FailoverMode::kAutomatic},
                                                    {"observe", FailoverMode::kObserve}})},
      {"detect", Period(failover.detect)},
      {"candidates", ListOf(failover.candidates, [](NodeName& node) { return Name(node); })},
      {"before", ListOf(failover.before, Text)},
      {"after", ListOf(failover.after, Text)},
  });
}

}  // namespace

Read ConfigFile(Config& config) {
  return Mapping({
      {"group", NameText(config.group), kRequired},
      {"relay", Relay(config.relay), kRequired},
      {"volumes", Named("volume", config.volumes, Volume), kRequired},
      {"nodes", Named("node", config.nodes, Node), kRequired},
      {"failover", Failover(config.failover)},
  });
}

}  // namespace hawser
