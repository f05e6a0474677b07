#include "volume/recovery/recoverable_store.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/record/kinds.h"
#include "volume/store/redo.h"

namespace hawser {

namespace {

class RealStore : public RecoverableStore {
 public:
  explicit RealStore(Store& store) : store_(store) {}

  bool is_new() const override { return store_.is_new(); }
  Result<StoreMarks> Marks() const override { return store_.Marks(); }
  Status Apply(const Record& record, Bytes payload) override { return store_.Apply(record, payload); }

  Status ApplyAnyhow(const Record& record, Bytes payload, bool differs) override {
    return RedoOne(store_, record, payload, differs);
  }

  Status ApplyDiffering(const Record& record, Bytes payload) override {
    return store_.Apply(record, payload, {.differs = true});
  }
  void ApplyFolderTimes(const Record& record) override;
  bool HasRoom(std::uint64_t bytes) const override { return store_.HasRoom(bytes); }
  bool HasOtherNames(const StorePath& path) const override { return store_.HasOtherNames(path); }
  Result<std::set<FileId>> Present(const std::set<FileId>& files) const override {
    return store_.Present(files);
  }
  Status Repeat(const Record& record, Bytes payload) override;

  void Expect(const Record& record) override { redoing().Expect(record); }
  Status Redo(const Record& record, Bytes payload, bool differs) override {
    return redoing().Apply(record, payload, differs);
  }
  Status RedoAgain(const Record& record, Bytes payload, bool differs) override {
    return redoing().ApplyAgain(record, payload, differs);
  }
  Status FinishRedo(bool differs) override {
    HAWSER_TRY(redoing().Finish(differs));
    redo_.reset();
    return {};
  }
  Status RemoveLeft() override { return hawser::Redo(store_).RemoveLeft(); }

 private:
  hawser::Redo& redoing() {
    if (!redo_) redo_.emplace(store_);
    return *redo_;
  }

  Status TryAgain(Record record, Bytes payload);

  Store& store_;
  std::optional<hawser::Redo> redo_;
};

// The time that a record gives the folders of the names that it changes.
std::optional<Timestamp> FolderTimeOf(const Body& body) {
  using Time = std::optional<Timestamp>;
  return std::visit(Overloaded{
                        [](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto& r) { return Time(r.time); },
                        [](const OneOf<Write, Truncate, Allocate> auto&) { return Time(); },
                        [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) { return Time(); },
                        [](const ControlKind auto&) { return Time(); },
                    },
                    body);
}

void RealStore::ApplyFolderTimes(const Record& record) {
  if (redo_) return redo_->ApplyFolderTimes(record);
  const auto time = FolderTimeOf(record.body);
  for (const StorePath& entry : EntriesOf(record.body))
    static_cast<void>(store_.SetFolderTime(entry.Parent(), *time));
}

Status RealStore::Repeat(const Record& record, Bytes payload) {
  std::vector<std::pair<StorePath, Timestamp>> times;
  for (const StorePath& entry : EntriesOf(record.body)) {
    StorePath folder = entry.Parent();
    HAWSER_ASSIGN(const struct stat info, store_.Stat(folder));
    times.emplace_back(std::move(folder), Timestamp::From(info.st_mtim));
  }
  Status applied = TryAgain(record, payload);
  for (const auto& [folder, time] : times) {
    Status set = store_.SetFolderTime(folder, time);
    if (applied) applied = std::move(set);
  }
  return applied;
}

// As it would be by now: folders that are renamed keep their times, and a new node doesn't get ACLs that its
// folder didn't have then.
Status RealStore::TryAgain(Record record, Bytes payload) {
  const auto keep = [this](std::optional<Timestamp>& time, const StorePath& path) {
    const auto info = store_.Stat(path);
    if (time && info) time = Timestamp::From(info->st_mtim);
  };
  if (auto* rename = std::get_if<Rename>(&record.body)) {
    keep(rename->mtime, rename->path);
    keep(rename->replaced_mtime, rename->new_path);
  }
  const auto* create = std::get_if<Create>(&record.body);
  if (create == nullptr) return store_.Apply(record, payload, {.differs = true});
  if (store_.Pin(create->path)) return Error{EEXIST, "'" + create->path.Printable() + "' is there"};
  return RedoOne(store_, record, payload, true);
}

}  // namespace

std::unique_ptr<RecoverableStore> Recoverable(Store& store) { return std::make_unique<RealStore>(store); }

}  // namespace hawser
