#include "volume/recovery/recoverable_store.h"

#include <optional>

#include "volume/store/redo.h"

namespace hawser {

namespace {

class RealStore : public RecoverableStore {
 public:
  explicit RealStore(Store& store) : store_(store) {}

  bool is_new() const override { return store_.is_new(); }
  Result<StoreMarks> Marks() const override { return store_.Marks(); }
  Status Apply(const Record& record, Bytes payload) override { return store_.Apply(record, payload); }

  Status ApplyAnyhow(const Record& record, Bytes payload) override {
    return RedoOne(store_, record, payload);
  }

  void Expect(const Record& record) override { redoing().Expect(record); }
  Status Redo(const Record& record, Bytes payload) override { return redoing().Apply(record, payload); }
  Status FinishRedo() override {
    HAWSER_TRY(redoing().Finish());
    redo_.reset();
    return {};
  }

 private:
  hawser::Redo& redoing() {
    if (!redo_) redo_.emplace(store_);
    return *redo_;
  }

  Store& store_;
  std::optional<hawser::Redo> redo_;
};

}  // namespace

std::unique_ptr<RecoverableStore> Recoverable(Store& store) { return std::make_unique<RealStore>(store); }

}  // namespace hawser
