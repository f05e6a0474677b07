// Extended attributes.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void List(Script& script, const std::string& path) {
  char names[4096];
  const ssize_t size = llistxattr(path.c_str(), names, sizeof names);
  if (size < 0) {
    script.Value("listxattr", size);
    return;
  }
  std::vector<std::string> sorted;
  for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(std::strlen(names + at)) + 1)
    sorted.emplace_back(names + at);
  std::sort(sorted.begin(), sorted.end());
  std::string line = path + " has";
  for (const std::string& name : sorted) line += " " + name;
  script.Note(line);
}

void Get(Script& script, const std::string& path, const std::string& name) {
  std::string value(70000, '\0');
  const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0)
    script.Value("get " + name, size);
  else
    script.ShowBytes(name, value.substr(0, static_cast<std::size_t>(size)));
}

void Rules(Script& script) {
  MakeFile("f");
  char buffer[8];
  DO(setxattr("f", "user.a", "one", 3, XATTR_REPLACE));
  DO(setxattr("f", "user.a", "one", 3, XATTR_CREATE));
  DO(setxattr("f", "user.a", "two", 3, XATTR_CREATE));
  Get(script, "f", "user.a");
  DO(setxattr("f", "user.a", "three", 5, XATTR_REPLACE));
  Get(script, "f", "user.a");
  DO(setxattr("f", "user.a", "", 0, 0));
  Get(script, "f", "user.a");
  DO(setxattr("f", "user.b", "b\0\xff", 3, 0));
  Get(script, "f", "user.b");
  DO(setxattr("f", "user.c", "0123456789", 10, 0));
  VALUE(getxattr("f", "user.c", nullptr, 0));
  VALUE(getxattr("f", "user.c", buffer, sizeof buffer));
  VALUE(getxattr("f", "user.none", buffer, sizeof buffer));
  VALUE(listxattr("f", nullptr, 0));
  VALUE(listxattr("f", buffer, sizeof buffer));
  List(script, "f");
  DO(removexattr("f", "user.a"));
  DO(removexattr("f", "user.a"));
  List(script, "f");
  DO(setxattr("f", "user.d", "x", 1, 99));
  DO(setxattr("f", "user.d", "x", 1, XATTR_CREATE | XATTR_REPLACE));
  script.Times({"f"}, CALL(setxattr("f", "user.e", "x", 1, 0)));
  script.Times({"f"}, CALL(removexattr("f", "user.e")));
}

void Names(Script& script) {
  MakeFile("f");
  for (const std::string& name :
       {std::string("user."), std::string("user"), std::string(""), std::string("nothing.a"),
        std::string("user.\xff\x01"), std::string("trusted.a"), std::string("security.a"),
        std::string("system.a"), std::string("User.a"), "user." + std::string(250, 'n'),
        "user." + std::string(251, 'n')}) {
    script.Step("set " + name, setxattr("f", name.c_str(), "value", 5, 0));
    Get(script, "f", name);
  }
  List(script, "f");
}

void Sizes(Script& script) {
  for (const std::size_t size : {0u, 1u, 100u, 1000u, 2000u, 3000u, 30000u, 65536u, 65537u}) {
    MakeFile("f");
    script.Step("set " + std::to_string(size) + " bytes",
                setxattr("f", "user.a", std::string(size, 'v').data(), size, 0));
    Get(script, "f", "user.a");
    Clear();
  }
}

void Types(Script& script) {
  MakeFile("file");
  MakeFolder("folder");
  MakeFolder("sticky", 01777);
  Must(symlink("file", "symlink"), "symlink");
  Must(mkfifo("fifo", 0666), "mkfifo");
  Must(mknod("socket", S_IFSOCK | 0666, 0), "mknod");
  for (const char* path : {"file", "folder", "sticky", "symlink", "fifo", "socket"}) {
    script.Note(path);
    DO(lsetxattr(path, "user.a", "x", 1, 0));
    DO(lsetxattr(path, "trusted.a", "x", 1, 0));
    Get(script, path, "user.a");
    Get(script, path, "trusted.a");
    List(script, path);
    DO(lremovexattr(path, "user.a"));
    DO(lremovexattr(path, "trusted.a"));
  }
  DO(setxattr("symlink", "user.followed", "x", 1, 0));
  List(script, "file");
}

void ByUsers(Script& script) {
  for (const mode_t mode : {0666u, 0644u, 0600u}) {
    MakeFile("f", "", mode);
    Must(setxattr("f", "user.there", "x", 1, 0), "setxattr");
    Must(setxattr("f", "trusted.there", "x", 1, 0), "setxattr");
    script.Note("mode " + std::to_string(mode));
    script.As(kUser, kUser, [&] {
      DO(setxattr("f", "user.a", "x", 1, 0));
      DO(setxattr("f", "trusted.a", "x", 1, 0));
      DO(setxattr("f", "security.a", "x", 1, 0));
      Get(script, "f", "user.there");
      Get(script, "f", "trusted.there");
      DO(removexattr("f", "user.there"));
      DO(removexattr("f", "trusted.there"));
      List(script, "f");
    });
    Clear();
  }
  MakeFolder("sticky", 01777);
  script.As(kUser, kUser, [&] { DO(setxattr("sticky", "user.a", "x", 1, 0)); });
}

void FollowTheFile(Script& script) {
  MakeFile("f");
  DO(setxattr("f", "user.a", "mine", 4, 0));
  DO(link("f", "g"));
  DO(rename("f", "h"));
  Get(script, "g", "user.a");
  Get(script, "h", "user.a");
  const UniqueFd fd = Open("g", O_RDONLY);
  DO(unlink("g"));
  DO(unlink("h"));
  char value[10];
  VALUE(fgetxattr(fd.get(), "user.a", value, sizeof value));
  DO(fsetxattr(fd.get(), "user.b", "x", 1, 0));
  DO(fremovexattr(fd.get(), "user.a"));
  MakeFile("f");
  List(script, "f");
}

void Many(Script& script) {
  MakeFile("f");
  for (int i = 0; i < 30; ++i)
    Must(setxattr("f", ("user.number" + std::to_string(i)).c_str(), "a value", 7, 0), "setxattr");
  List(script, "f");
  for (int i = 0; i < 30; i += 2)
    Must(removexattr("f", ("user.number" + std::to_string(i)).c_str()), "removexattr");
  List(script, "f");
}

}  // namespace

std::vector<Case> XattrCases() {
  return {
      {"xattr/rules", Rules}, {"xattr/names", Names},      {"xattr/sizes", Sizes},
      {"xattr/types", Types}, {"xattr/by users", ByUsers}, {"xattr/follow the file", FollowTheFile},
      {"xattr/many", Many},
  };
}

}  // namespace hawser::test::posix
