// The table of mounts, as this process sees it. It is read, and no mount is asked anything: one whose process
// hangs is found, too. Any thread.
#pragma once

#include <optional>
#include <string>

namespace hawser {

struct MountEntry {
  std::string source;  // "demo/docs", "/dev/sda1"
  std::string type;    // "fuse.hawser", "ext4"
};

// What is mounted right at `path`, on top of others; nullopt: nothing is, or there is no table.
std::optional<MountEntry> MountedAt(const std::string& path);

}  // namespace hawser
