// A network of namespaces: each machine has its own, with a cable (veth) to one switch (a bridge in a
// namespace of its own). A cable that is pulled loses packets as a real one: nobody is told anything. Needs
// root.
//
// Not thread safe. The namespaces are removed when it is destroyed; what a killed test left, by the next one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace hawser::test {

class Network {
 public:
  // Whether this machine lets this user make one. Asked once.
  static bool Available();

  static Result<std::unique_ptr<Network>> Make(const std::vector<std::string>& machines);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  const std::string& AddressOf(const std::string& machine) const { return addresses_.at(machine); }
  // What a command is run with to run on that machine; files and mounts are the same as here.
  std::vector<std::string> On(const std::string& machine) const;

  Status Pull(const std::string& machine);
  Status Plug(const std::string& machine);

 private:
  Network();
  std::string NamespaceOf(const std::string& machine) const { return prefix_ + machine; }
  std::string Switch() const { return prefix_ + "switch"; }
  Status AddSwitch();
  Status AddMachine(const std::string& machine, std::size_t number);

  const std::string prefix_;
  std::vector<std::string> namespaces_;  // that were made
  std::map<std::string, std::string> addresses_;
};

}  // namespace hawser::test
