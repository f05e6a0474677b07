#include "common/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <string_view>

namespace hawser::log {

namespace {

// Gives the lines of each text one by one to the real sink, which orders the threads.
class LineSink : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    spdlog::details::log_msg line = message;
    std::string_view text(message.payload.data(), message.payload.size());
    while (text.ends_with('\n')) text.remove_suffix(1);
    for (std::size_t end = 0; end != std::string_view::npos;
         text.remove_prefix(std::min(end + 1, text.size()))) {
      end = text.find('\n');
      line.payload = spdlog::string_view_t(text.data(), std::min(end, text.size()));
      real_.log(line);
    }
  }
  void flush() override { real_.flush(); }
  void set_pattern(const std::string& pattern) override { real_.set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    real_.set_formatter(std::move(formatter));
  }

 private:
  spdlog::sinks::stderr_color_sink_mt real_;
};

}  // namespace

void Start(const std::string& who, const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>(who, std::make_shared<LineSink>());
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %n: %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void Relay(const std::string& who, const std::string& line, bool bad) {
  const spdlog::details::log_msg message(who, bad ? spdlog::level::err : spdlog::level::info, line);
  for (const auto& sink : spdlog::default_logger()->sinks()) sink->log(message);
}

void Say(const Line& line) { line.bad ? warn("{}", line.text) : info("{}", line.text); }

}  // namespace hawser::log
