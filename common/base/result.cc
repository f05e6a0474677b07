#include "common/base/result.h"

#include <cstring>

namespace hawser {

std::string Error::Text() const {
  char buffer[128];
  return message + ": " + strerror_r(code, buffer, sizeof buffer);
}

bool IsNoRoom(const Error& error) { return error.code == ENOSPC || error.code == EDQUOT; }

Error ErrnoError(std::string what) {
  const int code = errno != 0 ? errno : EIO;
  return {code, std::move(what)};
}

Error ErrnoError(std::string what, const std::string& path) {
  const int code = errno != 0 ? errno : EIO;
  return {code, std::move(what) + " '" + path + "'"};
}

}  // namespace hawser
