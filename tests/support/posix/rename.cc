// rename: every type over every type, with every flag; and what it does to links, times and open files.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

const std::vector<std::string>& Kinds() {
  static const std::vector<std::string> kinds = {
      "nothing", "file",   "empty folder", "full folder", "symlink to a file", "symlink to a folder",
      "fifo",    "socket", "device"};
  return kinds;
}

void Make(const std::string& kind, const std::string& path) {
  if (kind == "file") MakeFile(path, "content of " + path, 0600);
  if (kind == "empty folder" || kind == "full folder") MakeFolder(path, 0700);
  if (kind == "full folder") MakeFile(path + "/inner", "inside " + path);
  if (kind == "symlink to a file") Must(symlink("some file", path.c_str()), "symlink");
  if (kind == "symlink to a folder") Must(symlink("some folder", path.c_str()), "symlink");
  if (kind == "fifo") Must(mkfifo(path.c_str(), 0610), "mkfifo");
  if (kind == "socket") Must(mknod(path.c_str(), S_IFSOCK | 0620, 0), "mknod");
  if (kind == "device") Must(mknod(path.c_str(), S_IFCHR | 0630, makedev(1, 5)), "mknod");
}

void Matrix(Script& script, unsigned flags) {
  for (const std::string& from : Kinds()) {
    for (const std::string& to : Kinds()) {
      MakeFile("some file");
      MakeFolder("some folder");
      MakeFolder("a");
      MakeFolder("b");
      Make(from, "a/from");
      Tick();  // so that it shows whose mtime the name has afterwards
      Make(to, "b/to");
      script.Times({"a", "b", "a/from", "b/to"}, from + " over " + to,
                   [&] { return renameat2(AT_FDCWD, "a/from", AT_FDCWD, "b/to", flags); });
      script.Show("a");
      script.Show("b");
      script.Show("a/from");
      script.Show("b/to");
      Clear();
    }
  }
}

void SameInode(Script& script) {
  MakeFile("f", "x");
  DO(link("f", "g"));
  DO(rename("f", "g"));
  script.Show("f");
  script.Show("g");
  DO(rename("f", "f"));
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_EXCHANGE));
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_NOREPLACE));
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "f", RENAME_EXCHANGE));
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "f", RENAME_NOREPLACE));
  script.ShowNames(".");
}

void IntoItself(Script& script) {
  MakeFolder("d");
  MakeFolder("d/e");
  MakeFolder("other");
  DO(rename("d", "d/x"));
  DO(rename("d", "d/e/x"));
  DO(rename("d", "d/e"));
  DO(rename("d/e", "d"));
  DO(rename("d", "d"));
  DO(rename("d/.", "x"));
  DO(rename("d/..", "x"));
  DO(rename("other", "d/."));
  DO(rename("other", "d/.."));
  DO(renameat2(AT_FDCWD, "d", AT_FDCWD, "d/e", RENAME_EXCHANGE));
  DO(renameat2(AT_FDCWD, "d/e", AT_FDCWD, "d", RENAME_EXCHANGE));
  DO(rename("d/", "d2/"));
  DO(rename("missing/", "d3"));
  script.ShowNames(".");
}

void BadFlags(Script& script) {
  MakeFile("f");
  MakeFile("g");
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_NOREPLACE | RENAME_EXCHANGE));
  DO(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", 0x100));
  script.ShowNames(".");
}

void OpenFiles(Script& script) {
  MakeFolder("d");
  MakeFile("d/f", "before");
  MakeFile("d/victim", "victim");
  const UniqueFd moved = Open("d/f", O_RDWR);
  const UniqueFd victim = Open("d/victim", O_RDWR);
  const UniqueFd folder = Open("d", O_RDONLY | O_DIRECTORY);
  DO(rename("d/f", "d/victim"));
  VALUE(pwrite(moved.get(), "after", 5, 6));
  VALUE(pwrite(victim.get(), "still there", 11, 0));
  script.ShowOpen("victim", victim.get());
  script.ShowBytes("victim", ReadAll(victim.get()));
  DO(rename("d", "e"));
  VALUE(pwrite(moved.get(), "again", 5, 11));
  script.ShowContent("e/victim");
  DO(openat(folder.get(), "new", O_CREAT | O_WRONLY, 0644));
  DO(unlinkat(folder.get(), "victim", 0));
  script.ShowOpen("moved", moved.get());
  script.ShowNames("e");
}

void FolderLinkCounts(Script& script) {
  for (const char* name : {"a", "b", "a/x", "b/y"}) MakeFolder(name);
  script.Show("a");
  script.Show("b");
  DO(rename("a/x", "b/x"));
  script.Show("a");
  script.Show("b");
  DO(rename("b/x", "b/y"));
  script.Show("b");
  MakeFile("a/f");
  DO(renameat2(AT_FDCWD, "a/f", AT_FDCWD, "b/y", RENAME_EXCHANGE));
  script.Show("a");
  script.Show("b");
}

void WorkingDirectory(Script& script) {
  MakeFolder("d");
  Must(chdir("d"), "chdir");
  DO(rename("../d", "../e"));
  DO(open("f", O_CREAT | O_WRONLY, 0644));
  script.ShowNames(".");
  script.ShowNames("..");
}

void OtherFilesystem(Script& script) {
  MakeFile("f");
  DO(rename("f", "/proc/f"));
  DO(link("f", "/proc/f"));
}

}  // namespace

std::vector<Case> RenameCases() {
  return {
      {"rename/matrix", [](Script& script) { Matrix(script, 0); }},
      {"rename/matrix with noreplace", [](Script& script) { Matrix(script, RENAME_NOREPLACE); }},
      {"rename/matrix with exchange", [](Script& script) { Matrix(script, RENAME_EXCHANGE); }},
      {"rename/same inode", SameInode},
      {"rename/into itself", IntoItself},
      {"rename/bad flags", BadFlags},
      {"rename/open files", OpenFiles},
      {"rename/folder link counts", FolderLinkCounts},
      {"rename/working directory", WorkingDirectory},
      {"rename/other filesystem", OtherFilesystem},
  };
}

}  // namespace hawser::test::posix
