"""The course's own commands: `python -m course_utils run`, `doctor`, `data`, `grade`.

This file only finds the command; what each does is in `course_utils/course/`. The helpers that
lessons teach with are not commands: they are imported.
"""

import importlib
import sys

COMMANDS = {
    "run": "run lessons and show what each measured",
    "doctor": "look at this machine and say what is missing",
    "data": "fetch, check and locate the image sets",
    "grade": "grade students' exercise notebooks",
}


def main(argv=None):
    """Run one command with its arguments and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        print("usage: python -m course_utils COMMAND [options]; COMMAND --help tells the options\n")
        for command, does in COMMANDS.items():
            print(f"  {command:8} {does}")
        return 0
    if name not in COMMANDS:
        print(f"There is no command {name!r}; there are {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        return importlib.import_module(f"course_utils.course.{name}").main(argv[1:])
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console without ✓ shows ? instead of stopping
    sys.exit(main())
