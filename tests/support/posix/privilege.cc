// When set-uid and set-gid bits and file capabilities go away.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

struct Change {
  const char* name;
  std::function<long()> call;
};

long WithFile(const std::function<long(int)>& call) {
  const UniqueFd fd(open("f", O_RDWR));
  return fd ? call(fd.get()) : -1;
}

const std::vector<Change>& Changes() {
  static const std::vector<Change> changes = {
      {"write", [] { return WithFile([](int fd) { return pwrite(fd, "x", 1, 0); }); }},
      {"empty write", [] { return WithFile([](int fd) { return pwrite(fd, "", 0, 0); }); }},
      {"append",
       [] {
         const UniqueFd fd(open("f", O_WRONLY | O_APPEND));
         return fd ? write(fd.get(), "x", 1) : -1;
       }},
      {"mapped write",
       [] {
         return WithFile([](int fd) {
           void* map = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
           if (map == MAP_FAILED) return -1;
           static_cast<char*>(map)[0] = 'm';
           const int result = msync(map, 4096, MS_SYNC);
           munmap(map, 4096);
           return result;
         });
       }},
      {"truncate", [] { return truncate("f", 3); }},
      {"truncate to the same size", [] { return truncate("f", 7); }},
      {"ftruncate", [] { return WithFile([](int fd) { return ftruncate(fd, 3); }); }},
      {"open with O_TRUNC", [] { return open("f", O_WRONLY | O_TRUNC); }},
      {"fallocate", [] { return WithFile([](int fd) { return fallocate(fd, 0, 0, 5000); }); }},
      {"fallocate, nothing new",
       [] { return WithFile([](int fd) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3); }); }},
      {"punch",
       [] {
         return WithFile(
             [](int fd) { return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3); });
       }},
      {"copy into",
       [] {
         return WithFile([](int fd) {
           const UniqueFd in(open("source", O_RDONLY));
           return copy_file_range(in.get(), nullptr, fd, nullptr, 3, 0);
         });
       }},
      {"chown to itself", [] { return chown("f", static_cast<uid_t>(-1), static_cast<gid_t>(-1)); }},
      {"chown of the group", [] { return chown("f", static_cast<uid_t>(-1), kShared); }},
      {"chown of the owner", [] { return chown("f", kUser, static_cast<gid_t>(-1)); }},
      {"chmod", [] { return chmod("f", 06711); }},
      {"touch", [] { return utimensat(AT_FDCWD, "f", nullptr, 0); }},
      {"setxattr", [] { return setxattr("f", "user.a", "b", 1, 0); }},
      {"rename", [] { return rename("f", "g") == 0 ? rename("g", "f") : -1; }},
      {"link", [] { return link("f", "g"); }},
      {"read",
       [] {
         return WithFile([](int fd) {
           char c;
           return pread(fd, &c, 1, 0);
         });
       }},
  };
  return changes;
}

// By root, who keeps the bits on writes, by the owner and by a stranger who may write.
void ClearBits(Script& script, const Change& change) {
  for (const mode_t mode : {06777u, 04766u, 02767u, 02776u, 06666u, 07777u}) {
    for (const uid_t who : {uid_t{0}, kUser, kOther}) {
      MakeFile("source", "source");
      MakeFile("f", "content");
      Must(chown("f", kUser, kUser), "chown");
      Must(chmod("f", mode), "chmod");
      script.Note("user " + std::to_string(who));
      script.As(who, who, [&] { script.Step(change.name, change.call()); });
      script.Show("f");
      Clear();
    }
  }
}

void Folders(Script& script) {
  for (const uid_t who : {uid_t{0}, kUser}) {
    MakeFolder("d");
    Must(chown("d", kUser, kUser), "chown");
    Must(chmod("d", 06755), "chmod");
    script.As(who, who, [&] {
      DO(chown("d", static_cast<uid_t>(-1), kShared));
      script.Show("d");
      DO(chown("d", static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
      DO(open("d/f", O_CREAT | O_WRONLY, 0644));
    });
    script.Show("d");
    script.Show("d/f");
    Clear();
  }
}

// security.capability goes away like the bits do.
void Capabilities(Script& script) {
  const unsigned char capability[20] = {1, 0, 0, 2, 0, 4};
  for (const Change& change : Changes()) {
    MakeFile("source", "source");
    MakeFile("f", "content", 0777);
    Must(setxattr("f", "security.capability", capability, sizeof capability, 0), "setxattr");
    script.Step(change.name, change.call());
    char value[64];
    script.Value(std::string("capability after ") + change.name,
                 getxattr("f", "security.capability", value, sizeof value));
    Clear();
  }
}

}  // namespace

std::vector<Case> PrivilegeCases() {
  std::vector<Case> cases = {
      {"privilege/folders", Folders},
      {"privilege/capabilities", Capabilities},
  };
  for (const Change& change : Changes())
    cases.push_back(
        {std::string("privilege/") + change.name, [&change](Script& script) { ClearBits(script, change); }});
  return cases;
}

}  // namespace hawser::test::posix
