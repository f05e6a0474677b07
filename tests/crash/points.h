// The named points of the program (common/base/crash_point.h), and in which process each is passed.
#pragma once

#include <string>
#include <vector>

namespace hawser::test {

struct Point {
  std::string process;
  std::string place;  // as HAWSER_CRASH_AT
  bool often = true;  // under load it is passed many times a second
  const char* what = "";
  std::string stir = {};     // a process that has to be started anew for the point to be passed
  std::string promote = {};  // a node that has to become primary of docs for it
};

const std::vector<Point>& Points();

}  // namespace hawser::test
