// What new nodes look like: mode, umask, owner, group, set-gid folders.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void MakeOneOfEach(Script& script, const std::string& folder, mode_t mode) {
  const auto path = [&](const char* name) { return folder + "/" + name; };
  script.Step("create", open(path("file").c_str(), O_CREAT | O_WRONLY | O_EXCL, mode));
  script.Step("mkdir", mkdir(path("folder").c_str(), mode));
  script.Step("mkfifo", mkfifo(path("fifo").c_str(), mode));
  script.Step("mknod socket", mknod(path("socket").c_str(), S_IFSOCK | mode, 0));
  script.Step("mknod file", mknod(path("node").c_str(), S_IFREG | mode, 0));
  script.Step("mknod device", mknod(path("device").c_str(), S_IFCHR | mode, makedev(3, 4)));
  script.Step("symlink", symlink("target", path("symlink").c_str()));
  for (const char* name : {"file", "folder", "fifo", "socket", "node", "device", "symlink"})
    script.Show(path(name));
}

void RemoveOneOfEach(const std::string& folder) {
  for (const char* name : {"/file", "/folder", "/fifo", "/socket", "/node", "/device", "/symlink"})
    if (unlink((folder + name).c_str()) != 0) rmdir((folder + name).c_str());
}

void Umasks(Script& script) {
  for (const mode_t mask : {0u, 022u, 077u, 0777u, 0137u}) {
    script.Note("umask " + std::to_string(mask));
    umask(mask);
    for (const mode_t mode : {0777u, 0644u, 0u, 07777u, 02755u, 01700u}) {
      script.Note("mode " + std::to_string(mode));
      MakeOneOfEach(script, ".", mode);
      RemoveOneOfEach(".");
    }
  }
}

// Who the new node belongs to, by the set-gid bit of the folder and by who makes it.
void Owners(Script& script) {
  for (const mode_t folder_mode : {0777u, 02777u}) {
    MakeFolder("d");
    Must(chown("d", kOther, kShared), "chown");
    Must(chmod("d", folder_mode), "chmod");
    script.Note("by root");
    MakeOneOfEach(script, "d", 06775);
    RemoveOneOfEach("d");
    script.Note("by a user in the group");
    script.As(kUser, kUser, [&] { MakeOneOfEach(script, "d", 06775); });
    RemoveOneOfEach("d");
    script.Note("by a user who is not");
    script.As(kOther, kOther, [&] { MakeOneOfEach(script, "d", 06775); });
    Clear();
  }
}

void BelowSetGid(Script& script) {
  MakeFolder("d");
  Must(chown("d", 0, kShared), "chown");
  Must(chmod("d", 02755), "chmod");
  DO(mkdir("d/e", 0700));
  DO(mkdir("d/e/f", 0));
  script.Show("d/e");
  script.Show("d/e/f");
  DO(open("d/e/f/g", O_CREAT | O_WRONLY, 02755));
  script.Show("d/e/f/g");
}

void Devices(Script& script) {
  for (const auto& [high, low] :
       {std::pair(0u, 0u), {1u, 3u}, {255u, 255u}, {256u, 256u}, {4095u, 1048575u}}) {
    const std::string name = "dev" + std::to_string(high);
    script.Step("mknod " + name, mknod(name.c_str(), S_IFBLK | 0600, makedev(high, low)));
    script.Show(name);
  }
  DO(mknod("folder", S_IFDIR | 0755, 0));
  DO(mknod("symlink", S_IFLNK | 0755, 0));
  DO(mknod("nothing", 0644, 0));
  script.Show("nothing");
  script.As(kUser, kUser, [&] {
    script.Step("mknod of a device by a user", mknod("dev", S_IFCHR | 0600, makedev(1, 3)));
    script.Step("mknod of a fifo by a user", mknod("userfifo", S_IFIFO | 0600, 0));
    script.Step("mknod of a file by a user", mknod("userfile", S_IFREG | 0600, 0));
    script.Show("userfile");
  });
}

void LinkCountsOfFolders(Script& script) {
  MakeFolder("d");
  script.Show("d");
  DO(mkdir("d/a", 0755));
  DO(mkdir("d/b", 0755));
  DO(open("d/f", O_CREAT | O_WRONLY, 0644));
  script.Show("d");
  DO(rmdir("d/a"));
  script.Show("d");
  DO(rmdir("d"));
}

// A file that may not be written is writable through the descriptor that made it.
void CreatedReadOnly(Script& script) {
  script.As(kUser, kUser, [&] {
    const UniqueFd fd(open("f", O_CREAT | O_RDWR | O_EXCL, 0));
    script.Step("create with mode 0", fd.get());
    VALUE(write(fd.get(), "content", 7));
    DO(ftruncate(fd.get(), 3));
    DO(open("f", O_RDONLY));
    DO(open("f", O_WRONLY | O_CREAT, 0644));
    DO(open("f", O_WRONLY | O_TRUNC));
    DO(truncate("f", 0));
    script.Show("f");
  });
}

}  // namespace

std::vector<Case> CreateCases() {
  return {
      {"create/umasks", Umasks},
      {"create/owners", Owners},
      {"create/below a set-gid folder", BelowSetGid},
      {"create/devices", Devices},
      {"create/link counts of folders", LinkCountsOfFolders},
      {"create/read-only", CreatedReadOnly},
  };
}

}  // namespace hawser::test::posix
