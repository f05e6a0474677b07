// What lies where in a node's state folder, and beside the relay's journal. Names only; nothing here touches
// a disk.
#pragma once

#include <string>
#include <utility>

#include "common/base/ids.h"

namespace hawser {

class StateFolder {
 public:
  explicit StateFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  std::string Lock() const { return path_ + "/lock"; }  // locked while a process serves the node
  std::string Incarnation() const { return path_ + "/incarnation"; }  // a number made with the folder
  std::string KnownHead() const { return path_ + "/known"; }  // the newest position told to be durable
  std::string Roles() const { return path_ + "/roles"; }      // who is primary of what, as last heard
  std::string HeardHead() const { return path_ + "/heard"; }  // the newest head heard of
  std::string Paused() const { return path_ + "/paused"; }    // there while the node's copies are paused
  std::string Journal() const { return path_ + "/journal"; }  // a folder: what a secondary has received

  // Whether the folder of a volume of this name would lie on one of these.
  static bool IsTaken(const VolumeName& name) {
    const StateFolder here("");
    const std::string path = here.Volume(name);
    for (const std::string& own : {here.Lock(), here.Incarnation(), here.KnownHead(), here.Roles(),
                                   here.HeardHead(), here.Paused(), here.Journal()}) {
      if (path == own) return true;
    }
    return false;
  }

  // A folder for each volume that the node holds, and what is in it.
  std::string Volume(const VolumeName& name) const { return path_ + "/" + name.value; }
  std::string Checkpoint(const VolumeName& name) const { return Volume(name) + "/checkpoint"; }

 private:
  std::string path_;
};

// Beside a volume's checkpoint: why its replay has stopped, until the repair takes it away.
inline std::string DivergencePath(const std::string& checkpoint) { return checkpoint + ".diverged"; }

// Beside a volume's checkpoint: at which paths the copy isn't what the journal says.
inline std::string DifferencesPath(const std::string& checkpoint) { return checkpoint + ".differs"; }

// In the folder of the relay's journal.
inline std::string SavedStatePath(const std::string& journal) { return journal + "/sequencer.state"; }

}  // namespace hawser
