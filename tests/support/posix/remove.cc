// unlink and rmdir: sticky folders, who may, what stays.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void MakeOwned(const std::string& path, uid_t owner) {
  MakeFile(path);
  Must(chown(path.c_str(), owner, owner), "chown");
}

// Who may remove and rename what in a folder everybody can write, with and without the sticky bit.
void Sticky(Script& script) {
  for (const mode_t mode : {0777u, 01777u}) {
    for (const uid_t owner : {uid_t{0}, kUser}) {
      MakeFolder("d");
      Must(chown("d", owner, owner), "chown");
      Must(chmod("d", mode), "chmod");
      MakeOwned("d/mine", kUser);
      MakeOwned("d/theirs", kOther);
      MakeOwned("d/theirs too", kOther);
      MakeFolder("d/folder");
      Must(chown("d/folder", kOther, kOther), "chown");
      script.Note("mode " + std::to_string(mode) + ", folder of " + std::to_string(owner));
      script.As(kUser, kUser, [&] {
        DO(rename("d/theirs", "d/moved"));
        DO(rename("d/mine", "d/theirs"));
        DO(renameat2(AT_FDCWD, "d/mine", AT_FDCWD, "d/theirs too", RENAME_EXCHANGE));
        DO(link("d/mine", "d/linked"));
        DO(unlink("d/mine"));
        DO(unlink("d/theirs"));
        DO(unlink("d/theirs too"));
        DO(rmdir("d/folder"));
        DO(mkdir("d/new", 0755));
        DO(rmdir("d/new"));
      });
      script.ShowNames("d");
      Clear();
    }
  }
}

void Folders(Script& script) {
  MakeFolder("d");
  MakeFile("d/f");
  DO(rmdir("d"));
  DO(unlink("d"));
  DO(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  DO(unlinkat(AT_FDCWD, "d/f", AT_REMOVEDIR));
  DO(unlinkat(AT_FDCWD, "d/f", 0x40000000));
  DO(unlink("d/f"));
  DO(rmdir("d/."));
  DO(rmdir("d/.."));
  DO(rmdir("d"));
  DO(rmdir("d"));
}

void LinkCounts(Script& script) {
  MakeFile("f", "x");
  const UniqueFd fd = Open("f", O_RDWR);
  DO(link("f", "g"));
  DO(link("f", "h"));
  script.ShowOpen("f", fd.get());
  script.Times({"g", "h", "."}, CALL(unlink("f")));
  script.ShowOpen("f", fd.get());
  DO(unlink("g"));
  DO(unlink("h"));
  script.ShowOpen("f", fd.get());
}

void EverySecondName(Script& script) {
  MakeFolder("d");
  for (int i = 0; i < 500; ++i) MakeFile("d/" + std::to_string(i));
  for (int i = 0; i < 500; i += 2) Must(unlink(("d/" + std::to_string(i)).c_str()), "unlink");
  script.ShowNames("d");
  DO(rmdir("d"));
}

// What another user may do in folders with few permissions.
void Permissions(Script& script) {
  for (const mode_t mode : {0700u, 0755u, 0711u, 0722u, 0733u, 0744u, 0777u}) {
    MakeFolder("d");
    MakeFile("d/f", "content");
    MakeFolder("d/e");
    Must(chmod("d", mode), "chmod");
    script.Note("folder mode " + std::to_string(mode));
    script.As(kUser, kUser, [&] {
      struct stat info {};
      DO(stat("d/f", &info));
      DO(stat("d/missing", &info));
      script.ShowNames("d");
      DO(open("d/f", O_RDONLY));
      DO(open("d/f", O_WRONLY));
      DO(open("d/new", O_CREAT | O_WRONLY, 0644));
      DO(open("d/f", O_CREAT | O_EXCL | O_WRONLY, 0644));
      DO(mkdir("d/newfolder", 0755));
      DO(mkdir("d/e", 0755));
      DO(symlink("x", "d/symlink"));
      DO(mkfifo("d/fifo", 0644));
      DO(link("d/f", "d/g"));
      DO(rename("d/f", "d/h"));
      DO(rename("d/missing", "d/h"));
      DO(unlink("d/f"));
      DO(unlink("d/missing"));
      DO(rmdir("d/e"));
      DO(rmdir("d/missing"));
      DO(chmod("d/f", 0777));
      DO(chown("d/f", kUser, kUser));
      DO(truncate("d/f", 0));
      DO(chdir("d"));
    });
    Clear();
  }
}

}  // namespace

std::vector<Case> RemoveCases() {
  return {
      {"remove/sticky", Sticky},
      {"remove/folders", Folders},
      {"remove/link counts", LinkCounts},
      {"remove/every second name", EverySecondName},
      {"remove/permissions of the folder", Permissions},
  };
}

}  // namespace hawser::test::posix
