// chmod, chown and utimensat, by whom on what.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

std::string TimeText(const timespec& time) {
  if (time.tv_sec > 1'500'000'000 && time.tv_sec < 3'000'000'000) return "now";
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}

void ShowTimes(Script& script, const std::string& path) {
  struct stat info {};
  Must(lstat(path.c_str(), &info), "lstat " + path);
  script.Note(path + " atime " + TimeText(info.st_atim) + " mtime " + TimeText(info.st_mtim));
}

void Modes(Script& script) {
  MakeFile("f");
  MakeFolder("d");
  for (const mode_t mode : {0u, 0644u, 0777u, 01777u, 02755u, 04755u, 07777u, 0100644u}) {
    script.Step("chmod of a file to " + std::to_string(mode), chmod("f", mode));
    script.Show("f");
    script.Step("chmod of a folder to " + std::to_string(mode), chmod("d", mode));
    script.Show("d");
  }
  DO(symlink("f", "s"));
  DO(chmod("s", 0640));
  script.Show("f");
  script.Show("s");
  DO(fchmodat(AT_FDCWD, "s", 0600, AT_SYMLINK_NOFOLLOW));
}

// What an owner, a member of the group and a stranger may change.
void ByUsers(Script& script) {
  for (const uid_t who : {uid_t{0}, kUser, kOther}) {
    MakeFile("f", "content", 06777);
    Must(chown("f", kUser, kUser), "chown");
    Must(chmod("f", 06777), "chmod");
    script.Note("user " + std::to_string(who));
    script.As(who, who, [&] {
      DO(chmod("f", 06755));
      script.Show("f");
      DO(chown("f", kOther, static_cast<gid_t>(-1)));
      DO(chown("f", static_cast<uid_t>(-1), kShared));
      script.Show("f");
      DO(chmod("f", 06755));
      script.Show("f");
      DO(chown("f", static_cast<uid_t>(-1), kOther));
      DO(chown("f", static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
      DO(chown("f", kUser, kUser));
      script.Show("f");
      DO(utimensat(AT_FDCWD, "f", nullptr, 0));
      const timespec set[2] = {{1000, 1}, {2000, 2}};
      DO(utimensat(AT_FDCWD, "f", set, 0));
      const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
      DO(utimensat(AT_FDCWD, "f", now, 0));
      const timespec mixed[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
      DO(utimensat(AT_FDCWD, "f", mixed, 0));
      DO(truncate("f", 3));
      DO(setegid(who));
    });
    script.Show("f");
    Clear();
  }
}

// A set-gid bit that chmod drops because the caller isn't in the group.
void ForeignGroup(Script& script) {
  MakeFile("f");
  MakeFolder("d");
  Must(chown("f", kUser, kOther), "chown");
  Must(chown("d", kUser, kOther), "chown");
  script.As(kUser, kUser, [&] {
    DO(chmod("f", 02755));
    script.Show("f");
    DO(chmod("d", 02755));
    script.Show("d");
    DO(chmod("f", 01644));
    script.Show("f");
  });
}

void Owners(Script& script) {
  MakeFile("f");
  MakeFolder("d");
  DO(symlink("f", "s"));
  DO(chown("f", 100, 200));
  DO(chown("d", 0xfffffffe, 0xfffffffe));
  DO(lchown("s", 300, 400));
  DO(chown("s", 500, static_cast<gid_t>(-1)));
  for (const char* name : {"f", "d", "s"}) script.Show(name);
  const UniqueFd fd = Open("f", O_RDONLY);
  DO(fchown(fd.get(), static_cast<uid_t>(-1), 7));
  DO(fchownat(fd.get(), "", 8, 9, AT_EMPTY_PATH));
  script.Show("f");
}

void Times(Script& script) {
  MakeFile("f");
  MakeFolder("d");
  DO(symlink("f", "s"));
  const auto set = [](long a, long an, long m, long mn, const char* path, int flags) {
    const timespec times[2] = {{a, an}, {m, mn}};
    return utimensat(AT_FDCWD, path, times, flags);
  };
  DO(set(1, 2, 3, 4, "f", 0));
  ShowTimes(script, "f");
  DO(set(0, UTIME_OMIT, 5, 999999999, "f", 0));
  ShowTimes(script, "f");
  DO(set(6, 7, 0, UTIME_OMIT, "f", 0));
  ShowTimes(script, "f");
  DO(set(0, UTIME_NOW, 8, 9, "f", 0));
  ShowTimes(script, "f");
  DO(set(8, 9, 0, UTIME_NOW, "f", 0));
  ShowTimes(script, "f");
  DO(set(0, UTIME_OMIT, 0, UTIME_OMIT, "f", 0));
  ShowTimes(script, "f");
  DO(set(-1000, 5, -1, 0, "f", 0));
  ShowTimes(script, "f");
  DO(set(1, 1000000000, 1, 0, "f", 0));
  DO(set(4'000'000'000, 1, 15'000'000'000, 2, "f", 0));
  ShowTimes(script, "f");
  DO(set(100'000'000'000, 1, -100'000'000'000, 2, "f", 0));
  ShowTimes(script, "f");
  DO(set(11, 12, 13, 14, "d", 0));
  ShowTimes(script, "d");
  DO(set(21, 22, 23, 24, "s", AT_SYMLINK_NOFOLLOW));
  ShowTimes(script, "s");
  DO(set(31, 32, 33, 34, "s", 0));
  ShowTimes(script, "f");
  ShowTimes(script, "s");
  const UniqueFd fd = Open("f", O_RDONLY);
  const timespec times[2] = {{41, 42}, {43, 44}};
  DO(futimens(fd.get(), times));
  ShowTimes(script, "f");
  DO(unlink("f"));
  DO(futimens(fd.get(), times));
}

// A write after the times were set moves them again, on both sides of the descriptor that set them.
void TimesAndWrites(Script& script) {
  MakeFile("f", "content");
  const UniqueFd fd = Open("f", O_RDWR);
  const timespec times[2] = {{41, 42}, {43, 44}};
  DO(futimens(fd.get(), times));
  ShowTimes(script, "f");
  VALUE(pwrite(fd.get(), "C", 1, 0));
  script.Note("after a write");
  struct stat info {};
  Must(stat("f", &info), "stat");
  script.Note("mtime " + TimeText(info.st_mtim));
  DO(futimens(fd.get(), times));
  Must(stat("f", &info), "stat");
  script.Note("mtime " + TimeText(info.st_mtim));
  Must(close(dup(fd.get())), "close");
  Must(stat("f", &info), "stat");
  script.Note("mtime after a close " + TimeText(info.st_mtim));
}

void TimesByUsers(Script& script) {
  MakeFile("readable", "", 0644);
  MakeFile("writable", "", 0666);
  script.As(kUser, kUser, [&] {
    const timespec set[2] = {{1000, 1}, {2000, 2}};
    const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    for (const char* name : {"readable", "writable"}) {
      script.Step(std::string("set times of ") + name, utimensat(AT_FDCWD, name, set, 0));
      script.Step(std::string("touch ") + name, utimensat(AT_FDCWD, name, now, 0));
      script.Step(std::string("touch by null ") + name, utimensat(AT_FDCWD, name, nullptr, 0));
    }
  });
}

void Access(Script& script) {
  for (const mode_t mode : {0u, 0400u, 0200u, 0100u, 0040u, 0020u, 0004u, 0002u, 0001u, 0755u, 0750u}) {
    MakeFile("f", "#!/bin/true\n");
    Must(chown("f", kUser, kShared), "chown");
    Must(chmod("f", mode), "chmod");
    script.Note("mode " + std::to_string(mode));
    for (const uid_t who : {uid_t{0}, kUser, kOther}) {
      script.As(who, who, [&] {
        DO(access("f", R_OK));
        DO(access("f", W_OK));
        DO(access("f", X_OK));
        DO(open("f", O_RDONLY));
        DO(open("f", O_WRONLY));
        DO(open("f", O_RDWR));
        DO(truncate("f", 12));
      });
    }
    Clear();
  }
}

}  // namespace

std::vector<Case> AttributeCases() {
  return {
      {"attributes/modes", Modes},
      {"attributes/by users", ByUsers},
      {"attributes/foreign group", ForeignGroup},
      {"attributes/owners", Owners},
      {"attributes/times", Times},
      {"attributes/times and writes", TimesAndWrites},
      {"attributes/times by users", TimesByUsers},
      {"attributes/access", Access},
  };
}

}  // namespace hawser::test::posix
