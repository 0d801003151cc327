"""Start a Python program that looks through its own memory less often.

    python brisk.py program.py ARGUMENTS
    python brisk.py -m module ARGUMENTS

PyTorch's import makes hundreds of thousands of objects that live to the program's end. Python's
garbage collector looks through them again and again while they are made, and once more before it
ends: a sixth of the time of a program that computes little. Here it looks more rarely, and at the
end not at all. What a program computes stays the same. So start `torchrun` and its workers, and
so begin processes and kernels in which the course's commands or tests execute notebooks (`begin`,
`KERNEL`); a student's own do not. It imports nothing of the course.
"""

import atexit
import gc
import os
import runpy
import sys

OBJECTS = 10_000  # made anew before Python looks for those that are out of reach; its own: 700
KERNEL = [
    '--IPKernelApp.exec_lines=__import__("course_utils.course.brisk", fromlist=["begin"]).begin()'
]


def begin():
    """Set this process's collector, and leave to the system what it would free at the end."""
    gc.set_threshold(OBJECTS, 10, 10)
    atexit.register(gc.freeze)


def main():
    """Run the program or module that the command names as if it had been started itself."""
    begin()
    is_module = sys.argv[1] == "-m"
    sys.argv = sys.argv[2 if is_module else 1 :]
    if not sys.flags.safe_path:  # else this file's folder is not on the path either
        sys.path[0] = "" if is_module else os.path.dirname(os.path.abspath(sys.argv[0]))
    if is_module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
