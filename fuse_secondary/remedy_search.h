// Looks ahead in the own journal for remedies: whether the primary's store has refused, too, what this one
// refuses (common/record/record.h). One thread.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "common/journal/reader.h"
#include "fuse_secondary/own_journal.h"

namespace hawser {

class RemedySearch {
 public:
  // Both outlive it. Remedies of these volumes.
  RemedySearch(OwnJournal& journal, const std::vector<VolumeName>& volumes)
      : journal_(journal), volumes_(volumes) {}

  // Whether the last record of a remedy for the one at `refused` stands between `at`, where replay is, and
  // the group `last`. Goes on from where the search before ended, and not too far: a remedy follows soon.
  bool Find(Sequence refused, const Progress& at, Group last);

 private:
  void Look(const Progress& at, Group last);

  OwnJournal& journal_;
  const std::vector<VolumeName>& volumes_;
  std::unique_ptr<JournalReader> reader_;
  std::set<Sequence> remedied_;
};

}  // namespace hawser
