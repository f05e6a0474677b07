// A machine's disk below its journal. Files lie in a real folder, whose content is what the kernel would show
// (page cache); beside it this keeps what would be left after a power cut:
//  - a write reaches the disk by sectors, in any order, any subset of them, until a flush makes all of them
//    durable;
//  - a flush that fails has written some of them, and the kernel takes the others for clean: they are never
//    written unless somebody writes them again;
//  - a new file may be gone, and a removed one back, until the folder is flushed.
// A process may end before, in the middle of and after each operation.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/journal/disk.h"
#include "tests/sim/world.h"

namespace hawser::sim {

class SimDisk : public Disk {
 public:
  SimDisk(World& world, std::string folder) : world_(world), folder_(std::move(folder)) {}

  // From now on `life` uses it.
  void Serve(LifePtr life) { life_ = std::move(life); }
  // What a flush is interleaved with: the process's other threads.
  void set_during_flush(std::function<void()> hook) { during_flush_ = std::move(hook); }

  void set_full(bool full) { full_ = full; }
  bool full() const { return full_; }

  // Leaves in the folder what a power cut leaves.
  void PowerCut();
  // Leaves nothing in it.
  void Lose();

  Status Write(int fd, std::span<iovec> parts, std::uint64_t offset, const std::string& path) override;
  Status Flush(int fd, const std::string& path) override;
  Status Allocate(int fd, std::uint64_t bytes, const std::string& path) override;
  Status FlushFolder(const std::string& folder) override;
  Status Remove(const std::string& path) override;

 private:
  struct File {
    std::string durable;            // content after a power cut, but for dirty sectors
    std::set<std::uint64_t> dirty;  // sectors that the page cache would still write
    bool entered = false;           // its name is durable
  };

  // Fails if the process has ended; may end it now.
  Status Pass(const char* operation, const std::string& path);
  Status Ended(const std::string& path) const;
  void MakeDurable(File& file, const std::string& cached, std::uint64_t sector);
  void LeaveOf(const std::string& path, File& file);

  World& world_;
  const std::string folder_;
  LifePtr life_;
  std::function<void()> during_flush_;
  bool full_ = false;
  std::map<std::string, File> files_;           // by path
  std::map<std::string, std::string> removed_;  // durable content; their names may come back
};

}  // namespace hawser::sim
