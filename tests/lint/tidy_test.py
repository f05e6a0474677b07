#!/usr/bin/env python3
"""tests/lint/tidy, on small trees. usage: tidy_test.py CLANG_TIDY"""

import json
import pathlib
import sys
import unittest

from lint_case import LintCase

ROOT = pathlib.Path(__file__).resolve().parents[2]

COUNTER_H = """#pragma once
#include "common/base/mutex.h"

namespace hawser {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual int Next();

 private:
  Mutex mutex_;
  int last_ HAWSER_GUARDED_BY(mutex_) = 0;
};

}  // namespace hawser
"""

COUNTER_CC = """#include "relay/counter.h"

namespace hawser {
namespace {

int After(int number) { return number + 1; }

}  // namespace

int Counter::Next() {
  const MutexLock lock(mutex_);
  last_ = After(last_);
  return last_;
}

}  // namespace hawser
"""


def compiled(*sources):
    """A build folder that compiles `sources`."""
    commands = [{"directory": "..", "file": source, "command": "g++ -std=c++20"} for source in sources]
    return {"build/compile_commands.json": json.dumps(commands)}


class Tidy(LintCase):
    TREE = {
        ".clang-tidy": (ROOT / ".clang-tidy").read_text(encoding="utf-8"),
        "common/base/mutex.h": (ROOT / "common/base/mutex.h").read_text(encoding="utf-8"),
        "common/base/clock.h": (ROOT / "common/base/clock.h").read_text(encoding="utf-8"),
        "relay/counter.h": COUNTER_H,
        "relay/counter.cc": COUNTER_CC,
        "tests/relay/broken_test.cc": "this is not the product\n",
    } | compiled("relay/counter.cc")

    def finding_of(self, source, changes=()):
        """The one finding of a tree in which relay/counter.cc is `source`."""
        findings = self.findings({"relay/counter.cc": source} | dict(changes))
        found = [line for line in findings if "error:" in line]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_sound_tree_passes(self):
        self.assert_passes({})

    def test_member_that_is_read_without_its_mutex_is_found(self):
        locked = "  const MutexLock lock(mutex_);\n  last_ = After(last_);\n"
        found = self.finding_of(COUNTER_CC.replace(locked, "  After(0);\n"))
        self.assertIn("relay/counter.cc:12:10:", found)
        self.assertIn("requires holding mutex 'mutex_'", found)

    def test_override_that_does_not_say_so_is_found(self):
        derived = "\nclass Twice : public hawser::Counter {\n  int Next();\n};\n"
        found = self.finding_of(COUNTER_CC, {"relay/counter.h": COUNTER_H + derived})
        self.assertIn("relay/counter.h:19:7:", found)
        self.assertIn("modernize-use-override", found)

    def test_use_after_move_is_found(self):
        source = ("#include <string>\n#include <vector>\n\n#include \"relay/counter.h\"\n\n"
                  "void Add(std::string name, std::vector<std::string>& to) {\n"
                  "  to.push_back(std::move(name));\n  to.push_back(name);\n}\n")
        self.assertIn("bugprone-use-after-move", self.finding_of(source))

    def test_helper_that_stands_twice_in_a_folder_is_found(self):
        again = '#include "relay/counter.h"\n\nnamespace hawser {\nnamespace {\n\n' \
                "int After(int number) { return number + 2; }\n\n}  // namespace\n" \
                "int Two() { return After(0); }\n}  // namespace hawser\n"
        both = compiled("relay/counter.cc", "relay/two.cc")
        found = self.finding_of(COUNTER_CC, {"relay/two.cc": again} | both)
        self.assertIn("redefinition of 'After'", found)

    def test_source_that_no_target_is_built_from_is_found(self):
        self.assertEqual(self.findings({"relay/spare.cc": ""}),
                         ["relay/spare.cc:1: no target is built from it"])

    def test_clang_tidy_that_cannot_run_is_not_taken_for_a_pass(self):
        findings = self.findings({".clang-tidy": "Checks: [\n"})
        self.assertIn("clang-tidy ended with", findings[0])


if __name__ == "__main__":
    Tidy.COMMAND = ["tidy", sys.argv.pop(1), "ROOT/build"]
    unittest.main()
