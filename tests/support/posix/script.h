// A case of the conformance program makes system calls and writes down, a line a step, what came of them. Run
// on a plain directory and on a mount, the two transcripts must be equal; nothing here says what is right.
//
// A case runs in a process of its own, in an empty folder that is its working directory, umask 022, as root.
// Lines must not depend on anything but the filesystem's rules: no inode numbers, no absolute times, no names
// of the host.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/base/unique_fd.h"

namespace hawser::test::posix {

// Two ordinary users and a group that the first is in, too.
inline constexpr uid_t kUser = 65533;
inline constexpr uid_t kOther = 65532;
inline constexpr gid_t kShared = 60001;

class Script {
 public:
  explicit Script(int out) : out_(out) {}

  // The step `what` has just returned `result`: "what -> ok", or the errno's name if it is negative. Returns
  // result.
  long Step(const std::string& what, long result);
  // As Step, with the number instead of "ok".
  long Value(const std::string& what, long result);
  void Note(const std::string& text);

  // Type, mode, owner, link count, size, target; not following symlinks. "ENOENT" if there is none.
  void Show(const std::string& path);
  void ShowOpen(const std::string& what, int fd);
  // The bytes if they are few, else their number and a checksum.
  void ShowContent(const std::string& path);
  void ShowBytes(const std::string& what, const std::string& bytes);
  // The sorted names in a folder.
  void ShowNames(const std::string& folder);

  // Makes the call when the clock has moved on, and says which of mtime and ctime of the paths it changed.
  void Times(std::initializer_list<std::string> paths, const std::string& what,
             const std::function<long()>& call);

  // Runs `steps` in a child process with these ids (and kShared besides if uid is kUser).
  void As(uid_t uid, gid_t gid, const std::function<void()>& steps);
  // Runs `steps` in a child process; its lines come before those that follow here.
  void InChild(const std::function<void()>& steps);

 private:
  void Line(const std::string& text);

  int out_;
};

// For code in a case; `script` is its parameter.
#define DO(expression) script.Step(#expression, (expression))
#define VALUE(expression) script.Value(#expression, (expression))
#define CALL(expression) #expression, [&]() -> long { return (expression); }

struct Case {
  std::string name;  // "family/case"
  std::function<void(Script&)> run;
};

// Helpers that make things and are no steps: they end the case loudly if they fail.
void MakeFile(const std::string& path, const std::string& content = "", mode_t mode = 0644);
void MakeFolder(const std::string& path, mode_t mode = 0755);
UniqueFd Open(const std::string& path, int flags, mode_t mode = 0644);
void Must(long result, const std::string& what);
std::string ReadAll(int fd);
std::string ErrnoName(int code);
// "file 0644 0:0 nlink 1 size 5"; "ENOENT".
std::string Describe(const std::string& path);
// Removes everything in the working directory.
void Clear();
// Sleeps until file times of a later call differ from those of an earlier one.
void Tick();

// Cases by family, one file each.
std::vector<Case> OpenCases();
std::vector<Case> CreateCases();
std::vector<Case> RemoveCases();
std::vector<Case> RenameCases();
std::vector<Case> LinkCases();
std::vector<Case> PathCases();
std::vector<Case> DataCases();
std::vector<Case> SpaceCases();
std::vector<Case> MappingCases();
std::vector<Case> AttributeCases();
std::vector<Case> PrivilegeCases();
std::vector<Case> XattrCases();
std::vector<Case> AclCases();
std::vector<Case> LockCases();
std::vector<Case> FolderCases();
std::vector<Case> TimeCases();

std::vector<Case> AllCases();

}  // namespace hawser::test::posix
