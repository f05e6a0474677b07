// flock, fcntl and open-file-description locks between processes; leases.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

long Lock(int fd, int command, short type, off_t start, off_t length) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return fcntl(fd, command, &lock);
}

// The type of the lock that stands in the way: F_RDLCK 0, F_WRLCK 1, F_UNLCK 2.
long InTheWay(int fd, short type, off_t start, off_t length) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return fcntl(fd, F_GETLK, &lock) == 0 ? lock.l_type : -1;
}

void Flock(Script& script) {
  MakeFile("f");
  const UniqueFd mine = Open("f", O_RDWR);
  DO(flock(mine.get(), LOCK_SH));
  const auto by_other = [&] {
    script.InChild([&] {
      const UniqueFd theirs = Open("f", O_RDWR);
      DO(flock(theirs.get(), LOCK_SH | LOCK_NB));
      DO(flock(theirs.get(), LOCK_EX | LOCK_NB));
      DO(flock(theirs.get(), LOCK_UN));
    });
  };
  by_other();
  DO(flock(mine.get(), LOCK_EX));
  by_other();
  DO(flock(mine.get(), LOCK_UN));
  by_other();
  const UniqueFd again = Open("f", O_RDWR);
  DO(flock(mine.get(), LOCK_EX));
  DO(flock(again.get(), LOCK_EX | LOCK_NB));
  DO(flock(mine.get(), 77));
}

void Records(Script& script) {
  MakeFile("f", "0123456789");
  const UniqueFd mine = Open("f", O_RDWR);
  DO(Lock(mine.get(), F_SETLK, F_WRLCK, 0, 5));
  DO(Lock(mine.get(), F_SETLK, F_RDLCK, 5, 5));
  script.InChild([&] {
    const UniqueFd theirs = Open("f", O_RDWR);
    DO(Lock(theirs.get(), F_SETLK, F_RDLCK, 0, 5));
    DO(Lock(theirs.get(), F_SETLK, F_RDLCK, 5, 5));
    DO(Lock(theirs.get(), F_SETLK, F_WRLCK, 5, 5));
    DO(Lock(theirs.get(), F_SETLK, F_WRLCK, 10, 0));
    VALUE(InTheWay(theirs.get(), F_RDLCK, 0, 5));
    VALUE(InTheWay(theirs.get(), F_RDLCK, 5, 5));
    VALUE(InTheWay(theirs.get(), F_WRLCK, 5, 5));
  });
  { const UniqueFd other = Open("f", O_RDONLY); }
  script.Note("all are gone when any descriptor of the file is closed");
  script.InChild([&] {
    const UniqueFd theirs = Open("f", O_RDWR);
    DO(Lock(theirs.get(), F_SETLK, F_WRLCK, 0, 10));
  });
  const UniqueFd reading = Open("f", O_RDONLY);
  DO(Lock(reading.get(), F_SETLK, F_WRLCK, 0, 1));
  DO(Lock(reading.get(), F_SETLK, F_RDLCK, 0, 1));
  DO(Lock(reading.get(), F_SETLK, F_RDLCK, -1, 1));
}

void Descriptions(Script& script) {
  MakeFile("f", "0123456789");
  const UniqueFd a = Open("f", O_RDWR);
  const UniqueFd b = Open("f", O_RDWR);
  DO(Lock(a.get(), F_OFD_SETLK, F_WRLCK, 0, 5));
  DO(Lock(b.get(), F_OFD_SETLK, F_WRLCK, 0, 5));
  DO(Lock(b.get(), F_OFD_SETLK, F_WRLCK, 5, 5));
  DO(Lock(b.get(), F_SETLK, F_RDLCK, 0, 5));
  DO(Lock(a.get(), F_OFD_SETLK, F_UNLCK, 0, 5));
  DO(Lock(b.get(), F_OFD_SETLK, F_WRLCK, 0, 5));
}

void WaitingForOne(Script& script) {
  MakeFile("f");
  const UniqueFd mine = Open("f", O_RDWR);
  DO(Lock(mine.get(), F_SETLK, F_WRLCK, 0, 0));
  int ready[2];
  Must(pipe(ready), "pipe");
  const pid_t child = fork();
  Must(child, "fork");
  if (child == 0) {
    const UniqueFd theirs = Open("f", O_RDWR);
    Must(write(ready[1], "x", 1), "write");
    const long result = Lock(theirs.get(), F_SETLKW, F_WRLCK, 0, 0);
    Must(pwrite(theirs.get(), "child", 5, 0), "write");
    _exit(result == 0 ? 0 : 1);
  }
  char byte;
  Must(read(ready[0], &byte, 1), "read");
  VALUE(pwrite(mine.get(), "parent!", 7, 0));
  DO(Lock(mine.get(), F_SETLK, F_UNLCK, 0, 0));
  int status = 0;
  Must(waitpid(child, &status, 0), "waitpid");
  VALUE(status);
  script.ShowContent("f");
}

}  // namespace

std::vector<Case> LockCases() {
  return {
      {"lock/flock", Flock},
      {"lock/records", Records},
      {"lock/open file descriptions", Descriptions},
      {"lock/waiting for one", WaitingForOne},
  };
}

}  // namespace hawser::test::posix
