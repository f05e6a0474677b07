#include "common/record/pack.h"

#define MSGPACK_NO_BOOST
#include <msgpack.hpp>
#include <vector>

namespace hawser {

namespace {

// What msgpack::packer writes to: straight into the buffer that the caller gets.
struct BufferStream {
  Buffer bytes;
  void write(const char* data, std::size_t size) {
    const auto run = std::as_bytes(std::span(data, size));
    bytes.insert(bytes.end(), run.begin(), run.end());
  }
};

// Bounds for what comes from outside; no message or record header comes near them.
const msgpack::unpack_limit& Limits() {
  static const msgpack::unpack_limit limits(/*array=*/4096, /*map=*/0, /*str=*/0, /*bin=*/kMiB, /*ext=*/0,
                                            /*depth=*/8);
  return limits;
}

bool PointIntoInput(msgpack::type::object_type, std::size_t, void*) { return true; }

}  // namespace

struct Packer::State {
  BufferStream stream;
  msgpack::packer<BufferStream> packer{stream};
};

Packer::Packer() : state_(std::make_unique<State>()) { state_->stream.bytes.reserve(256); }
Packer::~Packer() = default;

Packer& Packer::Array(std::size_t length) {
  state_->packer.pack_array(static_cast<std::uint32_t>(length));
  return *this;
}
Packer& Packer::Uint(std::uint64_t value) {
  state_->packer.pack_uint64(value);
  return *this;
}
Packer& Packer::Int(std::int64_t value) {
  state_->packer.pack_int64(value);
  return *this;
}
Packer& Packer::Bool(bool value) {
  value ? state_->packer.pack_true() : state_->packer.pack_false();
  return *this;
}
Packer& Packer::Nil() {
  state_->packer.pack_nil();
  return *this;
}
Packer& Packer::Binary(Bytes value) {
  state_->packer.pack_bin(static_cast<std::uint32_t>(value.size()));
  state_->stream.write(reinterpret_cast<const char*>(value.data()), value.size());
  return *this;
}

Buffer Packer::Finish() { return std::move(state_->stream.bytes); }

struct Unpacker::State {
  struct Level {
    const msgpack::object* next;
    const msgpack::object* end;
  };

  msgpack::object_handle handle;
  std::vector<Level> levels;
  std::string failure;

  void Fail(const char* field, std::string_view why) {
    if (failure.empty()) failure = "field '" + std::string(field) + "' " + std::string(why);
  }

  void LeaveFinishedArrays() {
    while (!levels.empty() && levels.back().next == levels.back().end) levels.pop_back();
  }

  // The next object without taking it; nullptr after a failure or at the end.
  const msgpack::object* Peek() {
    if (!failure.empty()) return nullptr;
    LeaveFinishedArrays();
    return levels.empty() ? nullptr : levels.back().next;
  }

  // Takes the next object if it has one of the types; else fails.
  const msgpack::object* Take(const char* field, std::initializer_list<msgpack::type::object_type> types) {
    const msgpack::object* object = Peek();
    if (object == nullptr) {
      Fail(field, "is missing");
      return nullptr;
    }
    for (const auto type : types) {
      if (object->type == type) {
        ++levels.back().next;
        return object;
      }
    }
    Fail(field, "has the wrong type");
    return nullptr;
  }
};

Unpacker::Unpacker(Bytes bytes) : state_(std::make_unique<State>()) {
  try {
    std::size_t offset = 0;
    state_->handle = msgpack::unpack(reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset,
                                     PointIntoInput, nullptr, Limits());
    if (offset != bytes.size()) state_->Fail("end", "is followed by other bytes");
    state_->levels.push_back({&state_->handle.get(), &state_->handle.get() + 1});
  } catch (const std::exception& problem) {
    state_->Fail("start", std::string("is not msgpack: ") + problem.what());
  }
}
Unpacker::~Unpacker() = default;

std::size_t Unpacker::Array(const char* field) {
  const auto* object = state_->Take(field, {msgpack::type::ARRAY});
  if (object == nullptr) return 0;
  state_->levels.push_back({object->via.array.ptr, object->via.array.ptr + object->via.array.size});
  return object->via.array.size;
}

void Unpacker::Array(const char* field, std::size_t length) {
  if (Array(field) != length) state_->Fail(field, "has the wrong number of fields");
}

std::uint64_t Unpacker::Uint(const char* field, std::uint64_t max) {
  const auto* object = state_->Take(field, {msgpack::type::POSITIVE_INTEGER});
  if (object == nullptr) return 0;
  if (object->via.u64 > max) {
    state_->Fail(field, "is too large");
    return 0;
  }
  return object->via.u64;
}

std::int64_t Unpacker::Int(const char* field) {
  const auto* object =
      state_->Take(field, {msgpack::type::POSITIVE_INTEGER, msgpack::type::NEGATIVE_INTEGER});
  if (object == nullptr) return 0;
  if (object->type == msgpack::type::POSITIVE_INTEGER && object->via.u64 > INT64_MAX) {
    state_->Fail(field, "is too large");
    return 0;
  }
  return object->via.i64;
}

bool Unpacker::Bool(const char* field) {
  const auto* object = state_->Take(field, {msgpack::type::BOOLEAN});
  return object != nullptr && object->via.boolean;
}

bool Unpacker::IsNil() {
  const auto* object = state_->Peek();
  if (object == nullptr || object->type != msgpack::type::NIL) return false;
  ++state_->levels.back().next;
  return true;
}

Bytes Unpacker::Binary(const char* field) {
  const auto* object = state_->Take(field, {msgpack::type::BIN});
  if (object == nullptr) return {};
  return std::as_bytes(std::span(object->via.bin.ptr, object->via.bin.size));
}

void Unpacker::Fail(const char* field, std::string_view why) { state_->Fail(field, why); }
bool Unpacker::failed() const { return !state_->failure.empty(); }

Status Unpacker::Finish() {
  if (state_->failure.empty() && state_->Peek() != nullptr)
    state_->Fail("end", "is preceded by unread fields");
  if (!state_->failure.empty()) return Error{EINVAL, state_->failure};
  return {};
}

}  // namespace hawser
