#!/usr/bin/env python3
"""tests/lint/locks, on small trees."""

import unittest

from lint_case import LintCase

QUEUE_H = """
template <class Item>
class Queue {
 public:
  struct Options {
    int capacity = 1;
  };
  bool Push(Item item) { const MutexLock lock(mutex_); return true; }

 private:
  mutable Mutex mutex_;
};

struct HAWSER_THREAD_ATTRIBUTE(x) Listing {
  Mutex mutex;  // of one folder
};
"""
LOCKS = """
| Lock | Where |
|---|---|
| queue | `Queue::mutex_` |
| listing | `Listing::mutex` |
"""


class Locks(LintCase):
    COMMAND = ["locks"]
    TREE = {
        "docs/LOCKS.md": LOCKS,
        "relay/queue.h": QUEUE_H,
        "common/base/mutex.h": "class Mutex {\n  std::mutex mutex_;\n};\n",
        "tests/relay/fixture.h": "class Fixture {\n  std::mutex mutex_;\n};\n",
    }

    def test_sound_tree_passes(self):
        self.assert_passes({})

    def test_mutex_that_the_document_does_not_name_is_found(self):
        self.assertEqual(self.findings({"node/board.cc": "class Board {\n  Mutex mutex_;\n};\n"}),
                         ["node/board.cc:2: docs/LOCKS.md doesn't name Board::mutex_"])

    def test_mutex_of_a_nested_class_has_that_class_name(self):
        nested = "class Board {\n  struct Part {\n    Mutex mutex_;\n  };\n};\n"
        self.assertEqual(self.findings({"node/board.h": nested}),
                         ["node/board.h:3: docs/LOCKS.md doesn't name Part::mutex_"])

    def test_mutex_that_is_gone_and_still_named_is_found(self):
        self.assertEqual(self.findings({"docs/LOCKS.md": LOCKS + "| lanes | `Lanes::mutex_` |\n"}),
                         ["docs/LOCKS.md:6: there is no Lanes::mutex_"])

    def test_mutex_that_clang_cannot_check_is_found(self):
        findings = self.findings({"node/board.h": "class Board {\n  std::shared_mutex mutex_;\n};\n"})
        self.assertIn("node/board.h:2: use Mutex", findings[0])


if __name__ == "__main__":
    unittest.main()
