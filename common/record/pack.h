// Thin layer over msgpack, which is included nowhere else but in pack.cc. Messages and records are msgpack
// arrays of known length: Packer writes one, Unpacker reads one and remembers the first thing that was wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hawser {

class Packer {
 public:
  Packer();
  ~Packer();

  Packer& Array(std::size_t length);
  Packer& Uint(std::uint64_t value);
  Packer& Int(std::int64_t value);
  Packer& Bool(bool value);
  Packer& Nil();
  Packer& Binary(Bytes value);  // msgpack bin: names and paths are bytes, not UTF-8
  Packer& Text(std::string_view value) { return Binary(AsBytes(value)); }

  Buffer Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads a whole msgpack object up front (bounded nesting and sizes), then walks its arrays in order. After a
// failure every read returns zeros; Finish() tells the first failure, with the field's name. Never throws.
class Unpacker {
 public:
  explicit Unpacker(Bytes bytes);
  ~Unpacker();

  // Enters the array that comes next; it must have `length` elements, or (without length) any number,
  // returned.
  void Array(const char* field, std::size_t length);
  std::size_t Array(const char* field);

  std::uint64_t Uint(const char* field, std::uint64_t max = UINT64_MAX);
  std::int64_t Int(const char* field);
  bool Bool(const char* field);
  bool IsNil();                     // whether nil comes next; if so it is consumed
  Bytes Binary(const char* field);  // valid as long as the Unpacker
  std::string Text(const char* field) { return std::string(AsText(Binary(field))); }

  // Notes a failure found by the caller.
  void Fail(const char* field, std::string_view why);
  bool failed() const;

  // EINVAL if anything failed or anything is left over.
  Status Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
