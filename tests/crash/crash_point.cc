// The other definition of CrashPoint: kill -9 of this process at the place that $HAWSER_CRASH_AT names.
//
//   HAWSER_CRASH_AT=relay.flushed:3                the third time
//   HAWSER_CRASH_AT=file.written~checkpoint:1      the first time that the detail contains "checkpoint"
#include "common/base/crash_point.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace hawser {
namespace {

struct Wanted {
  std::string name;
  std::string detail;
  unsigned long passing = 0;  // 0: never

  static Wanted FromEnvironment() {
    const char* value = std::getenv("HAWSER_CRASH_AT");
    if (value == nullptr) return {};
    const std::string text = value;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return {};
    const std::string place = text.substr(0, colon);
    const std::size_t tilde = place.find('~');
    return {place.substr(0, tilde), tilde == std::string::npos ? "" : place.substr(tilde + 1),
            std::strtoul(text.c_str() + colon + 1, nullptr, 10)};
  }
};

}  // namespace

void CrashPoint(std::string_view name, std::string_view detail) noexcept {
  static const Wanted wanted = Wanted::FromEnvironment();
  static std::atomic<unsigned long> passings = 0;
  if (wanted.passing == 0 || name != wanted.name || detail.find(wanted.detail) == std::string_view::npos)
    return;
  if (++passings == wanted.passing) kill(getpid(), SIGKILL);
}

}  // namespace hawser
