#!/usr/bin/env python3
"""tests/lint/format, on small trees. usage: format_test.py CLANG_FORMAT"""

import sys
import unittest

from lint_case import LintCase

LONG = "x" * 105
SOUND = f"""// A value.
int Value() {{ return 1; }}
const char* kRaw = R"(
    raw {LONG} {LONG}
)";
// clang-format off
int table   = 1;  // {LONG}
// clang-format on
"""


class Format(LintCase):
    TREE = {
        ".clang-format": "BasedOnStyle: Google\nColumnLimit: 110\nReflowComments: false\n",
        "relay/value.cc": SOUND,
        "build/made.cc": f"int   made;  // {LONG}",
    }

    def test_sound_tree_passes(self):
        self.assert_passes({})

    def test_code_that_clang_format_would_change_is_found(self):
        findings = self.findings({"relay/other.cc": "// One.\nint  one=1;\n"})
        self.assertIn("relay/other.cc:2:4:", findings[0])

    def test_comment_over_110_columns_is_found(self):
        self.assertEqual(self.findings({"relay/other.h": f"// {LONG}xx\n// {LONG} xxx\n"}),
                         ["relay/other.h:2: 112 columns; at most 110"])

    def test_line_after_a_raw_string_is_looked_at_again(self):
        self.assertEqual(self.findings({"relay/value.cc": SOUND + f"// {LONG} xxx\n"}),
                         ["relay/value.cc:9: 112 columns; at most 110"])

    def test_clang_format_that_cannot_run_is_not_taken_for_a_pass(self):
        self.assertNotEqual(self.lint({".clang-format": "BasedOnStyle: [\n"}).returncode, 0)


if __name__ == "__main__":
    Format.COMMAND = ["format", sys.argv.pop(1)]
    unittest.main()
