// Every call that takes a path, on every shape of path.
#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

long CloseIfOpen(int fd) {
  if (fd >= 0) close(fd);
  return fd;
}

long OpenFolder(const char* path) {
  DIR* stream = opendir(path);
  if (stream == nullptr) return -1;
  closedir(stream);
  return 0;
}

struct PathCall {
  const char* name;
  std::function<long(const char*)> call;
};

const std::vector<PathCall>& PathCalls() {
  static const timespec times[2] = {{1000, 0}, {2000, 0}};
  static char buffer[256];
  static const std::vector<PathCall> calls = {
      {"open(O_RDONLY)", [](const char* p) { return CloseIfOpen(open(p, O_RDONLY | O_NONBLOCK)); }},
      {"open(O_WRONLY)", [](const char* p) { return CloseIfOpen(open(p, O_WRONLY | O_NONBLOCK)); }},
      {"open(O_CREAT)",
       [](const char* p) { return CloseIfOpen(open(p, O_RDWR | O_CREAT | O_NONBLOCK, 0640)); }},
      {"open(O_CREAT|O_EXCL)",
       [](const char* p) { return CloseIfOpen(open(p, O_RDWR | O_CREAT | O_EXCL, 0640)); }},
      {"open(O_TRUNC)", [](const char* p) { return CloseIfOpen(open(p, O_RDWR | O_TRUNC | O_NONBLOCK)); }},
      {"open(O_NOFOLLOW)",
       [](const char* p) { return CloseIfOpen(open(p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)); }},
      {"open(O_DIRECTORY)", [](const char* p) { return CloseIfOpen(open(p, O_RDONLY | O_DIRECTORY)); }},
      {"open(O_PATH)", [](const char* p) { return CloseIfOpen(open(p, O_PATH)); }},
      {"opendir", [](const char* p) { return OpenFolder(p); }},
      {"mkdir", [](const char* p) { return mkdir(p, 0750); }},
      {"rmdir", [](const char* p) { return rmdir(p); }},
      {"unlink", [](const char* p) { return unlink(p); }},
      {"mkfifo", [](const char* p) { return mkfifo(p, 0640); }},
      {"mknod(S_IFREG)", [](const char* p) { return mknod(p, S_IFREG | 0640, 0); }},
      {"mknod(S_IFCHR)", [](const char* p) { return mknod(p, S_IFCHR | 0640, makedev(1, 3)); }},
      {"symlink", [](const char* p) { return symlink("anything", p); }},
      {"readlink", [](const char* p) { return readlink(p, buffer, sizeof buffer); }},
      {"link from", [](const char* p) { return link(p, "new link"); }},
      {"link from, following",
       [](const char* p) { return linkat(AT_FDCWD, p, AT_FDCWD, "new link", AT_SYMLINK_FOLLOW); }},
      {"link to", [](const char* p) { return link("file", p); }},
      {"rename from", [](const char* p) { return rename(p, "new name"); }},
      {"rename file to", [](const char* p) { return rename("file", p); }},
      {"rename folder to", [](const char* p) { return rename("source folder", p); }},
      {"stat",
       [](const char* p) {
         struct stat info;
         return stat(p, &info);
       }},
      {"lstat",
       [](const char* p) {
         struct stat info;
         return lstat(p, &info);
       }},
      {"access", [](const char* p) { return access(p, R_OK | W_OK); }},
      {"chmod", [](const char* p) { return chmod(p, 0711); }},
      {"chown", [](const char* p) { return chown(p, 12, 34); }},
      {"lchown", [](const char* p) { return lchown(p, 12, 34); }},
      {"truncate", [](const char* p) { return truncate(p, 2); }},
      {"utimensat", [](const char* p) { return utimensat(AT_FDCWD, p, times, 0); }},
      {"utimensat, not following",
       [](const char* p) { return utimensat(AT_FDCWD, p, times, AT_SYMLINK_NOFOLLOW); }},
      {"chdir",
       [](const char* p) {
         const UniqueFd here(open(".", O_PATH));
         const int result = chdir(p);
         const int code = errno;
         Must(fchdir(here.get()), "fchdir");
         errno = code;
         return result;
       }},
      {"statvfs",
       [](const char* p) {
         struct statvfs info;
         return statvfs(p, &info);
       }},
      {"setxattr", [](const char* p) { return setxattr(p, "user.a", "1", 1, 0); }},
      {"lsetxattr", [](const char* p) { return lsetxattr(p, "user.a", "1", 1, 0); }},
      {"getxattr", [](const char* p) { return getxattr(p, "user.a", buffer, sizeof buffer); }},
      {"lremovexattr", [](const char* p) { return lremovexattr(p, "user.a"); }},
      {"listxattr", [](const char* p) { return listxattr(p, buffer, sizeof buffer); }},
  };
  return calls;
}

struct Shape {
  std::string name;
  std::string path;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {"empty path", ""},
      {"missing", "missing"},
      {"missing parent", "missing/name"},
      {"file as a parent", "file/name"},
      {"file", "file"},
      {"file and slash", "file/"},
      {"missing and slash", "missing/"},
      {"folder", "folder"},
      {"folder and slash", "folder/"},
      {"full folder", "full"},
      {"dot", "."},
      {"folder and dot", "folder/."},
      {"folder and dots", "folder/.."},
      {"dots in between", "full/../file"},
      {"symlink to a file", "to file"},
      {"symlink to a file and slash", "to file/"},
      {"symlink to a folder", "to folder"},
      {"symlink to a folder and slash", "to folder/"},
      {"through a symlink", "to full/inner"},
      {"dangling symlink", "to missing"},
      {"dangling symlink and slash", "to missing/"},
      {"symlink to itself", "loop"},
      {"below a symlink to itself", "loop/name"},
      {"fifo", "fifo"},
      {"socket", "socket"},
      {"device", "device"},
      {"name of 255 bytes", std::string(255, 'n')},
      {"name of 256 bytes", std::string(256, 'n')},
      {"folder of 256 bytes", std::string(256, 'n') + "/name"},
      {"path of 4095 bytes", std::string(4091, '/').replace(0, 1, ".") + "file"},
      {"path of 4096 bytes", std::string(4092, '/').replace(0, 1, ".") + "file"},
  };
  return shapes;
}

void MakeNodes() {
  MakeFile("file", "content");
  MakeFolder("folder");
  MakeFolder("source folder");
  MakeFolder("full");
  MakeFile("full/inner", "inside");
  Must(symlink("file", "to file"), "symlink");
  Must(symlink("folder", "to folder"), "symlink");
  Must(symlink("full", "to full"), "symlink");
  Must(symlink("missing", "to missing"), "symlink");
  Must(symlink("loop", "loop"), "symlink");
  Must(mkfifo("fifo", 0644), "mkfifo");
  Must(mknod("socket", S_IFSOCK | 0644, 0), "mknod");
  Must(mknod("device", S_IFCHR | 0644, makedev(1, 3)), "mknod");
}

void ShowNodes(Script& script, const std::string& path) {
  script.ShowNames(".");
  script.Show(path);
  for (const char* name : {"file", "folder", "missing", "new link", "new name"}) script.Show(name);
}

void TryCall(Script& script, const PathCall& call) {
  for (const Shape& shape : Shapes()) {
    MakeNodes();
    // A folder that may be the working directory of a shell is never the target of a removal here.
    if (script.Step(std::string(call.name) + " of " + shape.name, call.call(shape.path.c_str())) >= 0)
      ShowNodes(script, shape.path);
    Clear();
  }
}

void LinksInARow(Script& script) {
  MakeFile("link0", "end");
  for (int i = 1; i <= 45; ++i)
    Must(symlink(("link" + std::to_string(i - 1)).c_str(), ("link" + std::to_string(i)).c_str()), "symlink");
  for (const char* name : {"link1", "link39", "link40", "link41", "link45"}) {
    struct stat info {};
    script.Step(std::string("stat of ") + name, stat(name, &info));
  }
}

void AnyBytes(Script& script) {
  MakeFolder("bytes");
  for (int byte = 1; byte < 256; ++byte) {
    const std::string path = std::string("bytes/") + static_cast<char>(byte);
    if (byte == '/' || byte == '.') continue;
    script.Step("create a name of byte " + std::to_string(byte),
                CloseIfOpen(open(path.c_str(), O_CREAT | O_WRONLY, 0644)));
  }
  script.ShowNames("bytes");
  for (const char* name :
       {"bytes/ ", "bytes/...", "bytes/\xff\xfe\xc0", "bytes/new\nline", "bytes/-rf", "bytes/..a"}) {
    script.Step(std::string("mkdir ") + name, mkdir(name, 0755));
    script.Step(std::string("rename ") + name, rename(name, (std::string(name) + "\x80").c_str()));
  }
  script.ShowNames("bytes");
}

void LongTargets(Script& script) {
  for (const std::size_t size : {1u, 59u, 60u, 255u, 1000u, 4094u, 4095u, 4096u}) {
    const std::string target(size, 't');
    const std::string name = "to" + std::to_string(size);
    script.Step("symlink to " + std::to_string(size) + " bytes", symlink(target.c_str(), name.c_str()));
    char buffer[5000];
    script.Value("readlink of " + name, readlink(name.c_str(), buffer, sizeof buffer));
    script.Value("readlink of " + name + " into 10 bytes", readlink(name.c_str(), buffer, 10));
  }
  DO(symlink("", "to nothing"));
  char buffer[10];
  DO(readlink("to1", buffer, 0));
}

void DeepFolders(Script& script) {
  const std::string name(200, 'd');
  for (int depth = 0; depth < 25; ++depth) {
    Must(mkdir(name.c_str(), 0755), "mkdir");
    Must(chdir(name.c_str()), "chdir");
  }
  DO(open("bottom", O_CREAT | O_WRONLY, 0644));
  script.Show("bottom");
  char buffer[4096];
  DO(getcwd(buffer, sizeof buffer) == nullptr ? -1 : 0);
  DO(rename("bottom", "../renamed"));
  DO(unlink("../renamed"));
  for (int depth = 0; depth < 25; ++depth) {
    Must(chdir(".."), "chdir");
    Must(rmdir(name.c_str()), "rmdir");
  }
  script.ShowNames(".");
}

}  // namespace

std::vector<Case> PathCases() {
  std::vector<Case> cases = {
      {"paths/links in a row", LinksInARow},
      {"paths/any bytes", AnyBytes},
      {"paths/long targets", LongTargets},
      {"paths/deep folders", DeepFolders},
  };
  for (const PathCall& call : PathCalls())
    cases.push_back({std::string("paths/") + call.name, [&call](Script& script) { TryCall(script, call); }});
  return cases;
}

}  // namespace hawser::test::posix
