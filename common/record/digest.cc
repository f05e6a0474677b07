#include "common/record/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <cstring>

namespace hawser {

struct Digester::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

std::string Digest::Hex() const {
  std::string text;
  for (const std::byte b : bytes)
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned>(b));
  return text;
}

std::optional<Digest> Digest::FromHex(std::string_view digits) {
  Digest digest;
  if (digits.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (std::byte& b : digest.bytes) {
    unsigned char value = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
    if (problem != std::errc() || end != digits.data() + 2) return std::nullopt;
    b = std::byte{value};
    digits.remove_prefix(2);
  }
  return digest;
}

Digester::Digester() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh.get()); }
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::Add(Bytes bytes) { XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size()); }

Digest Digester::Finish() {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh.get()));
  XXH3_128bits_reset(state_->xxh.get());
  Digest digest;
  std::memcpy(digest.bytes.data(), canonical.digest, digest.bytes.size());
  return digest;
}

}  // namespace hawser
