// A program that writes in a mount and keeps a log of what was acknowledged, outside of it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/files.h"

namespace hawser::test {

// Writes files one after the other until it is told to stop or gets an error; knows which calls returned.
class LoggedWriter {
 public:
  explicit LoggedWriter(std::string folder) : folder_(std::move(folder)), thread_([this] { Run(); }) {}
  ~LoggedWriter() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int acknowledged() const { return acknowledged_; }
  std::string NameOf(int number) const { return "/file-" + std::to_string(number); }
  // Of what was acknowledged, what isn't there with its content.
  std::vector<std::string> Missing(const std::string& folder) const {
    std::vector<std::string> missing;
    for (int i = 0; i < acknowledged_; ++i)
      if (Read(folder + NameOf(i)) != std::to_string(i)) missing.push_back(NameOf(i));
    return missing;
  }

 private:
  void Run() {
    for (int i = 0; !stop_; ++i) {
      const UniqueFd fd(open((folder_ + NameOf(i)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      const std::string content = std::to_string(i);
      if (!fd || write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        return;
      acknowledged_ = i + 1;
    }
  }

  const std::string folder_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> acknowledged_ = 0;
  std::thread thread_;
};

}  // namespace hawser::test
