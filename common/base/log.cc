#include "common/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace hawser::log {

void Start(const std::string& who, const std::string& level) {
  auto logger = spdlog::stderr_color_mt(who);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %n: %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace hawser::log
