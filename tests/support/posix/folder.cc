// Reading folders, also while they change.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

struct CloseDir {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseDir>;

Stream OpenStream(const std::string& path) {
  Stream stream(opendir(path.c_str()));
  Must(stream ? 0 : -1, "opendir " + path);
  return stream;
}

void MakeMany(const std::string& folder, int count) {
  MakeFolder(folder);
  for (int i = 0; i < count; ++i)
    Must(mknod((folder + "/name" + std::to_string(i)).c_str(), S_IFREG | 0644, 0), "mknod");
}

std::vector<std::string> Rest(DIR* stream) {
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) names.emplace_back(entry->d_name);
  return names;
}

void EveryNameOnce(Script& script, const std::vector<std::string>& names) {
  const std::set<std::string> distinct(names.begin(), names.end());
  VALUE(static_cast<long>(names.size()));
  VALUE(static_cast<long>(distinct.size()));
}

void TenThousand(Script& script) {
  MakeMany("d", 10000);
  EveryNameOnce(script, Rest(OpenStream("d").get()));
}

void Types(Script& script) {
  MakeFile("file");
  MakeFolder("folder");
  Must(symlink("x", "symlink"), "symlink");
  Must(mkfifo("fifo", 0600), "mkfifo");
  Must(mknod("socket", S_IFSOCK | 0600, 0), "mknod");
  Must(mknod("device", S_IFCHR | 0600, makedev(1, 3)), "mknod");
  const Stream stream = OpenStream(".");
  std::vector<std::string> lines;
  while (const dirent* entry = readdir(stream.get())) {
    struct stat info {};
    Must(lstat(entry->d_name, &info), "lstat");
    const bool same = entry->d_ino == info.st_ino || std::string(entry->d_name) == "..";
    lines.push_back(std::string(entry->d_name) + " type " + std::to_string(entry->d_type) +
                    (same ? "" : " with another inode than lstat says"));
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) script.Note(line);
}

void RewindAndSeek(Script& script) {
  MakeMany("d", 500);
  const Stream stream = OpenStream("d");
  std::vector<std::pair<long, std::string>> places;
  while (true) {
    const long place = telldir(stream.get());
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    places.emplace_back(place, entry->d_name);
  }
  VALUE(static_cast<long>(places.size()));
  long wrong = 0;
  for (std::size_t i = 0; i < places.size(); i += 37) {
    seekdir(stream.get(), places[i].first);
    const dirent* entry = readdir(stream.get());
    wrong += entry == nullptr || places[i].second != entry->d_name;
  }
  VALUE(wrong);
  rewinddir(stream.get());
  VALUE(static_cast<long>(Rest(stream.get()).size()));
  MakeFile("d/new");
  rewinddir(stream.get());
  VALUE(static_cast<long>(Rest(stream.get()).size()));
}

// A name that stays must come exactly once, whatever else changes meanwhile.
void WhileNamesGo(Script& script) {
  MakeMany("d", 3000);
  const Stream stream = OpenStream("d");
  std::multiset<std::string> seen;
  int removed = 0;
  while (const dirent* entry = readdir(stream.get())) {
    seen.insert(entry->d_name);
    for (; removed < 3000 && seen.size() * 2 > static_cast<std::size_t>(removed); removed += 2)
      Must(unlink(("d/name" + std::to_string(removed)).c_str()), "unlink");
  }
  long missing = 0;
  long repeated = 0;
  for (int i = 1; i < 3000; i += 2) {
    const auto count = seen.count("name" + std::to_string(i));
    missing += count == 0;
    repeated += count > 1;
  }
  VALUE(missing);
  VALUE(repeated);
  for (int i = removed; i < 3000; i += 2) Must(unlink(("d/name" + std::to_string(i)).c_str()), "unlink");
  EveryNameOnce(script, Rest(OpenStream("d").get()));
}

void WhileNamesCome(Script& script) {
  MakeMany("d", 1000);
  const Stream stream = OpenStream("d");
  std::multiset<std::string> seen;
  int made = 1000;
  while (const dirent* entry = readdir(stream.get())) {
    seen.insert(entry->d_name);
    if (made < 1500) MakeFile("d/name" + std::to_string(made++));
  }
  long wrong = 0;
  for (int i = 0; i < 1000; ++i) wrong += seen.count("name" + std::to_string(i)) != 1;
  VALUE(wrong);
  EveryNameOnce(script, Rest(OpenStream("d").get()));
}

// rm -r: removes while it reads, then expects an empty folder.
void RemovedWhileRead(Script& script) {
  MakeMany("d", 2500);
  const Stream stream = OpenStream("d");
  long removed = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") removed += unlink(("d/" + name).c_str()) == 0;
  }
  VALUE(removed);
  DO(rmdir("d"));
}

void RemovedFolder(Script& script) {
  MakeMany("d", 10);
  const Stream stream = OpenStream("d");
  for (int i = 0; i < 10; ++i) Must(unlink(("d/name" + std::to_string(i)).c_str()), "unlink");
  DO(rmdir("d"));
  errno = 0;
  VALUE(static_cast<long>(Rest(stream.get()).size()) <= 12);
}

void RenamedFolder(Script& script) {
  MakeMany("d", 100);
  MakeFolder("other");
  const Stream stream = OpenStream("d");
  Must(readdir(stream.get()) != nullptr ? 0 : -1, "readdir");
  DO(rename("d", "other/e"));
  VALUE(static_cast<long>(Rest(stream.get()).size()));
  struct stat parent {};
  struct stat dots {};
  Must(stat("other", &parent), "stat");
  Must(stat("other/e/..", &dots), "stat");
  VALUE(parent.st_ino == dots.st_ino);
}

}  // namespace

std::vector<Case> FolderCases() {
  return {
      {"folder/ten thousand names", TenThousand},  {"folder/types", Types},
      {"folder/rewind and seek", RewindAndSeek},   {"folder/while names go", WhileNamesGo},
      {"folder/while names come", WhileNamesCome}, {"folder/removed while read", RemovedWhileRead},
      {"folder/removed", RemovedFolder},           {"folder/renamed", RenamedFolder},
  };
}

}  // namespace hawser::test::posix
