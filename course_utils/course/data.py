"""`python -m course_utils data`: which image sets are here, verified how; `data fetch` gets one."""

import argparse
import os
import sys

from course_utils.course import sources

SAMPLES = {"mnist": "6,000 digits", "cifar10": "1,200 drawn pictures a class"}


def main(argv=None):
    """Run the command and return its exit code: 1 if a set is damaged or could not be fetched.

    Args:
        argv: list of arguments, [] for the table, or ["fetch", name].
    """
    parser = argparse.ArgumentParser(
        prog="python -m course_utils data",
        description="Show which image sets are here, or fetch one into the data folder.",
    )
    commands = parser.add_subparsers(dest="command")
    fetching = commands.add_parser("fetch", help="download an image set and verify it")
    fetching.add_argument("name", choices=sources.NAMES)
    arguments = parser.parse_args(argv)
    try:
        return _fetch(arguments.name) if arguments.command else _show()
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _fetch(name):
    from course_utils.course import fetch

    folder = fetch.fetch(name)
    print(f"{name} is in {folder}: {sources.verify(name)}.")
    return 0


def _show():
    folder = sources.data_folder()
    print(f"data folder: {folder}{'' if folder.is_dir() else ' (not there yet)'}\n")
    rows, problems = [("name", "source", "folder", "verified", "size")], []
    for name in sources.NAMES:
        kind = sources.layout(name, folder)
        if kind is None:
            rows.append((name, "sample", "-", SAMPLES[name], "-"))
            continue
        place = {"raw": "MNIST/raw", "batches": "cifar-10-batches-py", "images": "cifar10"}[kind]
        try:
            verified = sources.verify(name)
        except (OSError, ValueError) as error:
            verified = "NO"
            problems.append(str(error))
        rows.append((name, "real", place, verified, f"{_size(folder / place) / 1e6:.1f} MB"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    for name, source, *_ in rows[1:]:
        if source == "sample":
            print(f"\nTo get the real {name}: python -m course_utils data fetch {name}")
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if problems else 0


def _size(folder):
    """Bytes of all files below a folder."""
    with os.scandir(folder) as entries:
        return sum(_size(e.path) if e.is_dir() else e.stat().st_size for e in entries)
