#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "common/base/files.h"
#include "tests/crash/work_files.h"

namespace hawser::test {
namespace {

class InVolume : public Work {
 public:
  InVolume(std::string volume, std::string kind) : volume_(std::move(volume)), kind_(std::move(kind)) {}
  std::string name() const override { return volume_ + "-" + kind_; }
  Result<std::uint64_t> Find(const Trees& trees) const final {
    HAWSER_TRY(CheckWorkFolder(trees, volume_));
    return FindAt(Path(trees));
  }

 protected:
  std::string Path(const Trees& trees) const { return InWork(trees, volume_, kind_); }
  virtual Result<std::uint64_t> FindAt(const std::string& path) const = 0;

 private:
  const std::string volume_;
  const std::string kind_;
};

// One line a step at the end of a file, with fsync now and then: nothing is lost, repeated or out of order.
class Append : public InVolume {
 public:
  explicit Append(const std::string& volume) : InVolume(volume, "append") {}

  Status Step(const Trees& trees, std::uint64_t n) override {
    const std::string path = Path(trees);
    if (!fd_) {
      HAWSER_ASSIGN(fd_, OpenToWrite(path, O_APPEND));
    }
    struct stat info {};
    if (fstat(fd_.get(), &info) != 0) return ErrnoError("cannot look at", path);
    if (static_cast<std::uint64_t>(info.st_size) >= n * kAppendedLine) return {};
    const std::string line = Numbered(n, kAppendedLine);
    const ssize_t put = write(fd_.get(), line.data(), line.size());
    if (put != static_cast<ssize_t>(kAppendedLine)) return ErrnoError("cannot append to", path);
    return n % 8 == 0 ? Sync(fd_.get(), path) : Status();
  }

  void Forget() override { fd_.Reset(); }

 protected:
  Result<std::uint64_t> FindAt(const std::string& path) const override {
    HAWSER_ASSIGN(const std::string content, ReadIfThere(path));
    const std::uint64_t lines = content.size() / kAppendedLine;
    if (content.size() % kAppendedLine != 0)
      return Impossible(path + " ends in part of a line, after " + std::to_string(lines));
    for (std::uint64_t i = 0; i < lines; ++i)
      if (content.compare(i * kAppendedLine, kAppendedLine, Numbered(i + 1, kAppendedLine)) != 0)
        return Impossible(path + ": line " + std::to_string(i + 1) + " is '" +
                          content.substr(i * kAppendedLine, kAppendedLine - 1) + "'");
    return lines;
  }

 private:
  UniqueFd fd_;
};

// A ring of blocks, overwritten one after the other.
class Blocks : public InVolume {
 public:
  explicit Blocks(const std::string& volume) : InVolume(volume, "blocks") {}

  Status Step(const Trees& trees, std::uint64_t n) override {
    const std::string path = Path(trees);
    if (!fd_) {
      HAWSER_ASSIGN(fd_, OpenToWrite(path));
    }
    HAWSER_TRY(WriteAt(fd_.get(), Numbered(n, kBlock), n % kBlocks * kBlock, path));
    return n % 8 == 0 ? Sync(fd_.get(), path) : Status();
  }

  void Forget() override { fd_.Reset(); }

 protected:
  Result<std::uint64_t> FindAt(const std::string& path) const override {
    HAWSER_ASSIGN(const std::string content, ReadIfThere(path));
    std::set<std::uint64_t> found;
    for (std::size_t at = 0; at < content.size(); at += kBlock) {
      const std::string block = content.substr(at, kBlock);
      if (block.find_first_not_of('\0') == std::string::npos) continue;  // a hole
      const auto n = NumberOf(block);
      if (!n || *n % kBlocks != at / kBlock)
        return Impossible(path + ": the block at " + std::to_string(at) + " is not what any step wrote");
      found.insert(*n);
    }
    const std::uint64_t newest = found.empty() ? 0 : *found.rbegin();
    for (std::uint64_t n = newest; n > 0 && n + kBlocks > newest; --n)
      if (!found.contains(n))
        return Impossible(path + " holds step " + std::to_string(newest) + " without step " +
                          std::to_string(n));
    return newest;
  }

 private:
  static constexpr std::size_t kBlock = 4096;
  static constexpr std::uint64_t kBlocks = 32;
  UniqueFd fd_;
};

// A new file renamed over the old one, then a folder with a file in it renamed.
class Rename : public InVolume {
 public:
  explicit Rename(const std::string& volume) : InVolume(volume, "rename") {}

  Status Step(const Trees& trees, std::uint64_t n) override {
    const std::string base = Path(trees);
    const std::string from = Folder(base, n - 1);
    const std::string to = Folder(base, n);
    if (n == 1) HAWSER_TRY(MakeFolder(base));
    if (Exists(to)) return {};
    if (n == 1) HAWSER_TRY(MakeFolder(from));
    {
      HAWSER_ASSIGN(const UniqueFd next, OpenToWrite(base + "/next", O_TRUNC));
      HAWSER_TRY(WriteAt(next.get(), Numbered(n, kSize), 0, base));
      HAWSER_TRY(Sync(next.get(), base));
    }
    HAWSER_TRY(RenameTo(base + "/next", base + "/current"));
    {
      HAWSER_ASSIGN(const UniqueFd inside, OpenToWrite(from + "/inside"));
      HAWSER_TRY(WriteAt(inside.get(), Numbered(n, kSize), 0, base));
    }
    return RenameTo(from, to);
  }

 protected:
  Result<std::uint64_t> FindAt(const std::string& base) const override {
    HAWSER_ASSIGN(const std::optional<std::uint64_t> folder, OnlyFolder(base));
    HAWSER_ASSIGN(const std::uint64_t current, NumberIn(base + "/current"));
    if (!folder && current != 0) return Impossible(base + " has a file without the folder made before it");
    if (!folder) return std::uint64_t{0};
    HAWSER_ASSIGN(const std::uint64_t inside, NumberIn(Folder(base, *folder) + "/inside"));
    const std::uint64_t n = *folder;
    if (current < n || current > n + 1 || inside < n || inside > current)
      return Impossible(base + " holds the folder of step " + std::to_string(n) + " with the file of step " +
                        std::to_string(current) + " and in it that of step " + std::to_string(inside));
    return n;
  }

 private:
  static constexpr std::size_t kSize = 1000;
  static std::string Folder(const std::string& base, std::uint64_t n) {
    return base + "/folder-" + std::to_string(n);
  }

  static Result<std::optional<std::uint64_t>> OnlyFolder(const std::string& base) {
    std::optional<std::uint64_t> only;
    HAWSER_ASSIGN(const std::vector<std::string> names, NamesIn(base));
    for (const std::string& name : names) {
      if (!name.starts_with("folder-")) continue;
      if (only) return Impossible(base + " has " + name + " beside that of step " + std::to_string(*only));
      only = std::strtoull(name.c_str() + 7, nullptr, 10);
    }
    return only;
  }

  static Result<std::uint64_t> NumberIn(const std::string& path) {
    HAWSER_ASSIGN(const std::string content, ReadIfThere(path));
    if (content.empty()) return std::uint64_t{0};
    const auto n = NumberOf(content);
    if (!n || content.size() != kSize) return Impossible(path + " is not whole");
    return *n;
  }
};

// Files that are made, get a second name and an attribute, and are removed twenty steps later.
class Links : public InVolume {
 public:
  explicit Links(const std::string& volume) : InVolume(volume, "links") {}

  Status Step(const Trees& trees, std::uint64_t n) override {
    const std::string base = Path(trees);
    if (n == 1) HAWSER_TRY(MakeFolder(base));
    if (!Exists(Second(base, n))) {
      HAWSER_ASSIGN(const UniqueFd fd, OpenToWrite(First(base, n), O_TRUNC));
      HAWSER_TRY(WriteAt(fd.get(), Numbered(n, SizeOf(n)), 0, base));
      if (fchmod(fd.get(), n % 2 == 0 ? 0600 : 0640) != 0) return ErrnoError("cannot change", First(base, n));
      if (link(First(base, n).c_str(), Second(base, n).c_str()) != 0)
        return ErrnoError("cannot link", First(base, n));
    }
    if (n <= kKept) return {};
    HAWSER_TRY(Remove(First(base, n - kKept)));
    return Remove(Second(base, n - kKept));
  }

 protected:
  Result<std::uint64_t> FindAt(const std::string& base) const override {
    HAWSER_ASSIGN(const std::set<std::uint64_t> firsts, Numbers(base, "first-"));
    HAWSER_ASSIGN(const std::set<std::uint64_t> seconds, Numbers(base, "second-"));
    const std::uint64_t newest = seconds.empty() ? 0 : *seconds.rbegin();
    const std::uint64_t oldest = newest > kKept ? newest - kKept : 0;
    for (const auto& names : {firsts, seconds})
      for (const std::uint64_t n : names)
        if (n < oldest || n > newest + 1)
          return Impossible(base + " holds the file of step " + std::to_string(n) + " at step " +
                            std::to_string(newest));
    for (std::uint64_t n = oldest + 1; n <= newest; ++n) HAWSER_TRY(CheckFile(base, n));
    return newest;
  }

 private:
  static constexpr std::uint64_t kKept = 20;
  static std::size_t SizeOf(std::uint64_t n) { return 100 + n * 977 % 9000; }
  static std::string First(const std::string& base, std::uint64_t n) {
    return base + "/first-" + std::to_string(n);
  }
  static std::string Second(const std::string& base, std::uint64_t n) {
    return base + "/second-" + std::to_string(n);
  }

  static Status CheckFile(const std::string& base, std::uint64_t n) {
    struct stat first {};
    struct stat second {};
    if (lstat(First(base, n).c_str(), &first) != 0 || lstat(Second(base, n).c_str(), &second) != 0)
      return errno == ENOENT ? Impossible(base + " lacks a name of step " + std::to_string(n))
                             : ErrnoError("cannot look at", base);
    if (first.st_ino != second.st_ino || first.st_nlink != 2)
      return Impossible(base + ": the two names of step " + std::to_string(n) + " are not one file");
    if ((first.st_mode & 0777) != (n % 2 == 0 ? 0600u : 0640u))
      return Impossible(base + ": the mode of step " + std::to_string(n) + " is wrong");
    HAWSER_ASSIGN(const std::string content, ReadFile(First(base, n)));
    if (content != Numbered(n, SizeOf(n))) return Impossible(First(base, n) + " is not whole");
    return {};
  }

  static Result<std::set<std::uint64_t>> Numbers(const std::string& base, const std::string& prefix) {
    std::set<std::uint64_t> numbers;
    HAWSER_ASSIGN(const std::vector<std::string> names, NamesIn(base));
    for (const std::string& name : names) {
      if (name.starts_with(prefix)) numbers.insert(std::strtoull(name.c_str() + prefix.size(), nullptr, 10));
    }
    return numbers;
  }
};

// A number that is written in one volume and then in the other one, on another machine: one order over both.
class Token : public Work {
 public:
  Token(std::string first, std::string then) : first_(std::move(first)), then_(std::move(then)) {}
  std::string name() const override { return "token"; }

  Status Step(const Trees& trees, std::uint64_t n) override {
    HAWSER_TRY(Write(first_fd_, InWork(trees, first_, "token"), n));
    return Write(then_fd_, InWork(trees, then_, "token"), n);
  }

  Result<std::uint64_t> Find(const Trees& trees) const override {
    HAWSER_ASSIGN(const std::uint64_t first, Read(trees, first_));
    HAWSER_ASSIGN(const std::uint64_t then, Read(trees, then_));
    if (first != then && first != then + 1)
      return Impossible("the token is " + std::to_string(first) + " in " + trees.at(first_) + " and " +
                        std::to_string(then) + " in " + trees.at(then_));
    return then;
  }

  void Forget() override {
    first_fd_.Reset();
    then_fd_.Reset();
  }

 private:
  static Status Write(UniqueFd& fd, const std::string& path, std::uint64_t n) {
    if (!fd) {
      HAWSER_ASSIGN(fd, OpenToWrite(path));
    }
    return WriteAt(fd.get(), Numbered(n, kAppendedLine), 0, path);
  }

  static Result<std::uint64_t> Read(const Trees& trees, const std::string& volume) {
    HAWSER_TRY(CheckWorkFolder(trees, volume));
    HAWSER_ASSIGN(const std::string content, ReadIfThere(InWork(trees, volume, "token")));
    if (content.empty()) return std::uint64_t{0};
    const auto n = NumberOf(content);
    if (!n) return Impossible("the token in " + trees.at(volume) + " is not whole");
    return *n;
  }

  const std::string first_;
  const std::string then_;
  UniqueFd first_fd_;
  UniqueFd then_fd_;
};

}  // namespace

void AddFileWorks(const std::string& volume, Works& works) {
  works.push_back(std::make_unique<Append>(volume));
  works.push_back(std::make_unique<Blocks>(volume));
  works.push_back(std::make_unique<Rename>(volume));
  works.push_back(std::make_unique<Links>(volume));
}

std::unique_ptr<Work> MakeTokenWork(const std::string& first, const std::string& then) {
  return std::make_unique<Token>(first, then);
}

}  // namespace hawser::test
