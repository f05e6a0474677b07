"""A unittest case that runs a lint over a small tree of its own."""

import pathlib
import subprocess
import tempfile
import unittest


class LintCase(unittest.TestCase):
    COMMAND = []  # the lint, and its arguments before the root of the tree; ROOT in them stands for that root
    TREE = {}  # file name: text; nothing is wrong with it

    def lint(self, changes):
        """The lint's run over TREE, with some of its files changed or added."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (self.TREE | changes).items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            arguments = [argument.replace("ROOT", folder) for argument in self.COMMAND[1:]]
            command = [pathlib.Path(__file__).parent / self.COMMAND[0], *arguments, folder]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def findings(self, changes):
        run = self.lint(changes)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        return run.stdout.splitlines()

    def assert_passes(self, changes):
        run = self.lint(changes)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
