// Names and values are bytes; this is how they are shown to people.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace hawser::test {

// Printable ASCII as it is; backslash doubled; all other bytes as \xNN.
inline std::string EscapeBytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      text += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      text += hex;
    }
  }
  return text;
}

}  // namespace hawser::test
