#include "common/store/redo.h"

#include <linux/falloc.h>

namespace hawser {

struct Redo::State {
  Store& store;
};

Redo::Redo(Store& store) : state_(std::make_unique<State>(State{store})) {}
Redo::~Redo() = default;
Redo::Redo(Redo&&) noexcept = default;
Redo& Redo::operator=(Redo&&) noexcept = default;

void Redo::Expect(const Record&) {}
Status Redo::Apply(const Record& record, Bytes payload) { return state_->store.Apply(record, payload); }
Status Redo::Finish() { return {}; }

Status RedoOne(Store& store, const Record& record, Bytes payload) {
  Redo redo(store);
  redo.Expect(record);
  HAWSER_TRY(redo.Apply(record, payload));
  return redo.Finish();
}

bool NeedsCheckpoint(const Body& body) {
  const auto* allocate = std::get_if<Allocate>(&body);
  return allocate != nullptr && (allocate->flags & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) != 0;
}

}  // namespace hawser
