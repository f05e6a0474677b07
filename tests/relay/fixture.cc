#include "tests/relay/fixture.h"

#include "common/config/agreement.h"
#include "tests/support/forwarding_journal.h"

namespace hawser::test {

namespace {

class ControlledJournal : public ForwardingJournal {
 public:
  ControlledJournal(std::unique_ptr<Journal> journal, FlushControl& control)
      : ForwardingJournal(std::move(journal)), control_(control) {}

  JournalStatus Append(std::span<const Frame* const> frames) override {
    if (control_.full()) return {JournalFailure::kNoRoom, Error{ENOSPC, "the test's journal is full"}};
    if (control_.starving()) return {JournalFailure::kNoDescriptors, Error{EMFILE, "the test's journal"}};
    if (control_.fenced())
      return {JournalFailure::kFenced, Error{ESTALE, "epoch 8 has been taken by another relay"}};
    return ForwardingJournal::Append(frames);
  }
  JournalStatus Flush() override {
    if (auto passed = control_.Pass(); !passed) return {JournalFailure::kFailed, passed.error()};
    return ForwardingJournal::Flush();
  }

 private:
  FlushControl& control_;
};

std::uint16_t PortOf(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

Error ToError(const Incoming& reply) {
  if (reply.type() == MessageType::kRefusal && reply.parts() == 1) {
    if (const auto refusal = Decode<Refusal>(reply.part(0))) return {ToErrno(refusal->code), refusal->text};
  }
  return {EPROTO, "an unexpected answer"};
}

template <class Message>
Result<Message> Expect(Result<Incoming> reply, MessageType type) {
  if (!reply) return std::move(reply).error();
  if (reply->type() != type || reply->parts() < 1) return ToError(*reply);
  return Decode<Message>(reply->part(0));
}

}  // namespace

void AwaitThat(const std::string& what, const std::function<bool()>& condition) {
  const Deadline deadline = Patience();
  while (!condition()) {
    if (SteadyClock::now() >= deadline) FAIL() << "not in time: " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void FlushControl::Hold() {
  const std::scoped_lock lock(mutex_);
  hold_ = true;
  held_ = false;
}

void FlushControl::Release() {
  {
    const std::scoped_lock lock(mutex_);
    hold_ = false;
  }
  changed_.notify_all();
}

void FlushControl::AwaitHeld() {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return held_; }));
}

Status FlushControl::Pass() {
  if (slow_.load().count() > 0) std::this_thread::sleep_for(slow_.load());
  std::unique_lock lock(mutex_);
  if (hold_) {
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hold_; });
  }
  if (fail_.load()) return Error{EIO, "cannot flush the test's journal"};
  return {};
}

Primary::Primary(NetContext& context, const std::string& endpoint, NodeName node, VolumeName volume,
                 std::uint64_t session, std::uint64_t first)
    : requester_(std::make_unique<Requester>(context, endpoint)) {
  next_.volume = std::move(volume);
  next_.generation = Generation(1);
  next_.origin = {std::move(node), session, first};
}

Result<Ack> Primary::Write(const std::string& payload, std::optional<Deadline> deadline) {
  batch_.clear();
  cuts_.clear();
  Prepare(payload);
  return Repeat(deadline);
}

void Primary::Prepare(const std::string& payload) {
  hawser::Write write;
  write.file = FileId(7);
  write.path = *StorePath::Parse("file");
  write.length = payload.size();
  next_.body = write;
  batch_.push_back({next_, payload});
  ++next_.origin.number;
}

Result<Ack> Primary::Repeat(std::optional<Deadline> deadline) {
  HAWSER_ASSIGN(const std::vector<Answer> answers, RepeatBatch(deadline));
  if (const auto* refusal = std::get_if<Refusal>(&answers.front()))
    return Error{ToErrno(refusal->code), refusal->text};
  return std::get<Ack>(answers.front());
}

Result<std::vector<Answer>> Primary::WriteBatch(const std::vector<std::string>& payloads,
                                                std::vector<std::uint32_t> cuts) {
  batch_.clear();
  cuts_ = std::move(cuts);
  for (const std::string& payload : payloads) Prepare(payload);
  return RepeatBatch();
}

Result<std::vector<Answer>> Primary::RepeatBatch(std::optional<Deadline> deadline) {
  std::vector<Buffer> headers;
  for (const Sent& sent : batch_) headers.push_back(EncodeRecord(sent.record));
  const Buffer batch = Encode(Batch{cuts_, batch_.front().record.origin.number - 1, {}, kRun});
  std::vector<Bytes> parts{batch};
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    parts.emplace_back(headers[i]);
    parts.push_back(AsBytes(batch_[i].payload));
  }
  HAWSER_ASSIGN(Answers answers, Expect<Answers>(requester_->Request(MessageType::kSubmit, parts, deadline),
                                                 MessageType::kAnswers));
  if (answers.answers.size() != batch_.size()) return Error{EPROTO, "not an answer for each record"};
  return std::move(answers.answers);
}

std::vector<Received> Unpack(const Frame& frame) {
  std::vector<Received> received;
  for (const Entry& entry : frame.entries) {
    auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) {
      ADD_FAILURE() << record.error().Text();
      continue;
    }
    received.push_back({Sequence(frame.header.first_sequence.value + received.size()), frame.header.group,
                        *std::move(record), std::string(AsText(entry.payload))});
  }
  return received;
}

RelayTest::RelayTest() {
  config_.group = "demo";
  options_.run = kRun;
  config_.relay.write_port = config_.relay.stream_port = config_.relay.control_port = 0;
  config_.relay.journal = folder_ / "journal";
  config_.volumes[kDocs].primary = kAlpha;
  config_.volumes[kMail].primary = kBravo;
  config_.nodes[kAlpha].volumes[kDocs];
  config_.nodes[kBravo].volumes[kMail];
  config_.nodes[kCharlie].volumes[kDocs];
  config_.nodes[kCharlie].volumes[kMail];
  options_.open_journal = [this](const JournalOptions& options, const Progress& start,
                                 RecoveryReport& report) -> Result<std::unique_ptr<Journal>> {
    HAWSER_ASSIGN(auto journal, OpenJournal(options, start, report));
    return std::unique_ptr<Journal>(std::make_unique<ControlledJournal>(std::move(journal), flushes_));
  };
}

RelayTest::~RelayTest() { flushes_.Release(); }

Status RelayTest::TryStart() {
  HAWSER_ASSIGN(relay_, Relay::Start(config_, options_));
  config_.relay.write_port = PortOf(relay_->write_endpoint());
  config_.relay.stream_port = PortOf(relay_->stream_endpoint());
  config_.relay.control_port = PortOf(relay_->control_endpoint());
  return {};
}

void RelayTest::Start() {
  const auto started = TryStart();
  ASSERT_TRUE(started) << started.error().Text();
}

void RelayTest::Restart() {
  relay_.reset();
  Start();
}

Primary RelayTest::PrimaryOf(const NodeName& node, const VolumeName& volume, std::uint64_t session,
                             std::uint64_t first) {
  return {context_, config_.relay.WriteEndpoint(), node, volume, session == 0 ? SessionOf(node) : session,
          first};
}

void RelayTest::AddWriters(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const VolumeName volume("of-" + WriterName(i).value);
    config_.volumes[volume].primary = WriterName(i);
    config_.nodes[WriterName(i)].volumes[volume];
  }
}

Primary RelayTest::Writer(std::size_t index) {
  EXPECT_TRUE(SayHello(WriterName(index), 1));
  return PrimaryOf(WriterName(index), VolumeName("of-" + WriterName(index).value));
}

Result<Incoming> RelayTest::Ask(const std::string& endpoint, MessageType type,
                                const std::vector<Bytes>& parts) {
  Requester requester(context_, endpoint);
  return requester.Request(type, parts, Patience());
}

Hello RelayTest::HelloOf(const NodeName& node, std::uint64_t start) const {
  Hello hello;
  hello.group = config_.group;
  hello.node = node;
  hello.incarnation = 1;
  hello.start = start;
  hello.config = AgreementOf(config_);
  return hello;
}

Result<Welcome> RelayTest::SayHello(const Hello& hello) {
  const Buffer body = Encode(hello);
  auto welcome =
      Expect<Welcome>(Ask(config_.relay.WriteEndpoint(), MessageType::kHello, {body}), MessageType::kWelcome);
  if (welcome) sessions_[hello.node] = welcome->session;
  return welcome;
}

Result<Overview> RelayTest::SendReport(const NodeName& node, const Progress& checkpoint) {
  std::vector<VolumeReport> volumes;
  for (const auto& [volume, replica] : config_.nodes[node].volumes)
    volumes.push_back({volume, ReplicaRole::kSecondary, ReplicaState::kLive, checkpoint, checkpoint, ""});
  return SendReport(node, checkpoint, std::move(volumes));
}

Result<Overview> RelayTest::SendReport(const NodeName& node, const Progress& received,
                                       std::vector<VolumeReport> volumes) {
  const Buffer body = Encode(
      Report{{config_.group, node, SessionOf(node)}, AgreementOf(config_), received, std::move(volumes)});
  return Expect<Overview>(Ask(config_.relay.ControlEndpoint(), MessageType::kReport, {body}),
                          MessageType::kOverview);
}

nlohmann::json RelayTest::AskStatus() {
  const auto reply = Ask(config_.relay.ControlEndpoint(), MessageType::kStatus, {});
  if (!reply || reply->type() != MessageType::kStatusText || reply->parts() != 1) {
    ADD_FAILURE() << "no status";
    return {};
  }
  return nlohmann::json::parse(AsText(reply->part(0)), nullptr, false);
}

PullReply RelayTest::PullOnce(const NodeName& node, Position& after, std::vector<Received>& into) {
  const Buffer body = Encode(Pull{{config_.group, node, SessionOf(node)}, after, 64 * kKiB});
  const auto reply = Ask(config_.relay.ControlEndpoint(), MessageType::kPull, {body});
  if (!reply || reply->type() != MessageType::kFrames || reply->parts() != 2) {
    ADD_FAILURE() << "no frames";
    return {PullReply::Answer::kFailed, "", {}};
  }
  for (Bytes rest = reply->part(1); !rest.empty();) {
    const auto frame = ParseFrame(rest);
    if (!frame) {
      ADD_FAILURE() << frame.error().Text();
      break;
    }
    for (Received& received : Unpack(*frame)) into.push_back(std::move(received));
    after = frame->header.progress().position;
    rest = rest.subspan(frame->header.frame_bytes());
  }
  return Decode<PullReply>(reply->part(0)).operator bool() ? *Decode<PullReply>(reply->part(0)) : PullReply{};
}

std::vector<Received> RelayTest::PullAll(const NodeName& node, Position after) {
  std::vector<Received> received;
  for (std::size_t before = 1; before != received.size();) {
    before = received.size();
    const PullReply reply = PullOnce(node, after, received);
    EXPECT_EQ(reply.answer, PullReply::Answer::kFrames) << reply.text;
  }
  return received;
}

std::vector<Received> RelayTest::ReadJournal() {
  std::vector<Received> received;
  auto reader = OpenJournalReader(config_.relay.journal, Position{});
  if (!reader) {
    ADD_FAILURE() << reader.error().Text();
    return received;
  }
  for (;;) {
    const auto frame = (*reader)->Next(Group(UINT64_MAX));
    if (!frame) {
      ADD_FAILURE() << frame.error().Text();
      return received;
    }
    if (!*frame) return received;
    for (Received& one : Unpack(**frame)) received.push_back(std::move(one));
  }
}

}  // namespace hawser::test
