#include "tests/crash/watcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace hawser::test {
namespace {

constexpr auto kPause = std::chrono::milliseconds(5);

}  // namespace

Watcher::Watcher(std::vector<std::string> files) : files_(std::move(files)) {
  thread_ = std::thread([this] { Run(); });
}

Watcher::~Watcher() {
  stop_ = true;
  thread_.join();
}

std::string Watcher::Violation() const {
  const std::lock_guard lock(mutex_);
  return violation_;
}

void Watcher::Run() {
  std::vector<off_t> sizes(files_.size());
  while (!stop_) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      struct stat info {};
      if (stat(files_[i].c_str(), &info) != 0) continue;
      const std::lock_guard lock(mutex_);
      if (info.st_size + allowed_ < sizes[i] && violation_.empty())
        violation_ =
            files_[i] + " had " + std::to_string(sizes[i]) + " bytes, then " + std::to_string(info.st_size);
      sizes[i] = std::max(sizes[i], info.st_size);
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace hawser::test
