#include "volume/mount/privileges.h"

namespace hawser {

namespace {

// Without execute permission for the group, setgid is only taken by who is outside of the group.
bool LosesSetgid(const struct stat& file, bool privileged, const InGroup& in_group) {
  if ((file.st_mode & S_ISGID) == 0) return false;
  if ((file.st_mode & S_IXGRP) != 0) return true;
  return !privileged && !in_group(file.st_gid);
}

std::optional<std::uint32_t> Without(const struct stat& file, bool setgid) {
  mode_t mode = file.st_mode & 07777;
  mode &= ~static_cast<mode_t>(S_ISUID);
  if (setgid) mode &= ~static_cast<mode_t>(S_ISGID);
  if (mode == (file.st_mode & 07777)) return std::nullopt;
  return mode;
}

}  // namespace

std::optional<std::uint32_t> ModeAfterChange(const struct stat& file, uid_t caller, const InGroup& in_group) {
  if (caller == 0 || !S_ISREG(file.st_mode)) return std::nullopt;  // root has CAP_FSETID
  return Without(file, LosesSetgid(file, false, in_group));
}

std::optional<std::uint32_t> ModeAfterAcl(const struct stat& file, uid_t caller, const InGroup& in_group) {
  if (caller == 0 || (file.st_mode & S_ISGID) == 0 || in_group(file.st_gid)) return std::nullopt;
  return file.st_mode & 07777 & ~static_cast<mode_t>(S_ISGID);
}

std::optional<std::uint32_t> ModeAfterChown(const struct stat& file, uid_t caller, const InGroup& in_group) {
  if (S_ISDIR(file.st_mode)) return std::nullopt;
  return Without(file, LosesSetgid(file, caller == 0, in_group));
}

}  // namespace hawser
