// XXH3-128 digests: of journal frames (the chain) and of contents.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace hawser {

struct Digest {
  std::array<std::byte, 16> bytes{};  // XXH128_canonical order (big endian)

  std::string Hex() const;
  // nullopt: these aren't 32 hex digits.
  static std::optional<Digest> FromHex(std::string_view digits);
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// Digest of a sequence of byte runs; the same as of their concatenation. Not thread safe; reusable after
// Finish().
class Digester {
 public:
  Digester();
  ~Digester();
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;

  void Add(Bytes bytes);
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
