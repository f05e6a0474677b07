// Which call moves which time of which node.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void Names(Script& script) {
  MakeFolder("d");
  MakeFolder("e");
  script.Times({"d"}, CALL(open("d/f", O_CREAT | O_WRONLY, 0644)));
  script.Times({"d", "d/f"}, CALL(open("d/f", O_CREAT | O_WRONLY, 0644)));
  script.Times({"d"}, CALL(mkdir("d/g", 0755)));
  script.Times({"d"}, CALL(symlink("f", "d/s")));
  script.Times({"d"}, CALL(mkfifo("d/fifo", 0644)));
  script.Times({"d", "e", "d/f"}, CALL(link("d/f", "e/f")));
  script.Times({"d", "e", "e/f"}, CALL(unlink("d/f")));
  script.Times({"d", "e", "d/g"}, CALL(rename("d/g", "d/h")));
  script.Times({"d", "e", "d/h", "e/h"}, CALL(rename("d/h", "e/h")));
  script.Times({"d", "e"}, CALL(rename("d/fifo", "e/f")));
  script.Times({"d", "e", "d/s", "e/h"}, CALL(renameat2(AT_FDCWD, "d/s", AT_FDCWD, "e/h", RENAME_EXCHANGE)));
  script.Times({"d"}, CALL(rmdir("d/s")));
  script.Times({"d"}, CALL(rmdir("d/missing")));
  script.Times({"e"}, CALL(rmdir("e")));
  script.Times({"e"}, CALL(mkdir("e", 0755)));
}

void Content(Script& script) {
  MakeFile("f", "content");
  const UniqueFd fd = Open("f", O_RDWR);
  char byte;
  script.Times({"f", "."}, CALL(pwrite(fd.get(), "x", 1, 0)));
  script.Times({"f", "."}, CALL(pwrite(fd.get(), "", 0, 0)));
  script.Times({"f"}, CALL(pread(fd.get(), &byte, 1, 0)));
  script.Times({"f"}, CALL(ftruncate(fd.get(), 3)));
  script.Times({"f"}, CALL(ftruncate(fd.get(), 3)));
  script.Times({"f"}, CALL(truncate("f", 3)));
  script.Times({"f"}, CALL(truncate("f", 300)));
  script.Times({"f"}, CALL(open("f", O_WRONLY | O_TRUNC)));
  script.Times({"f"}, CALL(open("f", O_WRONLY | O_TRUNC)));
  script.Times({"f"}, CALL(open("f", O_CREAT | O_WRONLY | O_TRUNC, 0644)));
  script.Times({"f"}, CALL(fallocate(fd.get(), 0, 0, 100)));
  script.Times({"f"}, CALL(fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, 10000)));
  script.Times({"f"}, CALL(fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 50)));
  script.Times({"f"}, CALL(fsync(fd.get())));
}

void Attributes(Script& script) {
  MakeFile("f");
  const timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  const timespec only_access[2] = {{5, 5}, {0, UTIME_OMIT}};
  script.Times({"f", "."}, CALL(chmod("f", 0600)));
  script.Times({"f"}, CALL(chmod("f", 0600)));
  script.Times({"f"}, CALL(chown("f", 1, 2)));
  script.Times({"f"}, CALL(chown("f", 1, 2)));
  script.Times({"f"}, CALL(utimensat(AT_FDCWD, "f", omit, 0)));
  script.Times({"f"}, CALL(utimensat(AT_FDCWD, "f", only_access, 0)));
  script.Times({"f"}, CALL(utimensat(AT_FDCWD, "f", nullptr, 0)));
  script.As(kUser, kUser, [&] { script.Times({"f"}, CALL(chmod("f", 0777))); });
}

void ChownOfNothing(Script& script) {
  MakeFile("f");
  script.Times({"f"}, CALL(chown("f", static_cast<uid_t>(-1), static_cast<gid_t>(-1))));
}

std::string AccessTime(const std::string& path) {
  struct stat info {};
  Must(lstat(path.c_str(), &info), "lstat");
  return info.st_atim.tv_sec < 1'000'000'000 ? std::to_string(info.st_atim.tv_sec) : "now";
}

// relatime, as mounts have it by default: a read moves an atime that is older than mtime.
void Access(Script& script) {
  MakeFile("f", "content");
  MakeFolder("d");
  Must(symlink("f", "s"), "symlink");
  const timespec old[2] = {{5, 5}, {0, UTIME_NOW}};
  for (const char* name : {"f", "d", "s"})
    Must(utimensat(AT_FDCWD, name, old, AT_SYMLINK_NOFOLLOW), "utimensat");
  const UniqueFd fd = Open("f", O_RDONLY);
  char buffer[10];
  VALUE(read(fd.get(), buffer, sizeof buffer));
  script.Note("atime of a file that was read: " + AccessTime("f"));
  script.ShowNames("d");
  script.Note("atime of a folder that was listed: " + AccessTime("d"));
  VALUE(readlink("s", buffer, sizeof buffer));
  script.Note("atime of a symlink that was read: " + AccessTime("s"));
}

// mtimes never run backwards from call to call, with no pause between.
void InOrder(Script& script) {
  MakeFile("f");
  const UniqueFd fd = Open("f", O_WRONLY);
  timespec last{};
  long backwards = 0;
  for (int i = 0; i < 300; ++i) {
    Must(write(fd.get(), "x", 1), "write");
    struct stat info {};
    Must(fstat(fd.get(), &info), "fstat");
    backwards += info.st_mtim.tv_sec < last.tv_sec ||
                 (info.st_mtim.tv_sec == last.tv_sec && info.st_mtim.tv_nsec < last.tv_nsec);
    last = info.st_mtim;
  }
  VALUE(backwards);
}

}  // namespace

std::vector<Case> TimeCases() {
  return {
      {"time/names", Names},           {"time/content", Content},
      {"time/attributes", Attributes}, {"time/chown of nothing", ChownOfNothing},
      {"time/access", Access},         {"time/in order", InOrder},
  };
}

}  // namespace hawser::test::posix
