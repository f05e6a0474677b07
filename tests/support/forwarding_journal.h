// A journal that passes everything on to another one: the base of journals that watch, delay or refuse.
#pragma once

#include <memory>
#include <span>

#include "common/journal/journal.h"

namespace hawser::test {

class ForwardingJournal : public Journal {
 public:
  explicit ForwardingJournal(std::unique_ptr<Journal> journal) : journal_(std::move(journal)) {}

  JournalStatus Append(std::span<const Frame* const> frames) override { return journal_->Append(frames); }
  JournalStatus Flush() override { return journal_->Flush(); }
  Status CutAfter(const Position& position) override { return journal_->CutAfter(position); }
  Result<std::unique_ptr<JournalReader>> OpenReader(const Position& after) const override {
    return journal_->OpenReader(after);
  }
  Progress appended() const override { return journal_->appended(); }
  Progress durable() const override { return journal_->durable(); }
  Progress oldest() const override { return journal_->oldest(); }
  std::uint64_t bytes() const override { return journal_->bytes(); }
  Status DropThrough(Group group) override { return journal_->DropThrough(group); }
  Progress EndAtOrBefore(Group group) const override { return journal_->EndAtOrBefore(group); }

 private:
  std::unique_ptr<Journal> journal_;
};

}  // namespace hawser::test
