// Numbers of a fixed width in little endian, one after the other, whatever the machine.
#pragma once

#include <array>
#include <concepts>
#include <cstring>

#include "common/base/bytes.h"

namespace hawser {

// Writes into memory that is large enough.
class LittleEndianWriter {
 public:
  explicit LittleEndianWriter(std::byte* at) : at_(at) {}

  template <std::unsigned_integral T>
  LittleEndianWriter& Put(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) *at_++ = static_cast<std::byte>(value >> (8 * i));
    return *this;
  }
  template <std::size_t N>
  LittleEndianWriter& Put(const std::array<std::byte, N>& bytes) {
    std::memcpy(at_, bytes.data(), N);
    at_ += N;
    return *this;
  }

 private:
  std::byte* at_;
};

// Reads from memory that is large enough.
class LittleEndianReader {
 public:
  explicit LittleEndianReader(const std::byte* at) : at_(at) {}

  template <std::unsigned_integral T>
  T Get() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<std::uint64_t>(*at_++) << (8 * i);
    return static_cast<T>(value);
  }
  template <std::size_t N>
  void Get(std::array<std::byte, N>& bytes) {
    std::memcpy(bytes.data(), at_, N);
    at_ += N;
  }

 private:
  const std::byte* at_;
};

}  // namespace hawser
