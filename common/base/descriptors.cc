#include "common/base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "common/base/log.h"

namespace hawser {

namespace {

// Kept free of each limit: a quarter, up to this, for calls, and as much again for what must not fail.
constexpr std::uint64_t kMostReserved = 1024;

}  // namespace

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("cannot raise the limit of open files");
}

bool IsNoDescriptor(const Error& error) { return error.code == EMFILE || error.code == ENFILE; }

std::uint64_t DescriptorMark(HeldFor use) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const std::uint64_t reserve = std::min<std::uint64_t>(limit.rlim_cur / 4, kMostReserved);
  return limit.rlim_cur - (use == HeldFor::kProgram ? 2 * reserve : reserve);
}

Result<UniqueFd> KeepFor(HeldFor use, UniqueFd fd) {
  if (static_cast<std::uint64_t>(fd.get()) < DescriptorMark(use)) return fd;
  return Error{EMFILE, "too many files are open here; raise the process's limit of open files (LimitNOFILE)"};
}

Result<DescriptorPlace> DescriptorPlace::Take(HeldFor use) {
  UniqueFd place(::open("/", O_PATH | O_CLOEXEC));
  if (!place) return ErrnoError("cannot open a file for a program");
  HAWSER_ASSIGN(place, KeepFor(use, std::move(place)));
  return DescriptorPlace(std::move(place));
}

Result<UniqueFd> DescriptorPlace::Fill(UniqueFd fd) && {
  if (fd.get() < place_.get()) return fd;
  if (::dup3(fd.get(), place_.get(), O_CLOEXEC) < 0) return ErrnoError("cannot keep an open file");
  return std::move(place_);
}

}  // namespace hawser
