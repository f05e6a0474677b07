// fallocate in all its modes, statfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

constexpr off_t kBlock = 4096;

std::string Pattern() {
  std::string text(10 * kBlock, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i / kBlock);
  return text;
}

struct Mode {
  const char* name;
  int flags;
};

const std::vector<Mode>& Modes() {
  static const std::vector<Mode> modes = {
      {"allocate", 0},
      {"keep size", FALLOC_FL_KEEP_SIZE},
      {"punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE},
      {"punch without keep size", FALLOC_FL_PUNCH_HOLE},
      {"zero", FALLOC_FL_ZERO_RANGE},
      {"zero, keep size", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE},
      {"collapse", FALLOC_FL_COLLAPSE_RANGE},
      {"insert", FALLOC_FL_INSERT_RANGE},
      {"unshare", FALLOC_FL_UNSHARE_RANGE},
      {"unknown flag", 0x1000},
  };
  return modes;
}

struct Range {
  off_t offset;
  off_t length;
};

void Allocate(Script& script, const Mode& mode) {
  for (const Range& range : {Range{0, kBlock},
                             {kBlock, 2 * kBlock},
                             {100, 5000},
                             {9 * kBlock, 5 * kBlock},
                             {10 * kBlock, kBlock},
                             {20 * kBlock, kBlock},
                             {0, 10 * kBlock},
                             {0, 0},
                             {-1, 10},
                             {10, -1},
                             {1L << 62, 1L << 62}}) {
    MakeFile("f", Pattern(), 06755);
    const UniqueFd fd = Open("f", O_RDWR);
    script.Times({"f"},
                 "fallocate at " + std::to_string(range.offset) + " for " + std::to_string(range.length),
                 [&] { return fallocate(fd.get(), mode.flags, range.offset, range.length); });
    script.Show("f");
    script.ShowContent("f");
  }
}

void OnOtherThings(Script& script) {
  MakeFile("f");
  const UniqueFd reading = Open("f", O_RDONLY);
  DO(fallocate(reading.get(), 0, 0, 10));
  int pipes[2];
  Must(pipe(pipes), "pipe");
  DO(fallocate(pipes[1], 0, 0, 10));
  DO(posix_fallocate(reading.get(), 0, 10) == 0 ? 0 : -1);
  const UniqueFd fd = Open("f", O_RDWR);
  VALUE(posix_fallocate(fd.get(), 0, 5000));
  script.Show("f");
  DO(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED));
  DO(sync_file_range(fd.get(), 0, 100, SYNC_FILE_RANGE_WRITE));
  DO(syncfs(fd.get()));
  struct stat info {};
  Must(fstat(fd.get(), &info), "fstat");
  VALUE(info.st_blocks > 0);
  VALUE(info.st_blksize);
}

void Blocks(Script& script) {
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT);
  DO(fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, 1 << 20));
  struct stat info {};
  Must(fstat(fd.get(), &info), "fstat");
  VALUE(info.st_size);
  VALUE(info.st_blocks >= 2048);
  DO(fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 20));
  Must(fstat(fd.get(), &info), "fstat");
  VALUE(info.st_blocks < 100);
}

void Filesystem(Script& script) {
  struct statvfs info {};
  DO(statvfs(".", &info));
  VALUE(static_cast<long>(info.f_namemax));
  VALUE(static_cast<long>(info.f_bsize));
  VALUE(static_cast<long>(info.f_frsize));
  VALUE(info.f_blocks > 0);
  VALUE(info.f_bavail > 0);
  VALUE(info.f_files > 0);
  VALUE(pathconf(".", _PC_NAME_MAX));
  VALUE(pathconf(".", _PC_PATH_MAX));
}

}  // namespace

std::vector<Case> SpaceCases() {
  std::vector<Case> cases = {
      {"space/on other things", OnOtherThings},
      {"space/blocks", Blocks},
      {"space/filesystem", Filesystem},
  };
  for (const Mode& mode : Modes())
    cases.push_back({std::string("space/") + mode.name, [&mode](Script& script) { Allocate(script, mode); }});
  return cases;
}

}  // namespace hawser::test::posix
