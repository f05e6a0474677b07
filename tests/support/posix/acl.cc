// POSIX ACLs, set as the xattrs they are.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>

#include "tests/support/posix/script.h"

namespace hawser::test::posix {
namespace {

constexpr const char* kAccess = "system.posix_acl_access";
constexpr const char* kDefault = "system.posix_acl_default";

// linux/posix_acl_xattr.h: version 2, then entries of tag, permissions and id, little endian.
struct AclEntry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id = 0xffffffff;
};
enum : std::uint16_t {
  kOwner = 0x01,
  kNamedUser = 0x02,
  kOwningGroup = 0x04,
  kNamedGroup = 0x08,
  kMask = 0x10,
  kRest = 0x20
};

std::string Acl(std::initializer_list<AclEntry> entries) {
  std::string value("\x02\0\0\0", 4);
  for (const AclEntry& entry : entries) value.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  return value;
}

long Set(const char* path, const char* name, const std::string& value) {
  return setxattr(path, name, value.data(), value.size(), 0);
}

void ShowAcl(Script& script, const std::string& path) {
  script.Show(path);
  for (const char* name : {kAccess, kDefault}) {
    char value[256];
    const ssize_t size = getxattr(path.c_str(), name, value, sizeof value);
    if (size < 0)
      script.Value(std::string("get ") + name, size);
    else
      script.ShowBytes(name, std::string(value, static_cast<std::size_t>(size)));
  }
}

const std::string& UserMayRead() {
  static const std::string acl =
      Acl({{kOwner, 6}, {kNamedUser, 4, kUser}, {kOwningGroup, 0}, {kMask, 4}, {kRest, 0}});
  return acl;
}

void Access(Script& script) {
  MakeFile("f", "content", 0600);
  const auto by_user = [&] {
    script.As(kUser, kUser, [&] {
      DO(open("f", O_RDONLY));
      DO(open("f", O_WRONLY));
      DO(Set("f", kAccess, UserMayRead()));
    });
  };
  by_user();
  DO(Set("f", kAccess, UserMayRead()));
  ShowAcl(script, "f");
  by_user();
  DO(chmod("f", 0660));
  ShowAcl(script, "f");
  by_user();
  DO(chmod("f", 0600));
  ShowAcl(script, "f");
  by_user();
  DO(removexattr("f", kAccess));
  DO(removexattr("f", kAccess));
  ShowAcl(script, "f");
  DO(Set("f", kAccess, Acl({{kOwner, 7}, {kOwningGroup, 5}, {kRest, 1}})));
  ShowAcl(script, "f");
  DO(Set("f", kDefault, UserMayRead()));
  ShowAcl(script, "f");
}

void Invalid(Script& script) {
  MakeFile("f");
  DO(Set("f", kAccess, ""));
  DO(Set("f", kAccess, "x"));
  DO(Set("f", kAccess, std::string("\x03\0\0\0", 4)));
  DO(Set("f", kAccess, Acl({})));
  DO(Set("f", kAccess, Acl({{kOwner, 6}, {kRest, 0}})));
  DO(Set("f", kAccess, Acl({{kOwner, 6}, {kNamedUser, 4, kUser}, {kOwningGroup, 0}, {kRest, 0}})));
  DO(Set("f", kAccess, Acl({{kRest, 0}, {kOwner, 6}, {kOwningGroup, 4}})));
  DO(Set("f", kAccess, Acl({{kOwner, 9}, {kOwningGroup, 4}, {kRest, 0}})));
  ShowAcl(script, "f");
}

void Defaults(Script& script) {
  MakeFolder("d", 0777);
  DO(Set("d", kDefault,
         Acl({{kOwner, 7}, {kNamedUser, 7, kUser}, {kOwningGroup, 5}, {kMask, 7}, {kRest, 4}})));
  ShowAcl(script, "d");
  for (const mode_t mask : {022u, 077u, 0u}) {
    umask(mask);
    script.Note("umask " + std::to_string(mask));
    DO(open("d/file", O_CREAT | O_WRONLY, 0666));
    DO(mkdir("d/folder", 0777));
    DO(mkdir("d/folder/folder", 0700));
    DO(mkfifo("d/fifo", 0640));
    DO(symlink("x", "d/symlink"));
    DO(open("d/private", O_CREAT | O_WRONLY, 0600));
    for (const char* name : {"d/file", "d/folder", "d/folder/folder", "d/fifo", "d/private"})
      ShowAcl(script, name);
    script.Show("d/symlink");
    script.As(kUser, kUser, [&] {
      DO(open("d/file", O_RDWR));
      DO(open("d/private", O_RDWR));
      DO(open("d/folder/new", O_CREAT | O_WRONLY, 0666));
      ShowAcl(script, "d/folder/new");
    });
    Must(system("rm -rf d/*"), "rm");
  }
  DO(removexattr("d", kDefault));
  umask(022);
  DO(open("d/plain", O_CREAT | O_WRONLY, 0666));
  ShowAcl(script, "d/plain");
}

void Owning(Script& script) {
  MakeFile("f", "", 0640);
  Must(chown("f", kOther, kShared), "chown");
  DO(Set("f", kAccess, UserMayRead()));
  DO(chown("f", kUser, static_cast<gid_t>(-1)));
  ShowAcl(script, "f");
  DO(link("f", "g"));
  DO(rename("f", "h"));
  ShowAcl(script, "h");
  script.As(kUser, kUser, [&] {
    DO(Set("h", kAccess, Acl({{kOwner, 7}, {kOwningGroup, 5}, {kRest, 5}})));
    ShowAcl(script, "h");
  });
}

// Who doesn't belong to the group of a file or folder takes its setgid bit away by setting an ACL.
void Setgid(Script& script) {
  MakeFile("f", "", 0755);
  MakeFolder("d");
  for (const char* name : {"f", "d"}) {
    for (const gid_t group : {gid_t{kOther}, gid_t{kShared}, gid_t{kUser}}) {
      Must(chown(name, kUser, group), "chown");
      Must(chmod(name, 02755), "chmod");
      script.As(kUser, kUser, [&] { DO(Set(name, kAccess, UserMayRead())); });
      ShowAcl(script, name);
      Must(chmod(name, 02755), "chmod");
      script.As(kUser, kUser, [&] { DO(removexattr(name, kAccess)); });
      ShowAcl(script, name);
    }
  }
}

}  // namespace

std::vector<Case> AclCases() {
  return {
      {"acl/access", Access}, {"acl/invalid", Invalid}, {"acl/defaults", Defaults},
      {"acl/owning", Owning}, {"acl/setgid", Setgid},
  };
}

}  // namespace hawser::test::posix
