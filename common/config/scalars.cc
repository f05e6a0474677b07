#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "common/base/bytes.h"
#include "common/config/fields.h"
#include "common/config/units.h"

namespace hawser {
namespace {

constexpr std::size_t kMaxNameLength = 64;

using ReadText = std::function<Status(const YamlPlace& place, const std::string& text)>;

Read Scalar(std::string wanted, ReadText read) {
  return [wanted = std::move(wanted), read = std::move(read)](const YamlPlace& place) -> Status {
    if (place.node.kind == YamlNode::Kind::kScalar) return read(place, place.node.scalar);
    return place.Wrong(place.Shown() + " stands where " + wanted + " has to; write it after the colon");
  };
}

// "$HOME/docs", "/srv/${USER}"
bool HasVariable(const std::string& path) {
  for (auto at = path.find('$'); at != std::string::npos; at = path.find('$', at + 1)) {
    const unsigned char next = at + 1 < path.size() ? path[at + 1] : 0;
    if (std::isalpha(next) || next == '_' || next == '{') return true;
  }
  return false;
}

}  // namespace

Status CheckName(const YamlPlace& place, const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.starts_with('-')) {
    return place.Wrong(fmt::format("'{}' begins with '-', as options of commands do; give it another name",
                                   name.substr(0, kMaxNameLength)));
  }
  const bool fine = !name.empty() && name.size() <= kMaxNameLength &&
                    std::all_of(name.begin(), name.end(), allowed) && name != "." && name != "..";
  if (fine) return {};
  return place.Wrong(fmt::format("'{}' is not a name; use 1 to {} letters, digits, '.', '_' or '-'",
                                 name.substr(0, kMaxNameLength), kMaxNameLength));
}

Read Text(std::string& into) {
  return Scalar("text", [&into](const YamlPlace& place, const std::string& text) -> Status {
    if (text.empty()) return place.Wrong("is empty; write a value, or remove the key");
    into = text;
    return {};
  });
}

Read HostPath(std::string& into) {
  return Scalar("a path", [&into](const YamlPlace& place, const std::string& text) -> Status {
    if (text.empty()) return place.Wrong("is empty; write the folder's path");
    if (text.starts_with('~'))
      return place.Wrong("'" + text + "': '~' is not replaced by a home folder; write the whole path");
    if (HasVariable(text)) {
      return place.Wrong("'" + text +
                         "': variables of the environment are not replaced; write the whole path");
    }
    const auto control =
        std::find_if(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
    if (control != text.end()) {
      return place.Wrong(fmt::format("the path holds {}; correct the path", *control == '\n' ? "a line break"
                                                                            : *control == '\0'
                                                                                ? "a NUL byte"
                                                                                : "a control character"));
    }
    into = place.source.HostPath(text);
    return {};
  });
}

Read NameText(std::string& into) {
  return Scalar("a name", [&into](const YamlPlace& place, const std::string& text) -> Status {
    into = text;
    return CheckName(place, text);
  });
}

Read Flag(bool& into) {
  return Scalar("true or false", [&into](const YamlPlace& place, const std::string& text) -> Status {
    into = text == "true";
    if (!place.node.quoted && (into || text == "false")) return {};
    return place.Wrong(place.Shown() + " is neither true nor false; write one of the two, without quotes");
  });
}

Read Number(std::uint64_t min, std::uint64_t max, std::function<void(std::uint64_t)> store) {
  return Scalar(
      "a number", [=, store = std::move(store)](const YamlPlace& place, const std::string& text) -> Status {
        std::uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data(), end, number);
        if (place.node.quoted || failure != std::errc() || stop != end || number < min || number > max) {
          return place.Wrong(place.Shown() + " is not possible; write a number from " + std::to_string(min) +
                             " to " + std::to_string(max) + ", without quotes");
        }
        store(number);
        return {};
      });
}

Read Port(std::uint16_t& into) {
  return Number(1, 65535, [&into](std::uint64_t number) { into = static_cast<std::uint16_t>(number); });
}

Read UserId(std::optional<std::uint32_t>& into) {
  // The largest of 32 bits means "unchanged" to chown.
  return Number(0, 4'294'967'294,
                [&into](std::uint64_t number) { into = static_cast<std::uint32_t>(number); });
}

Read Size(std::uint64_t& into, std::uint64_t least) {
  return Scalar("a size", [&into, least](const YamlPlace& place, const std::string& text) -> Status {
    const auto size = ParseSize(text);
    if (!size) return place.Wrong(size.error().message);
    if (*size < least) {
      return place.Wrong(place.Shown() + " is too small; write at least " + std::to_string(least / kMiB) +
                         "MiB");
    }
    into = *size;
    return {};
  });
}

Read Duration(std::chrono::milliseconds min, std::function<void(std::chrono::milliseconds)> store) {
  return Scalar("a duration",
                [min, store = std::move(store)](const YamlPlace& place, const std::string& text) -> Status {
                  const auto duration = ParseDuration(text);
                  if (!duration) return place.Wrong(duration.error().message);
                  if (*duration < min) {
                    return place.Wrong(place.Shown() + " is too short; write at least " +
                                       std::to_string(min.count()) + "ms");
                  }
                  store(*duration);
                  return {};
                });
}

Read OneOf(const std::vector<std::string>& words, std::function<void(std::size_t index)> store) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : " or ") + word;
  return Scalar(list,
                [=, store = std::move(store)](const YamlPlace& place, const std::string& text) -> Status {
                  const auto found = std::find(words.begin(), words.end(), text);
                  if (found == words.end())
                    return place.Wrong(place.Shown() + " is not possible; write " + list);
                  store(static_cast<std::size_t>(found - words.begin()));
                  return {};
                });
}

}  // namespace hawser
