#!/usr/bin/env python3
"""tests/lint/integration_table, on small trees."""

import unittest

from lint_case import LintCase

TESTING = """
The files of `tests/integration`, one theme each:

| File | The question |
|---|---|
| `order_test` | in order? |

Then `tests/cli`:

| `other_test` | of another folder |
"""


class IntegrationTable(LintCase):
    COMMAND = ["integration_table"]
    TREE = {
        "docs/TESTING.md": TESTING,
        "tests/integration/order_test.cc": "",
        "tests/integration/files.h": "",
    }

    def test_sound_tree_passes(self):
        self.assert_passes({})

    def test_test_that_is_not_listed_is_found(self):
        self.assertEqual(self.findings({"tests/integration/new_test.cc": ""}),
                         ["tests/integration/new_test.cc:1: the table in docs/TESTING.md doesn't list it"])

    def test_row_without_a_test_is_found(self):
        row = "| `order_test` | in order? |\n"
        table = TESTING.replace(row, row + "| `gone_test` | ? |\n")
        self.assertEqual(self.findings({"docs/TESTING.md": table}),
                         ["docs/TESTING.md:7: there is no tests/integration/gone_test.cc"])

    def test_row_that_stands_twice_is_found(self):
        row = "| `order_test` | in order? |\n"
        self.assertEqual(self.findings({"docs/TESTING.md": TESTING.replace(row, row + row)}),
                         ["docs/TESTING.md:7: order_test is listed twice"])


if __name__ == "__main__":
    unittest.main()
