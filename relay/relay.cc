#include "relay/relay.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "common/base/descriptors.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/config/agreement.h"
#include "common/config/primaries.h"
#include "common/net/heartbeat.h"
#include "common/net/publisher.h"
#include "common/net/router.h"
#include "relay/control.h"
#include "relay/disk.h"
#include "relay/limits.h"
#include "relay/recovery.h"
#include "relay/stream.h"
#include "relay/writer.h"

namespace hawser {

namespace {

// "tcp://127.0.0.1:0": ZeroMQ takes * for any free port.
std::string Bindable(const std::string& endpoint) {
  if (!endpoint.ends_with(":0")) return endpoint;
  return endpoint.substr(0, endpoint.size() - 1) + "*";
}

Membership MembersOf(const Config& config) {
  Membership members;
  for (const auto& [name, node] : config.nodes) members.nodes.insert(name);
  for (const auto& [name, volume] : config.volumes) members.volumes.insert(name);
  return members;
}

std::map<VolumeName, NodeName> FirstPrimaries(const Config& config) {
  std::map<VolumeName, NodeName> first;
  for (const auto& [name, volume] : config.volumes) first.emplace(name, volume.primary);
  return first;
}

void SayWherePrimariesDiffer(const Config& config, const std::vector<VolumeFact>& facts) {
  for (const VolumeFact& fact : facts) {
    if (const auto note = PrimaryDiffers(config, fact.volume, fact.primary)) log::warn("{}", *note);
  }
}

class RelayProcess : public Relay {
 public:
  RelayProcess(const Config& config, RelayOptions options) : config_(config), options_(std::move(options)) {
    if (!options_.free_bytes) options_.free_bytes = FreeBytes;
    if (options_.run == 0) options_.run = RandomNumber();
  }
  ~RelayProcess() override { Stop(); }

  Status Open();
  void Stop() override;

  std::string write_endpoint() const override { return write_router_->endpoint(); }
  std::string stream_endpoint() const override { return publisher_->endpoint(); }
  std::string control_endpoint() const override { return control_router_->endpoint(); }
  const RecoveryReport& recovery() const override { return recovery_; }

 private:
  Status OpenJournalFolder();
  Status Bind();
  Status BuildParts();
  void StartThreads();

  const Config config_;
  RelayOptions options_;
  RecoveryReport recovery_;

  // In the order in which they are built; torn down in reverse.
  std::unique_ptr<Journal> journal_;
  NetContext context_;
  std::unique_ptr<Router> write_router_;
  std::unique_ptr<Router> control_router_;
  std::unique_ptr<Publisher> publisher_;
  NoticeBoard board_;
  FrameQueue frames_{kPublishQueue};
  Queue<DiskJob> jobs_{kDiskQueue};
  Queue<DiskResult> results_{kDiskQueue};
  HandoverQueue handovers_{kMostPromotions};
  HandoverFailures handover_failures_{kMostPromotions};
  Wake wake_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<DiskWorker> disk_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Scrubber> scrubber_;

  std::atomic<bool> stop_writer_ = false;
  std::atomic<bool> stop_control_ = false;
  std::thread writer_thread_;
  std::thread stream_thread_;
  std::thread disk_thread_;
  std::thread control_thread_;
};

Status RelayProcess::Open() {
  RaiseDescriptorLimit();  // each connection takes one
  HAWSER_TRY(OpenJournalFolder());
  HAWSER_TRY(Bind());
  HAWSER_TRY(BuildParts());
  StartThreads();
  log::info("serving group {}: write {}, stream {}, control {}, head {}", config_.group, write_endpoint(),
            stream_endpoint(), control_endpoint(), journal_->durable().position.Text());
  return {};
}

Status RelayProcess::OpenJournalFolder() {
  const std::string& folder = config_.relay.journal;
  HAWSER_TRY(MakeDirectories(folder));
  HAWSER_ASSIGN(journal_, options_.open_journal({folder, options_.segment_bytes}, Progress{}, recovery_));
  if (recovery_.torn_bytes > 0)
    log::warn("cut {} bytes of an unfinished group off {} at {}: it was never acknowledged",
              recovery_.torn_bytes, recovery_.torn_segment, recovery_.torn_offset);
  return {};
}

Status RelayProcess::Bind() {
  HAWSER_ASSIGN(write_router_, Router::Bind(context_, Bindable(config_.relay.WriteEndpoint())));
  HAWSER_ASSIGN(control_router_,
                Router::Bind(context_, Bindable(config_.relay.ControlEndpoint()), Router::Queue::kFewLarge));
  HAWSER_ASSIGN(publisher_,
                Publisher::Bind(context_, Bindable(config_.relay.StreamEndpoint()), kPublishQueue));
  return {};
}

Status RelayProcess::BuildParts() {
  const std::string& folder = config_.relay.journal;
  const Membership members = MembersOf(config_);
  HAWSER_ASSIGN(SavedState state, Recover(*journal_, folder, members));
  writer_ = std::make_unique<Writer>(
      Writer::Parts{config_.group, folder, *write_router_, *journal_, frames_, board_, AgreementOf(config_),
                    options_.run, Now, SteadyClock::now, config_.failover.detect, &handovers_,
                    &handover_failures_, [this] { wake_.Notify(); }},
      members, std::move(state));
  HAWSER_TRY(writer_->AppointPrimaries(FirstPrimaries(config_)));
  SayWherePrimariesDiffer(config_, board_.Read().volumes);
  stream_ = std::make_unique<Stream>(*publisher_, *journal_, frames_);
  disk_ = std::make_unique<DiskWorker>(
      DiskWorker::Parts{folder, *journal_, options_.free_bytes, jobs_, results_, wake_});
  Tracker tracker(
      config_.nodes, {kSilentAfter, config_.failover.detect, SteadyClock::now()},
      {config_.relay.keep_size, config_.relay.keep_time, config_.relay.when_full, config_.relay.keep_free});
  tracker.set_config(AgreementOf(config_));
  control_ = std::make_unique<Control>(
      Control::Parts{config_.group, options_.run, options_.retention_interval, *control_router_, *journal_,
                     board_, jobs_, results_, handovers_, handover_failures_, wake_, config_.failover},
      std::move(tracker));
  return {};
}

void RelayProcess::StartThreads() {
  writer_thread_ = std::thread([this] { writer_->Run(*write_router_, stop_writer_); });
  stream_thread_ = std::thread([this] { stream_->Run(); });
  disk_thread_ = std::thread([this] { disk_->Run(); });
  control_thread_ = std::thread([this] { control_->Run(stop_control_); });
  scrubber_ = std::make_unique<Scrubber>(
      Scrubber::Parts{config_.relay.journal, "the journal",
                      [this] { return journal_->durable().position.group; },
                      [this](const std::vector<JournalFault>& damage) { board_.PostDamage(damage); }},
      options_.scrub, recovery_.damage);
}

// The writer first: once it has ended, nothing new comes for the others.
void RelayProcess::Stop() {
  if (!writer_thread_.joinable()) return;
  scrubber_->Stop();
  stop_writer_.store(true);
  writer_thread_.join();
  frames_.Close();
  stream_thread_.join();
  stop_control_.store(true);
  wake_.Notify();
  control_thread_.join();
  jobs_.Close();
  disk_thread_.join();
  log::info("stopped at {}", journal_->durable().position.Text());
}

}  // namespace

Result<std::unique_ptr<Relay>> Relay::Start(const Config& config, RelayOptions options) {
  auto relay = std::make_unique<RelayProcess>(config, std::move(options));
  HAWSER_TRY(relay->Open());
  return std::unique_ptr<Relay>(std::move(relay));
}

}  // namespace hawser
