#include "common/net/messages.h"

#include <fmt/format.h>

#include <type_traits>

#include "common/record/pack.h"
#include "common/record/pack_position.h"
#include "common/record/record.h"

// Each message and each thing inside one lists its fields once, in Fields(); encoding and decoding walk the
// same list.

namespace hawser {

namespace {

template <class T, class... Ts>
constexpr bool kIsOneOf = (std::is_same_v<T, Ts> || ...);

// Answers as they travel: each group is there once, and the records in it name its place in the list.
struct TakenRow {
  Sequence sequence;
  std::uint64_t group = 0;
  bool repeated = false;
};
using AnswerRow = std::variant<TakenRow, Refusal>;
struct AnswerTable {
  std::vector<Progress> groups;
  std::vector<AnswerRow> rows;
};

// What is written as a msgpack array of its fields.
template <class T>
concept Composite = kIsOneOf<T, VolumeFact, VolumeReport, Sender, Hello, Welcome, Batch, TakenRow, Refusal,
                             AnswerTable, Report, Overview, Pull, PullReply, Head, Order, NodeOrder,
                             OrderResult, OrderState, PromotionOrder, PromotedVolume, Promotion, Hold>;

// What a list can hold.
template <class T>
concept Listed = Composite<T> || kIsOneOf<T, Progress, AnswerRow, std::uint32_t, std::string, VolumeName>;

// `m` is a T& or const T&; `f(name, field)` is called for each field in order.
template <class M, class F>
void Fields(M& m, F&& f) {
  using T = std::remove_const_t<M>;
  if constexpr (std::is_same_v<T, VolumeFact>) {
    f("volume", m.volume), f("primary", m.primary), f("generation", m.generation), f("since", m.since);
  } else if constexpr (std::is_same_v<T, VolumeReport>) {
    f("volume", m.volume), f("role", m.role), f("state", m.state), f("applied", m.applied),
        f("checkpoint", m.checkpoint), f("problem", m.problem), f("differences", m.differences),
        f("differing", m.differing), f("unanswered", m.unanswered), f("generation", m.generation),
        f("held_for", m.held_for);
  } else if constexpr (std::is_same_v<T, Hello>) {
    f("consistency_group", m.group), f("node", m.node), f("incarnation", m.incarnation), f("start", m.start),
        f("where", m.where), f("config", m.config), f("known", m.known), f("take_over", m.take_over);
  } else if constexpr (std::is_same_v<T, Sender>) {
    f("consistency_group", m.group), f("node", m.node), f("session", m.session), f("known", m.known);
  } else if constexpr (std::is_same_v<T, Welcome>) {
    f("run", m.run), f("session", m.session), f("replaces", m.replaces), f("head", m.head),
        f("oldest", m.oldest), f("volumes", m.volumes);
  } else if constexpr (std::is_same_v<T, Batch>) {
    f("cuts", m.cuts), f("answered", m.answered), f("known", m.known), f("run", m.run);
  } else if constexpr (std::is_same_v<T, TakenRow>) {
    f("sequence", m.sequence), f("write_group", m.group), f("repeated", m.repeated);
  } else if constexpr (std::is_same_v<T, AnswerTable>) {
    f("groups", m.groups), f("answers", m.rows);
  } else if constexpr (std::is_same_v<T, Refusal>) {
    f("code", m.code), f("text", m.text);
  } else if constexpr (std::is_same_v<T, Report>) {
    f("from", m.from), f("config", m.config), f("received", m.received), f("volumes", m.volumes),
        f("orders", m.orders);
  } else if constexpr (std::is_same_v<T, Overview>) {
    f("run", m.run), f("head", m.head), f("oldest", m.oldest), f("volumes", m.volumes), f("orders", m.orders),
        f("holds", m.holds), f("hurry", m.hurry);
  } else if constexpr (std::is_same_v<T, Order>) {
    f("consistency_group", m.group), f("node", m.node), f("id", m.id), f("kind", m.kind);
  } else if constexpr (std::is_same_v<T, NodeOrder>) {
    f("id", m.id), f("kind", m.kind);
  } else if constexpr (std::is_same_v<T, OrderResult>) {
    f("id", m.id), f("problem", m.problem), f("at", m.at);
  } else if constexpr (std::is_same_v<T, OrderState>) {
    f("settled", m.settled), f("result", m.result);
  } else if constexpr (std::is_same_v<T, PromotionOrder>) {
    f("consistency_group", m.group), f("id", m.id), f("node", m.node), f("volumes", m.volumes),
        f("timeout_ms", m.timeout_ms);
  } else if constexpr (std::is_same_v<T, PromotedVolume>) {
    f("volume", m.volume), f("from", m.from), f("generation", m.generation), f("planned", m.planned),
        f("acknowledged", m.acknowledged), f("applied", m.applied), f("serves", m.serves);
  } else if constexpr (std::is_same_v<T, Promotion>) {
    f("settled", m.settled), f("problem", m.problem), f("progress", m.progress), f("volumes", m.volumes);
  } else if constexpr (std::is_same_v<T, Hold>) {
    f("volume", m.volume), f("attempt", m.attempt);
  } else if constexpr (std::is_same_v<T, Pull>) {
    f("from", m.from), f("after", m.after), f("max_bytes", m.max_bytes);
  } else if constexpr (std::is_same_v<T, PullReply>) {
    f("answer", m.answer), f("text", m.text), f("head", m.head);
  } else {
    static_assert(std::is_same_v<T, Head>, "a message without a list of fields");
    f("head", m.head);
  }
}

template <Composite T>
std::size_t FieldCount() {
  const T m;
  std::size_t count = 0;
  Fields(m, [&count](const char*, const auto&) { ++count; });
  return count;
}

// One overload a type of field: how it is written.
struct Put {
  Packer& out;

  void operator()(const char*, std::uint64_t value) const { out.Uint(value); }
  void operator()(const char*, std::uint32_t value) const { out.Uint(value); }
  void operator()(const char*, bool value) const { out.Bool(value); }
  void operator()(const char*, const std::string& value) const { out.Text(value); }
  void operator()(const char*, const Position& value) const { Pack(out, value); }
  void operator()(const char*, const Progress& value) const { Pack(out, value); }
  template <class Tag>
  void operator()(const char*, const Strong<Tag, std::uint64_t>& value) const {
    out.Uint(value.value);
  }
  template <class Tag>
  void operator()(const char*, const Strong<Tag, std::string>& value) const {
    out.Text(value.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char*, Enum value) const { out.Uint(static_cast<std::uint64_t>(value)); }
  template <Composite T>
  void operator()(const char*, const T& value) const {
    out.Array(FieldCount<T>());
    Fields(value, *this);
  }
  void operator()(const char* name, const AnswerRow& row) const {
    out.Array(2).Uint(row.index());
    std::visit([&](const auto& answer) { (*this)(name, answer); }, row);
  }
  template <Listed T>
  void operator()(const char* name, const std::vector<T>& values) const {
    out.Array(values.size());
    for (const T& value : values) (*this)(name, value);
  }
};

// One overload a type of field: how it is read and what is refused.
struct Get {
  Unpacker& in;

  void operator()(const char* name, std::uint64_t& value) const { value = in.Uint(name); }
  void operator()(const char* name, bool& value) const { value = in.Bool(name); }
  void operator()(const char* name, std::uint32_t& value) const {
    value = static_cast<std::uint32_t>(in.Uint(name, UINT32_MAX));
  }
  void operator()(const char* name, std::string& value) const { value = in.Text(name); }
  void operator()(const char* name, Position& value) const { value = UnpackPosition(in, name); }
  void operator()(const char* name, Progress& value) const { value = UnpackProgress(in, name); }
  template <class Tag>
  void operator()(const char* name, Strong<Tag, std::uint64_t>& value) const {
    value.value = in.Uint(name);
  }
  // Names of nodes and volumes.
  template <class Tag>
  void operator()(const char* name, Strong<Tag, std::string>& value) const {
    value.value = in.Text(name);
    if (!in.failed() && value.value.empty()) in.Fail(name, "is empty");
  }
  void operator()(const char* name, RefusalCode& value) const {
    ReadEnum(name, value, RefusalCode::kOtherRun);
  }
  void operator()(const char* name, OrderKind& value) const { ReadEnum(name, value, OrderKind::kResume); }
  void operator()(const char* name, PullReply::Answer& value) const {
    ReadEnum(name, value, PullReply::Answer::kFailed);
  }
  // One volume is in one role.
  void operator()(const char* name, ReplicaRole& value) const {
    ReadEnum(name, value, ReplicaRole::kSecondary);
  }
  void operator()(const char* name, ReplicaState& value) const {
    ReadEnum(name, value, ReplicaState::kUnknown);
  }
  template <Composite T>
  void operator()(const char* name, T& value) const {
    in.Array(name, FieldCount<T>());
    Fields(value, *this);
  }
  void operator()(const char* name, AnswerRow& row) const {
    in.Array(name, 2);
    if (in.Uint("answer.kind", 1) == 0) {
      (*this)(name, row.emplace<TakenRow>());
    } else {
      (*this)(name, row.emplace<Refusal>());
    }
  }
  template <Listed T>
  void operator()(const char* name, std::vector<T>& values) const {
    const std::size_t count = in.Array(name);
    for (std::size_t i = 0; i < count && !in.failed(); ++i) (*this)(name, values.emplace_back());
  }

 private:
  // The values are 1 to `last`.
  template <class Enum>
  void ReadEnum(const char* name, Enum& value, Enum last) const {
    const std::uint64_t number = in.Uint(name);
    if (in.failed()) return;
    if (number < 1 || number > static_cast<std::uint64_t>(last))
      return in.Fail(name, "has a value that isn't known");
    value = static_cast<Enum>(number);
  }
};

template <class T>
Buffer EncodeFields(const T& message) {
  Packer out;
  Put{out}("message", message);
  return out.Finish();
}

AnswerTable ToTable(const Answers& message) {
  AnswerTable table;
  const auto place_of = [&table](const Progress& group) {
    if (table.groups.empty() || table.groups.back() != group) table.groups.push_back(group);
    return table.groups.size() - 1;
  };
  table.rows.reserve(message.answers.size());
  for (const Answer& answer : message.answers) {
    std::visit(
        Overloaded{[&](const Ack& ack) {
                     table.rows.emplace_back(TakenRow{ack.sequence, place_of(ack.group), ack.repeated});
                   },
                   [&](const Refusal& refusal) { table.rows.emplace_back(refusal); }},
        answer);
  }
  return table;
}

Result<Answers> FromTable(AnswerTable table) {
  Answers message;
  message.answers.reserve(table.rows.size());
  for (AnswerRow& row : table.rows) {
    if (auto* refusal = std::get_if<Refusal>(&row)) {
      message.answers.emplace_back(std::move(*refusal));
      continue;
    }
    const auto& taken = std::get<TakenRow>(row);
    if (taken.group >= table.groups.size())
      return Error{EINVAL, "field 'write_group' names a group that isn't listed"};
    message.answers.emplace_back(Ack{taken.sequence, table.groups[taken.group], taken.repeated});
  }
  return message;
}

bool IsKnown(std::uint8_t type) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::kHello:
    case MessageType::kSubmit:
    case MessageType::kWelcome:
    case MessageType::kAnswers:
    case MessageType::kRefusal:
    case MessageType::kReport:
    case MessageType::kOverview:
    case MessageType::kPull:
    case MessageType::kFrames:
    case MessageType::kStatus:
    case MessageType::kStatusText:
    case MessageType::kOrder:
    case MessageType::kOrderState:
    case MessageType::kPromote:
    case MessageType::kPromotion:
    case MessageType::kFrame:
    case MessageType::kHead:
      return true;
  }
  return false;
}

}  // namespace

int ToErrno(RefusalCode code) {
  switch (code) {
    case RefusalCode::kBadMessage:
      return EPROTO;
    case RefusalCode::kWrongVersion:
      return EPROTONOSUPPORT;
    case RefusalCode::kTooLarge:
      return EMSGSIZE;
    case RefusalCode::kUnknownNode:
      return EACCES;
    case RefusalCode::kUnknownVolume:
      return ENODEV;
    case RefusalCode::kNotPrimary:
      return EROFS;
    case RefusalCode::kFenced:
      return EROFS;
    case RefusalCode::kOldSession:
      return ESTALE;
    case RefusalCode::kUnknownSession:
    case RefusalCode::kAhead:
    case RefusalCode::kOtherRun:
      return EPROTO;
    case RefusalCode::kOutOfTurn:
    case RefusalCode::kJournalFailed:
      return EIO;
    case RefusalCode::kWentBack:
      return ENODATA;
    case RefusalCode::kJournalFull:
      return ENOSPC;
    case RefusalCode::kOtherGroup:
      return EINVAL;
    case RefusalCode::kNodeAlive:
      return EBUSY;
  }
  return EIO;
}

Buffer Encode(const Hello& message) { return EncodeFields(message); }
Buffer Encode(const Welcome& message) { return EncodeFields(message); }
Buffer Encode(const Batch& message) { return EncodeFields(message); }
Buffer Encode(const Answers& message) { return EncodeFields(ToTable(message)); }
Buffer Encode(const Refusal& message) { return EncodeFields(message); }
Buffer Encode(const Report& message) { return EncodeFields(message); }
Buffer Encode(const Overview& message) { return EncodeFields(message); }
Buffer Encode(const Pull& message) { return EncodeFields(message); }
Buffer Encode(const PullReply& message) { return EncodeFields(message); }
Buffer Encode(const Head& message) { return EncodeFields(message); }
Buffer Encode(const Order& message) { return EncodeFields(message); }
Buffer Encode(const OrderState& message) { return EncodeFields(message); }
Buffer Encode(const PromotionOrder& message) { return EncodeFields(message); }
Buffer Encode(const Promotion& message) { return EncodeFields(message); }

template <class Message>
Result<Message> Decode(Bytes bytes) {
  Unpacker in(bytes);
  Message message;
  Get{in}("message", message);
  HAWSER_TRY(in.Finish());
  return message;
}

template <>
Result<Answers> Decode<Answers>(Bytes bytes) {
  HAWSER_ASSIGN(AnswerTable table, Decode<AnswerTable>(bytes));
  return FromTable(std::move(table));
}

template Result<Hello> Decode<Hello>(Bytes);
template Result<Welcome> Decode<Welcome>(Bytes);
template Result<Batch> Decode<Batch>(Bytes);
template Result<Refusal> Decode<Refusal>(Bytes);
template Result<Report> Decode<Report>(Bytes);
template Result<Overview> Decode<Overview>(Bytes);
template Result<Pull> Decode<Pull>(Bytes);
template Result<PullReply> Decode<PullReply>(Bytes);
template Result<Head> Decode<Head>(Bytes);
template Result<Order> Decode<Order>(Bytes);
template Result<OrderState> Decode<OrderState>(Bytes);
template Result<PromotionOrder> Decode<PromotionOrder>(Bytes);
template Result<Promotion> Decode<Promotion>(Bytes);

Buffer EncodeEnvelope(MessageType type) {
  return {std::byte{'H'}, std::byte{'W'}, std::byte{kWireVersion}, static_cast<std::byte>(type)};
}

Result<MessageType> DecodeEnvelope(Bytes bytes) {
  if (bytes.size() != 4 || bytes[0] != std::byte{'H'} || bytes[1] != std::byte{'W'})
    return Error{EINVAL, "not a Hawser message: its first part isn't an envelope"};
  if (bytes[2] != std::byte{kWireVersion})
    return Error{EPROTONOSUPPORT,
                 fmt::format("a message of wire version {}, but this program speaks version {}",
                             static_cast<unsigned>(bytes[2]), kWireVersion)};
  const auto type = static_cast<std::uint8_t>(bytes[3]);
  if (!IsKnown(type)) return Error{EINVAL, fmt::format("a message of type {}, which isn't known", type)};
  return static_cast<MessageType>(type);
}

}  // namespace hawser
