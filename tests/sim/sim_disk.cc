#include "tests/sim/sim_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace hawser::sim {

namespace {

constexpr std::uint64_t kSector = 512;

std::string ReadAll(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return {};
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
  content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return content;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteAll(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace

Status SimDisk::Ended(const std::string& path) const {
  if (life_ && !life_->dead) return {};
  return Error{EIO, "the process has ended before it could use '" + path + "'"};
}

Status SimDisk::Pass(const char* operation, const std::string& path) {
  HAWSER_TRY(Ended(path));
  if (world_.Trouble(world_.profile().crash_at_point))
    world_.Kill(life_, world_.rng().Chance(world_.profile().power_cut_share),
                fmt::format("before {}", operation));
  return Ended(path);
}

Status SimDisk::Write(int fd, std::span<iovec> parts, std::uint64_t offset, const std::string& path) {
  HAWSER_TRY(Pass("write", path));
  std::string bytes;
  for (const iovec& part : parts) bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
  const bool fails = world_.Trouble(world_.profile().write_error);
  const bool ends = world_.Trouble(world_.profile().crash_at_point);
  if (fails || ends) bytes.resize(static_cast<std::size_t>(world_.rng().Below(bytes.size() + 1)));
  iovec whole{bytes.data(), bytes.size()};
  HAWSER_TRY(Disk::Write(fd, {&whole, 1}, offset, path));
  File& file = files_[path];
  for (std::uint64_t s = offset / kSector; s * kSector < offset + bytes.size(); ++s) file.dirty.insert(s);
  if (ends) world_.Kill(life_, world_.rng().Chance(world_.profile().power_cut_share), "in a write");
  if (fails && !ends) {
    ++world_.counts().faults;
    world_.Note("{}: a write of '{}' fails", life_->name, path);
    return Error{EIO, "the simulated disk fails to write '" + path + "'"};
  }
  return Ended(path);
}

void SimDisk::MakeDurable(File& file, const std::string& cached, std::uint64_t sector) {
  const std::uint64_t from = sector * kSector;
  if (from >= cached.size()) return;
  const std::uint64_t size = std::min(kSector, cached.size() - from);
  if (file.durable.size() < from + size) file.durable.resize(from + size);
  file.durable.replace(from, size, cached, from, size);
}

Status SimDisk::Flush(int fd, const std::string& path) {
  if (during_flush_ && !Ended(path)) return Ended(path);
  if (during_flush_) during_flush_();
  HAWSER_TRY(Pass("flush", path));
  File& file = files_[path];
  const std::string cached = ReadAll(fd);
  const bool fails = world_.Trouble(world_.profile().flush_error);
  const bool ends = !fails && world_.Trouble(world_.profile().crash_at_point);
  for (const std::uint64_t sector : file.dirty) {
    if ((fails || ends) && world_.rng().Coin()) continue;
    MakeDurable(file, cached, sector);
  }
  file.durable.resize(cached.size());
  if (!ends) file.dirty.clear();
  if (ends) world_.Kill(life_, world_.rng().Chance(world_.profile().power_cut_share), "in a flush");
  if (fails) {
    ++world_.counts().faults;
    world_.Note("{}: a flush of '{}' fails", life_->name, path);
    return Error{EIO, "the simulated disk fails to flush '" + path + "'"};
  }
  return Ended(path);
}

Status SimDisk::Allocate(int fd, std::uint64_t bytes, const std::string& path) {
  files_.try_emplace(path);
  HAWSER_TRY(Pass("allocate", path));
  struct stat info {};
  if (::fstat(fd, &info) != 0) return ErrnoError("cannot look at", path);
  if (static_cast<std::uint64_t>(info.st_size) >= bytes) return {};
  if (full_) {
    ++world_.counts().faults;
    return Error{ENOSPC, "the simulated disk has no room for '" + path + "'"};
  }
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return ErrnoError("cannot grow", path);
  return Ended(path);
}

Status SimDisk::FlushFolder(const std::string& folder) {
  HAWSER_TRY(Pass("flush folder", folder));
  for (auto& [path, file] : files_) file.entered = true;
  removed_.clear();
  return {};
}

Status SimDisk::Remove(const std::string& path) {
  HAWSER_TRY(Pass("remove", path));
  if (const auto file = files_.find(path); file != files_.end()) {
    if (file->second.entered) removed_[path] = file->second.durable;
    files_.erase(file);
  }
  return Disk::Remove(path);
}

void SimDisk::LeaveOf(const std::string& path, File& file) {
  const std::string cached = ReadAll(path);
  // A file that grew: its size is known by the next flush, or not.
  if (!file.dirty.empty() && world_.rng().Coin())
    file.durable.resize(std::max(file.durable.size(), cached.size()));
  for (const std::uint64_t sector : file.dirty) {
    if (world_.rng().Coin()) MakeDurable(file, cached, sector);
  }
  file.dirty.clear();
  file.entered = true;
  WriteAll(path, file.durable);
}

void SimDisk::Lose() {
  std::error_code problem;
  std::filesystem::remove_all(folder_, problem);
  files_.clear();
  removed_.clear();
}

void SimDisk::PowerCut() {
  std::error_code problem;
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, problem)) there.insert(entry.path());
  for (const std::string& path : there) {
    if (!path.ends_with(".hwj")) continue;
    const auto known = files_.find(path);
    const bool entered = known != files_.end() && known->second.entered;
    if (!entered && world_.rng().Coin()) {
      files_.erase(path);
      std::filesystem::remove(path, problem);
    } else {
      LeaveOf(path, files_[path]);
    }
  }
  for (const auto& [path, content] : removed_) {
    if (world_.rng().Coin()) continue;
    files_[path] = {content, {}, true};
    WriteAll(path, content);
  }
  removed_.clear();
}

}  // namespace hawser::sim
