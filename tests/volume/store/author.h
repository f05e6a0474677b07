// Writes a volume as a primary would: decides records, applies them to a store of its own, and hands them out
// to be put into write groups. Its store is what every replica has to come to.
#pragma once

#include <map>
#include <string>

#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser::test {

struct Written {
  Record record;
  std::string payload;
  // The directories that the record's paths lie in.
  FileId parent;
  FileId new_parent;
};

class Author {
 public:
  // Aborts the process if something can't be done: in tests that is a mistake of the test.
  Author(const std::string& store_folder, const std::string& volume, bool value_ids = true);

  Written Create(const std::string& path, NodeKind kind = NodeKind::kRegular);
  Written Symlink(const std::string& path, const std::string& target);
  Written Write(const std::string& path, std::uint64_t offset, const std::string& data);
  Written Truncate(const std::string& path, std::uint64_t size);
  Written Allocate(const std::string& path, int flags, std::uint64_t offset, std::uint64_t length);
  Written Rename(const std::string& path, const std::string& new_path,
                 RenameMode mode = RenameMode::kReplace);
  Written Link(const std::string& path, const std::string& new_path);
  Written Unlink(const std::string& path);
  Written Rmdir(const std::string& path);
  Written Chmod(const std::string& path, std::uint32_t mode);
  Written Touch(const std::string& path);
  Written SetXattr(const std::string& path, const std::string& name, const std::string& value);
  // A default ACL of a directory that names one more user, with these permissions.
  Written SetDefaultAcl(const std::string& path, unsigned permissions);
  Written RemoveXattr(const std::string& path, const std::string& name);

  bool HasXattr(const std::string& path, const std::string& name) const;
  bool IsSameFile(const std::string& path, const std::string& other) const;
  Store& store() { return *store_; }

 private:
  Written Do(Body body, std::string payload = {});
  FileId NextId(NodeKind kind);
  FileId ParentId(const StorePath& path) const;
  FileId IdOf(const std::string& path) const;
  FileState StateAt(const std::string& path) const;
  std::optional<Timestamp> TimeOfDirectory(const std::string& path) const;

  std::unique_ptr<Store> store_;
  std::uint64_t next_id_ = (1ULL << 48) + 1;
  std::uint64_t number_ = 0;
  std::int64_t time_ = 1'700'000'000'000'000'000;
};

StorePath PathOf(const std::string& text);

}  // namespace hawser::test
