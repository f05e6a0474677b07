"""What the lints have in common: the tree's files, and how findings are told."""

import os
import pathlib
import sys

NOT_THE_PRODUCT = {"tests", "bench"}  # what is built of all else is shipped


def root_of(arguments):
    """The tree to look at: the one that is named, or the one that the lints stand in."""
    return pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]


def files_below(root, *suffixes):
    """All files, or those with one of `suffixes`, relative to `root`; not what is built or hidden."""
    for folder, names, files in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        names[:] = sorted(n for n in names if not n.startswith(".") and (here / n).as_posix() != "build")
        yield from (here / file for file in sorted(files) if not suffixes or file.endswith(suffixes))


def read(root, path):
    return (root / path).read_text(encoding="utf-8")


def tell(lint, findings, nothing_wrong):
    """Prints what was found; gives the exit code: 0 for nothing, 1 for something."""
    print("\n".join(findings) if findings else f"{lint}: {nothing_wrong}")
    sys.stdout.flush()
    return 1 if findings else 0
