// read, write, truncate, lseek, copy_file_range.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

void ReadsAndWrites(Script& script) {
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT);
  char buffer[64];
  VALUE(write(fd.get(), "0123456789", 10));
  VALUE(lseek(fd.get(), 3, SEEK_SET));
  VALUE(read(fd.get(), buffer, 4));
  VALUE(lseek(fd.get(), 0, SEEK_CUR));
  VALUE(lseek(fd.get(), -2, SEEK_END));
  VALUE(read(fd.get(), buffer, 64));
  VALUE(read(fd.get(), buffer, 64));
  VALUE(lseek(fd.get(), -1, SEEK_SET));
  VALUE(lseek(fd.get(), 5, SEEK_END));
  VALUE(write(fd.get(), "far", 3));
  VALUE(write(fd.get(), "", 0));
  VALUE(pwrite(fd.get(), "x", 1, -1));
  VALUE(pread(fd.get(), buffer, 1, -1));
  VALUE(pread(fd.get(), buffer, 10, 1000));
  script.Show("f");
  script.ShowContent("f");
  const iovec parts[] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cdef"), 4}};
  VALUE(pwritev(fd.get(), parts, 2, 100));
  script.ShowContent("f");
}

void Sizes(Script& script) {
  for (const std::size_t size :
       {1u, 511u, 4095u, 4096u, 4097u, 65536u, 131072u, 131073u, 1048576u, 1048577u, 3000000u}) {
    const std::string bytes = Pattern(size);
    const UniqueFd fd = Open("f", O_RDWR | O_CREAT | O_TRUNC);
    script.Value("write " + std::to_string(size), write(fd.get(), bytes.data(), size));
    script.Value("write it again at 3", pwrite(fd.get(), bytes.data(), size, 3));
    script.ShowContent("f");
  }
}

void Sparse(Script& script) {
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT);
  VALUE(pwrite(fd.get(), "end", 3, 10'000'000));
  VALUE(lseek(fd.get(), 0, SEEK_DATA));
  VALUE(lseek(fd.get(), 0, SEEK_HOLE));
  VALUE(lseek(fd.get(), 9'999'000, SEEK_HOLE));
  VALUE(lseek(fd.get(), 10'000'003, SEEK_DATA));
  VALUE(lseek(fd.get(), 10'000'003, SEEK_HOLE));
  VALUE(lseek(fd.get(), 10'000'002, SEEK_HOLE));
  VALUE(lseek(fd.get(), -1, SEEK_DATA));
  VALUE(pwrite(fd.get(), Pattern(5000).data(), 5000, 0));
  VALUE(lseek(fd.get(), 0, SEEK_HOLE));
  VALUE(lseek(fd.get(), 8192, SEEK_DATA));
  script.ShowContent("f");
  const UniqueFd empty = Open("empty", O_RDWR | O_CREAT);
  VALUE(lseek(empty.get(), 0, SEEK_DATA));
  VALUE(lseek(empty.get(), 0, SEEK_HOLE));
  VALUE(lseek(empty.get(), 0, 17));
  DO(ftruncate(empty.get(), 100000));
  VALUE(lseek(empty.get(), 0, SEEK_DATA));
  VALUE(lseek(empty.get(), 0, SEEK_HOLE));
}

void Truncates(Script& script) {
  MakeFile("f", Pattern(10000));
  for (const off_t size : {9999, 4096, 4097, 12000, 100, 0, 5}) {
    script.Step("truncate to " + std::to_string(size), truncate("f", size));
    script.ShowContent("f");
  }
  DO(truncate("f", -1));
  const UniqueFd reading = Open("f", O_RDONLY);
  DO(ftruncate(reading.get(), 3));
  MakeFolder("d");
  DO(truncate("d", 0));
  DO(truncate("f", 1L << 62));
  DO(truncate("f", 5'000'000'000));
  script.Show("f");
}

void FileSizeLimit(Script& script) {
  const rlimit limit{10000, 10000};
  Must(setrlimit(RLIMIT_FSIZE, &limit), "setrlimit");
  const UniqueFd fd = Open("f", O_RDWR | O_CREAT);
  VALUE(pwrite(fd.get(), Pattern(6000).data(), 6000, 5000));
  VALUE(pwrite(fd.get(), "x", 1, 10000));
  DO(ftruncate(fd.get(), 20000));
  DO(fallocate(fd.get(), 0, 0, 20000));
  script.Show("f");
}

void CopiedRanges(Script& script) {
  MakeFile("from", Pattern(300000));
  const UniqueFd in = Open("from", O_RDWR);
  const UniqueFd out = Open("to", O_RDWR | O_CREAT);
  off_t from = 1000;
  off_t to = 50;
  VALUE(copy_file_range(in.get(), &from, out.get(), &to, 200000, 0));
  VALUE(from);
  VALUE(to);
  script.ShowContent("to");
  from = 299990;
  VALUE(copy_file_range(in.get(), &from, out.get(), &to, 100, 0));
  VALUE(copy_file_range(in.get(), &from, out.get(), &to, 100, 0));
  from = 0;
  to = 10;
  VALUE(copy_file_range(in.get(), &from, in.get(), &to, 100, 0));
  to = 400000;
  VALUE(copy_file_range(in.get(), &from, in.get(), &to, 100000, 0));
  script.ShowContent("from");
  VALUE(copy_file_range(in.get(), nullptr, out.get(), nullptr, 1000, 0));
  VALUE(copy_file_range(in.get(), nullptr, out.get(), nullptr, 1000, 1));
  const UniqueFd reading = Open("to", O_RDONLY);
  VALUE(copy_file_range(in.get(), nullptr, reading.get(), nullptr, 1000, 0));
  const UniqueFd appending = Open("to", O_WRONLY | O_APPEND);
  VALUE(copy_file_range(in.get(), nullptr, appending.get(), nullptr, 1000, 0));
  MakeFolder("d");
  const UniqueFd folder = Open("d", O_RDONLY);
  VALUE(copy_file_range(folder.get(), nullptr, out.get(), nullptr, 1000, 0));
  from = 0;
  VALUE(sendfile(out.get(), in.get(), &from, 5000));
  script.ShowContent("to");
}

void SeenByOthersAtOnce(Script& script) {
  const UniqueFd writing = Open("f", O_RDWR | O_CREAT);
  const UniqueFd reading = Open("f", O_RDONLY);
  char buffer[16] = {};
  for (int i = 0; i < 5; ++i) {
    Must(pwrite(writing.get(), std::to_string(i).data(), 1, i), "write");
    script.InChild([&] {
      script.Value("bytes there for another process", pread(reading.get(), buffer, sizeof buffer, 0));
      script.Show("f");
    });
  }
  DO(ftruncate(writing.get(), 2));
  VALUE(pread(reading.get(), buffer, sizeof buffer, 0));
}

void Folders(Script& script) {
  MakeFolder("d");
  const UniqueFd fd = Open("d", O_RDONLY);
  char buffer[16];
  VALUE(read(fd.get(), buffer, sizeof buffer));
  VALUE(write(fd.get(), "x", 1));
  DO(ftruncate(fd.get(), 0));
  DO(fallocate(fd.get(), 0, 0, 10));
  DO(fsync(fd.get()));
  DO(fdatasync(fd.get()));
  DO(open("d", O_RDWR));
  DO(open("d", O_WRONLY));
  DO(open("d", O_RDONLY | O_CREAT, 0644));
  DO(open("d", O_RDONLY | O_TRUNC));
}

}  // namespace

std::vector<Case> DataCases() {
  return {
      {"data/reads and writes", ReadsAndWrites},
      {"data/sizes", Sizes},
      {"data/sparse", Sparse},
      {"data/truncates", Truncates},
      {"data/file size limit", FileSizeLimit},
      {"data/copied ranges", CopiedRanges},
      {"data/seen by others at once", SeenByOthersAtOnce},
      {"data/folders", Folders},
  };
}

}  // namespace hawser::test::posix
