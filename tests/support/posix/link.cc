// Hard links.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

void OneInode(Script& script) {
  MakeFile("f", "content");
  MakeFolder("d");
  script.Times({"f", ".", "d"}, CALL(link("f", "d/g")));
  script.Show("f");
  script.Show("d/g");
  struct stat f {};
  struct stat g {};
  Must(stat("f", &f), "stat");
  Must(stat("d/g", &g), "stat");
  VALUE(f.st_ino == g.st_ino);
  const UniqueFd fd = Open("d/g", O_RDWR);
  VALUE(pwrite(fd.get(), "CON", 3, 0));
  script.ShowContent("f");
  DO(chmod("f", 0600));
  DO(truncate("f", 4));
  script.Show("d/g");
  DO(unlink("f"));
  script.Show("d/g");
  script.ShowContent("d/g");
}

void OtherTypes(Script& script) {
  DO(symlink("target", "symlink"));
  DO(mkfifo("fifo", 0600));
  DO(mknod("device", S_IFCHR | 0600, makedev(1, 3)));
  DO(mknod("socket", S_IFSOCK | 0600, 0));
  MakeFolder("folder");
  for (const char* name : {"symlink", "fifo", "device", "socket", "folder"}) {
    const std::string again = std::string(name) + " again";
    script.Step(std::string("link of ") + name, link(name, again.c_str()));
    script.Show(name);
    script.Show(again);
  }
  DO(linkat(AT_FDCWD, "symlink", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
  DO(linkat(AT_FDCWD, "fifo", AT_FDCWD, "x", 0x4000000));
}

void Descriptors(Script& script) {
  MakeFile("f", "content");
  const UniqueFd fd = Open("f", O_RDONLY);
  DO(linkat(fd.get(), "", AT_FDCWD, "g", AT_EMPTY_PATH));
  DO(linkat(fd.get(), "", AT_FDCWD, "h", 0));
  DO(linkat(fd.get(), "x", AT_FDCWD, "h", 0));
  script.Show("f");
}

void ManyNames(Script& script) {
  MakeFile("f", "content");
  MakeFolder("d");
  for (int i = 0; i < 300; ++i) Must(link("f", ("d/" + std::to_string(i)).c_str()), "link");
  script.Show("f");
  for (int i = 0; i < 300; i += 3) Must(unlink(("d/" + std::to_string(i)).c_str()), "unlink");
  script.Show("f");
}

void OfOthers(Script& script) {
  MakeFile("readable", "x", 0644);
  MakeFile("writable", "x", 0666);
  MakeFile("set-uid", "x", 04777);
  MakeFile("secret", "x", 0600);
  script.As(kUser, kUser, [&] {
    for (const char* name : {"readable", "writable", "set-uid", "secret"})
      script.Step(std::string("link of ") + name, link(name, (std::string(name) + " linked").c_str()));
  });
}

}  // namespace

std::vector<Case> LinkCases() {
  return {
      {"link/one inode", OneInode},   {"link/other types", OtherTypes}, {"link/descriptors", Descriptors},
      {"link/many names", ManyNames}, {"link/of others", OfOthers},
  };
}

}  // namespace hawser::test::posix
