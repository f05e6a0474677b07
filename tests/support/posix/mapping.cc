// mmap: shared and private, beside read and write.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

constexpr std::size_t kPage = 4096;

class Mapping {
 public:
  Mapping(int fd, std::size_t size, int protection, int flags)
      : size_(size), memory_(static_cast<char*>(mmap(nullptr, size, protection, flags, fd, 0))) {
    Must(memory_ == MAP_FAILED ? -1 : 0, "mmap");
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { munmap(memory_, size_); }
  char* get() const { return memory_; }

 private:
  std::size_t size_;
  char* memory_;
};

void SharedAndWritten(Script& script) {
  MakeFile("f", std::string(3 * kPage, '.'));
  const UniqueFd fd = Open("f", O_RDWR);
  {
    const Mapping map(fd.get(), 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
    std::memcpy(map.get() + 10, "mapped", 6);
    char buffer[6];
    VALUE(pread(fd.get(), buffer, 6, 10));
    script.ShowBytes("read after a store", std::string(buffer, 6));
    VALUE(pwrite(fd.get(), "written", 7, 20));
    script.ShowBytes("mapping after a write", std::string(map.get() + 20, 7));
    DO(msync(map.get(), 3 * kPage, MS_SYNC));
    DO(msync(map.get(), 3 * kPage, MS_ASYNC));
    std::memcpy(map.get() + 2 * kPage, "last page", 9);
  }
  script.ShowContent("f");
  script.Show("f");
}

void TwoProcesses(Script& script) {
  MakeFile("f", std::string(kPage, '.'));
  const UniqueFd fd = Open("f", O_RDWR);
  const Mapping map(fd.get(), kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
  script.InChild([&] {
    const UniqueFd other = Open("f", O_RDWR);
    const Mapping theirs(other.get(), kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
    std::memcpy(theirs.get(), "from the child", 14);
  });
  script.ShowBytes("seen by the parent", std::string(map.get(), 14));
}

void Private(Script& script) {
  MakeFile("f", std::string(kPage, '.'));
  const UniqueFd fd = Open("f", O_RDONLY);
  const Mapping map(fd.get(), kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  std::memcpy(map.get(), "private", 7);
  script.ShowContent("f");
  const UniqueFd writing = Open("f", O_WRONLY);
  VALUE(pwrite(writing.get(), "written", 7, 2000));
  script.ShowBytes("mapping", std::string(map.get(), 7));
}

void BeyondTheEnd(Script& script) {
  MakeFile("f", "short");
  const UniqueFd fd = Open("f", O_RDWR);
  const Mapping map(fd.get(), 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
  script.ShowBytes("behind the end", std::string(map.get() + 5, 5));
  std::memcpy(map.get() + 5, "lost", 4);
  script.Show("f");
  script.ShowContent("f");
  script.InChild([&] {
    signal(SIGBUS, [](int) { _exit(7); });
    map.get()[kPage] = 'x';
  });
  DO(ftruncate(fd.get(), 2 * kPage));
  map.get()[kPage] = 'y';
  DO(ftruncate(fd.get(), 0));
  script.InChild([&] {
    signal(SIGBUS, [](int) { _exit(7); });
    map.get()[0] = 'x';
  });
  script.Show("f");
}

void Protection(Script& script) {
  MakeFile("f", "content");
  const UniqueFd reading = Open("f", O_RDONLY);
  const UniqueFd writing = Open("f", O_WRONLY);
  const auto result = [&](int fd, int protection, int flags, std::size_t size) {
    void* memory = mmap(nullptr, size, protection, flags, fd, 0);
    if (memory == MAP_FAILED) return -1;
    munmap(memory, size);
    return 0;
  };
  DO(result(reading.get(), PROT_READ, MAP_SHARED, kPage));
  DO(result(reading.get(), PROT_READ | PROT_WRITE, MAP_SHARED, kPage));
  DO(result(reading.get(), PROT_READ | PROT_WRITE, MAP_PRIVATE, kPage));
  DO(result(reading.get(), PROT_READ | PROT_EXEC, MAP_PRIVATE, kPage));
  DO(result(writing.get(), PROT_READ, MAP_SHARED, kPage));
  DO(result(writing.get(), PROT_WRITE, MAP_SHARED, kPage));
  DO(result(reading.get(), PROT_READ, MAP_SHARED, 0));
}

void Unlinked(Script& script) {
  MakeFile("f", std::string(kPage, '.'));
  const UniqueFd fd = Open("f", O_RDWR);
  const Mapping map(fd.get(), kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
  DO(unlink("f"));
  std::memcpy(map.get(), "mapped", 6);
  DO(msync(map.get(), kPage, MS_SYNC));
  char buffer[6];
  VALUE(pread(fd.get(), buffer, 6, 0));
  script.ShowBytes("read", std::string(buffer, 6));
}

void RenamedAndClosed(Script& script) {
  MakeFolder("d");
  MakeFile("d/f", std::string(kPage, '.'));
  UniqueFd fd = Open("d/f", O_RDWR);
  {
    const Mapping map(fd.get(), kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
    fd.Reset();
    DO(rename("d", "e"));
    std::memcpy(map.get(), "after", 5);
  }
  script.ShowContent("e/f");
}

void Executed(Script& script) {
  MakeFile("run", "#!/bin/sh\nexit 5\n", 0755);
  VALUE(WEXITSTATUS(system("./run")));
  DO(chmod("run", 0644));
  VALUE(WEXITSTATUS(system("./run 2>/dev/null")));
}

}  // namespace

std::vector<Case> MappingCases() {
  return {
      {"mapping/shared and written", SharedAndWritten},
      {"mapping/two processes", TwoProcesses},
      {"mapping/private", Private},
      {"mapping/beyond the end", BeyondTheEnd},
      {"mapping/protection", Protection},
      {"mapping/unlinked", Unlinked},
      {"mapping/renamed and closed", RenamedAndClosed},
      {"mapping/executed", Executed},
  };
}

}  // namespace hawser::test::posix
