// A small filesystem of its own (in a file, over a loop device), so that a test can fill it, or have one of
// another kind. Needs root.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace hawser::test {

class SmallDisk {
 public:
  // Whether this machine lets this user make one. Asked once.
  static bool Available();

  // Makes `image`, sparse, and mounts it at the folder `mount`, which is created. `mkfs`: the
  // command that makes the filesystem, without the image.
  static Result<std::unique_ptr<SmallDisk>> Make(std::string image, std::string mount, std::uint64_t bytes,
                                                 std::vector<std::string> mkfs = {"mkfs.ext4", "-q", "-F",
                                                                                  "-m", "0"});
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Detaches it, also if it is in use, and removes the image.
  ~SmallDisk();

  // The folder to use: empty at first, not the filesystem's root.
  std::string folder() const { return mount_ + "/data"; }

  // Takes all room but `leave` bytes, with a file that nobody else uses.
  Status Fill(std::uint64_t leave = 0);
  // Gives it back.
  void MakeRoom();
  bool full() const { return full_; }
  Result<std::uint64_t> FreeBytes() const;

 private:
  SmallDisk(std::string image, std::string mount) : image_(std::move(image)), mount_(std::move(mount)) {}
  std::string filler() const { return mount_ + "/filler"; }

  std::string image_;
  std::string mount_;
  bool full_ = false;
};

}  // namespace hawser::test
