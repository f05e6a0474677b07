// open and its flags.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void Modes(Script& script) {
  MakeFile("f", "content");
  char byte = 'x';
  for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR}) {
    const UniqueFd fd = Open("f", flags);
    script.Note("access mode " + std::to_string(flags));
    VALUE(pread(fd.get(), &byte, 1, 0));
    VALUE(pwrite(fd.get(), "X", 1, 0));
    DO(ftruncate(fd.get(), 5));
    DO(fallocate(fd.get(), 0, 0, 10));
    DO(fsync(fd.get()));
    DO(fchmod(fd.get(), 0640));
    script.Show("f");
  }
}

void Truncating(Script& script) {
  MakeFile("f", "content", 0640);
  script.Times({"f", "."}, CALL(open("f", O_WRONLY | O_TRUNC)));
  script.Show("f");
  script.Times({"f", "."}, CALL(open("f", O_WRONLY | O_TRUNC)));
  MakeFile("g", "content", 0640);
  DO(open("g", O_RDONLY | O_TRUNC));
  script.Show("g");
  MakeFile("h", "content");
  DO(open("h", O_WRONLY | O_CREAT | O_TRUNC, 0600));
  script.Show("h");
  DO(open("h", O_WRONLY | O_CREAT | O_EXCL | O_TRUNC, 0600));
}

void Appending(Script& script) {
  MakeFile("f", "one");
  const UniqueFd a = Open("f", O_WRONLY | O_APPEND);
  const UniqueFd b = Open("f", O_RDWR | O_APPEND | O_CREAT);
  VALUE(write(a.get(), "two", 3));
  VALUE(write(b.get(), "three", 5));
  VALUE(lseek(a.get(), 0, SEEK_CUR));
  VALUE(lseek(a.get(), 0, SEEK_SET));
  VALUE(write(a.get(), "four", 4));
  VALUE(pwrite(b.get(), "five", 4, 0));
  script.ShowContent("f");
  const UniqueFd c = Open("new", O_RDWR | O_APPEND | O_CREAT | O_EXCL);
  VALUE(write(c.get(), "abc", 3));
  VALUE(lseek(c.get(), 0, SEEK_SET));
  VALUE(write(c.get(), "def", 3));
  VALUE(pwrite(c.get(), "ghi", 3, 0));
  DO(ftruncate(c.get(), 4));
  VALUE(write(c.get(), "jkl", 3));
  script.ShowContent("new");
  VALUE(fcntl(c.get(), F_SETFL, 0));
  VALUE(pwrite(c.get(), "X", 1, 0));
  script.ShowContent("new");
  VALUE(fcntl(c.get(), F_SETFL, O_APPEND));
  VALUE(pwrite(c.get(), "Y", 1, 0));
  script.ShowContent("new");
}

// Each byte of an append lands whole, whoever appends.
void AppendingTogether(Script& script) {
  MakeFile("f");
  for (int i = 0; i < 4; ++i) {
    if (fork() == 0) {
      const UniqueFd fd = Open("f", O_WRONLY | O_APPEND);
      for (int n = 0; n < 50; ++n) Must(write(fd.get(), "0123456789", 10), "append");
      _exit(0);
    }
  }
  for (int i = 0; i < 4; ++i) Must(wait(nullptr), "wait");
  script.ShowContent("f");
}

void Direct(Script& script) {
  alignas(4096) static char buffer[8192];
  std::memset(buffer, 'd', sizeof buffer);
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT | O_DIRECT);
  VALUE(pwrite(fd.get(), buffer, 8192, 0));
  VALUE(pwrite(fd.get(), buffer, 4096, 12288));
  VALUE(pread(fd.get(), buffer, 4096, 8192));
  VALUE(pread(fd.get(), buffer, 8192, 12288));
  VALUE(pread(fd.get(), buffer, 4096, 16384));
  script.Show("f");
  const UniqueFd append = Open("f", O_WRONLY | O_APPEND | O_DIRECT);
  VALUE(write(append.get(), buffer, 4096));
  script.ShowContent("f");
  const UniqueFd cached = Open("f", O_RDWR);
  VALUE(pwrite(cached.get(), "cached", 6, 100));
  VALUE(pread(fd.get(), buffer, 4096, 0));
  script.ShowBytes("read directly", std::string(buffer + 100, 6));
}

void Temporary(Script& script) {
  const UniqueFd fd(open(".", O_RDWR | O_TMPFILE, 0640));
  script.Step("open O_TMPFILE", fd.get());
  script.ShowNames(".");
  if (!fd) return;
  VALUE(write(fd.get(), "hidden", 6));
  script.ShowOpen("O_TMPFILE", fd.get());
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  script.Step("linkat", linkat(AT_FDCWD, path.c_str(), AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  script.Show("named");
}

void SpecialFiles(Script& script) {
  DO(mkfifo("fifo", 0600));
  DO(open("fifo", O_WRONLY | O_NONBLOCK));
  const UniqueFd in = Open("fifo", O_RDONLY | O_NONBLOCK);
  const UniqueFd out = Open("fifo", O_WRONLY | O_NONBLOCK);
  char buffer[10];
  VALUE(write(out.get(), "pipe", 4));
  VALUE(read(in.get(), buffer, sizeof buffer));
  VALUE(lseek(in.get(), 0, SEEK_SET));
  DO(ftruncate(out.get(), 0));
  DO(mknod("socket", S_IFSOCK | 0600, 0));
  DO(open("socket", O_RDONLY));
  DO(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
  const UniqueFd null = Open("null", O_RDWR);
  VALUE(write(null.get(), "gone", 4));
  VALUE(read(null.get(), buffer, sizeof buffer));
  DO(mknod("zero", S_IFCHR | 0600, makedev(1, 5)));
  const UniqueFd zero = Open("zero", O_RDONLY);
  VALUE(read(zero.get(), buffer, sizeof buffer));
  DO(mknod("block", S_IFBLK | 0600, makedev(250, 77)));
  script.Show("block");
}

void Sockets(Script& script) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "listen");
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const UniqueFd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  DO(connect(client.get(), name, sizeof address));
  DO(bind(server.get(), name, sizeof address));
  script.Show("listen");
  DO(bind(client.get(), name, sizeof address));
  DO(listen(server.get(), 1));
  DO(connect(client.get(), name, sizeof address));
  DO(unlink("listen"));
}

void Unlinked(Script& script) {
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT);
  VALUE(write(fd.get(), "before", 6));
  DO(unlink("f"));
  script.ShowOpen("f", fd.get());
  VALUE(pwrite(fd.get(), "after", 5, 3));
  DO(ftruncate(fd.get(), 10));
  DO(fallocate(fd.get(), 0, 10, 10));
  DO(fchmod(fd.get(), 0600));
  DO(fchown(fd.get(), 5, 6));
  DO(fsync(fd.get()));
  script.ShowOpen("f", fd.get());
  script.ShowBytes("f", ReadAll(fd.get()));
  MakeFile("f", "another");
  VALUE(pwrite(fd.get(), "XXXX", 4, 0));
  script.ShowContent("f");
  script.ShowBytes("unlinked", ReadAll(fd.get()));
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  script.Step("open again by /proc", open(path.c_str(), O_RDWR));
  script.Step("link of an unlinked file",
              linkat(AT_FDCWD, path.c_str(), AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
}

void RemovedFolder(Script& script) {
  MakeFolder("d");
  const UniqueFd fd = Open("d", O_RDONLY | O_DIRECTORY);
  Must(chdir("d"), "chdir");
  DO(rmdir("../d"));
  char buffer[4096];
  DO(getcwd(buffer, sizeof buffer) == nullptr ? -1 : 0);
  DO(open("f", O_CREAT | O_WRONLY, 0644));
  DO(mkdir("e", 0755));
  DO(symlink("x", "s"));
  DO(open(".", O_RDONLY));
  DO(openat(fd.get(), "f", O_CREAT | O_WRONLY, 0644));
  DO(fchmod(fd.get(), 0700));
  script.ShowOpen("d", fd.get());
  DO(chdir(".."));
}

}  // namespace

std::vector<Case> OpenCases() {
  return {
      {"open/access modes", Modes},
      {"open/truncating", Truncating},
      {"open/appending", Appending},
      {"open/appending together", AppendingTogether},
      {"open/direct", Direct},
      {"open/temporary", Temporary},
      {"open/special files", SpecialFiles},
      {"open/sockets", Sockets},
      {"open/unlinked file", Unlinked},
      {"open/removed folder", RemovedFolder},
  };
}

}  // namespace hawser::test::posix
