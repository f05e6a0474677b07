#!/usr/bin/env python3
"""tests/lint/includes, on small trees: each kind of wrong include is found, named, and nothing else."""

import unittest

from lint_case import LintCase

TABLE = """
# Architecture

| Folder | What it is | May include | Libraries |
|---|---|---|---|
| every folder | | | `fmt` |
| `common/base` | results | | `spdlog` |
| `common/net` | sockets | `common/base` | `zmq` |
| `volume/mount` | calls | `common/base` | `fuse3` |
| `relay` | the order | `common` | |
| `tests` | tests | everything above | `gtest` |

Some text, and a table that says something else.

| Folder | What |
|---|---|
| `relay` | no |
"""

TREE = {
    "docs/ARCHITECTURE.md": TABLE,
    "common/base/result.h": "#include <optional>\n#include <sys/stat.h>\n",
    "common/base/CMakeLists.txt": "hawser_library(hawser_base SOURCES log.cc LINK fmt::fmt)\n",
    "common/net/router.h": '#include "common/base/result.h"\n',
    "common/net/router.cc": '#include <zmq.hpp>\n#include <fmt/format.h>\n#include "common/net/router.h"\n',
    "common/net/CMakeLists.txt": "hawser_library(hawser_net SOURCES router.cc LINK hawser_base)\n",
    "volume/mount/volume.h": '#include "common/base/result.h"\n#include <fuse3/fuse.h>\n',
    "volume/mount/CMakeLists.txt": "hawser_library(hawser_mount SOURCES volume.cc LINK hawser_base)\n",
    "relay/writer.cc": '#include "common/net/router.h"\n#include <vector>\n',
    "relay/CMakeLists.txt": "hawser_library(hawser_relay LINK hawser_net)  # not hawser_mount\n",
    "tests/relay/writer_test.cc": '#include <gtest/gtest.h>\n#include "common/net/router.h"\n',
    "build/release/made.cc": '#include "nobody/looks.h"\n',
}


class Includes(LintCase):
    COMMAND = ["includes"]
    TREE = TREE

    def test_sound_tree_passes(self):
        self.assert_passes({})

    def test_include_upwards_is_named_with_file_line_and_what_is_allowed(self):
        source = '#include <vector>\n\n#include "relay/writer.h"\n'
        findings = self.findings({"common/net/router.h": source, "relay/writer.h": ""})
        self.assertEqual(findings, ['common/net/router.h:3: common/net may not include "relay/writer.h"; '
                                    "it may include common/base"])

    def test_include_of_a_folder_beside_it_is_found(self):
        findings = self.findings({"relay/writer.cc": '#include "volume/mount/volume.h"\n'})
        self.assertEqual(findings, ['relay/writer.cc:1: relay may not include "volume/mount/volume.h"; '
                                    "it may include common/base, common/net"])

    def test_product_may_not_include_tests(self):
        source = '#include "tests/relay/fixture.h"\n'
        findings = self.findings({"relay/writer.cc": source, "tests/relay/fixture.h": ""})
        self.assertIn('relay may not include "tests/relay/fixture.h"', findings[0])

    def test_library_outside_its_place_is_found(self):
        self.assertEqual(self.findings({"relay/writer.cc": "#include <zmq.h>\n"}),
                         ["relay/writer.cc:1: relay may not include <zmq.h>; zmq is for common/net alone"])

    def test_library_that_the_table_does_not_know_is_found(self):
        findings = self.findings({"relay/writer.cc": "#include <rados/librados.hpp>\n"})
        self.assertEqual(len(findings), 1)
        self.assertIn("relay/writer.cc:1: <rados/librados.hpp>", findings[0])

    def test_folder_that_is_not_in_the_table_is_found(self):
        findings = self.findings({"common/extra/a.h": ""})
        self.assertEqual(findings, ["common/extra/a.h:1: the folder common/extra isn't in the table of "
                                    "docs/ARCHITECTURE.md"])

    def test_folder_below_one_of_the_table_is_under_its_row(self):
        findings = self.findings({"relay/plans/plan.cc": '#include "volume/mount/volume.h"\n'})
        self.assertIn("relay may not include", findings[0])

    def test_header_that_is_not_named_from_the_root_is_found(self):
        findings = self.findings({"common/net/router.cc": '#include "router.h"\n'})
        self.assertIn('there is no "router.h"', findings[0])

    def test_link_upwards_is_found(self):
        lists = "hawser_library(hawser_relay SOURCES writer.cc\n  LINK hawser_net hawser_mount)\n"
        self.assertEqual(self.findings({"relay/CMakeLists.txt": lists}),
                         ["relay/CMakeLists.txt:2: relay may not link hawser_mount of volume/mount; "
                          "it may include common/base, common/net"])

    def test_row_that_allows_a_folder_above_itself_is_found(self):
        table = TABLE.replace("sockets | `common/base`", "sockets | `relay`")
        findings = self.findings({"docs/ARCHITECTURE.md": table})
        self.assertIn("common/net may include relay, which doesn't stand above it", findings[0])

    def test_row_of_a_folder_that_is_gone_is_found(self):
        table = TABLE.replace("| `relay` | the order", "| `gone` | nothing | | |\n| `relay` | the order")
        self.assertIn("there is no folder gone", self.findings({"docs/ARCHITECTURE.md": table})[0])

    def test_tree_without_the_table_is_an_error(self):
        self.assertEqual(self.lint({"docs/ARCHITECTURE.md": "# Nothing here\n"}).returncode, 2)


if __name__ == "__main__":
    unittest.main()
