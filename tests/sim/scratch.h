// A folder for the journals of simulated machines: in memory if there is such a place, since simulated disks
// need no real ones. Removed at the end; what a killed process left is removed by the next one.
#pragma once

#include <string>

namespace hawser::sim {

class Scratch {
 public:
  // Under $TMPDIR, else /dev/shm, else /tmp. Ends the process if it cannot be made.
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace hawser::sim
