#include "common/record/store_path.h"

#include <fmt/format.h>

#include <cassert>

namespace hawser {

namespace {

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || byte == '\\')
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    else
      out.push_back(c);
  }
  return out;
}

}  // namespace

bool IsValidName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

Result<StorePath> StorePath::Parse(std::string_view text) {
  if (text.empty()) return StorePath();
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find('/', begin);
    const auto name = text.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (!IsValidName(name)) {
      return Error{EINVAL, fmt::format("path '{}' is not one inside a volume (component '{}')", Escape(text),
                                       Escape(name))};
    }
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return StorePath(std::string(text));
}

std::string StorePath::Printable() const { return IsRoot() ? "/" : Escape(text_); }

StorePath StorePath::Parent() const {
  assert(!IsRoot());
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? StorePath() : StorePath(text_.substr(0, slash));
}

std::string_view StorePath::Name() const {
  assert(!IsRoot());
  const std::size_t slash = text_.rfind('/');
  return std::string_view(text_).substr(slash == std::string::npos ? 0 : slash + 1);
}

StorePath StorePath::Child(std::string_view name) const {
  assert(IsValidName(name));
  return IsRoot() ? StorePath(std::string(name)) : StorePath(text_ + "/" + std::string(name));
}

bool StorePath::IsAtOrBelow(const StorePath& other) const {
  if (other.IsRoot() || text_ == other.text_) return true;
  return text_.size() > other.text_.size() && text_.starts_with(other.text_) &&
         text_[other.text_.size()] == '/';
}

std::vector<std::string_view> StorePath::Components() const {
  std::vector<std::string_view> names;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    names.push_back(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return names;
}

}  // namespace hawser
