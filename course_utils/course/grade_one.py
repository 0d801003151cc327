"""Run one student's notebook and judge its answers: `grade.py` starts this, one process each.

The job comes as JSON on standard input; what happened goes as JSON lines to the file that the job
names. Cells run in order in an IPython shell without a kernel; one that fails or takes too long is
noted, and the next one runs. They import a copy of the course. The checks are loaded anew from the
checkout afterwards, so that what a notebook did to them, in memory or in files, does not count. It
decides nothing about grades and reads no other notebook.
"""

import builtins
import importlib
import json
import math
import os
import signal
import sys


class OutOfTime(BaseException):
    """A cell or check took too long; no `Exception`, so that few `except` clauses hide it."""


class Alarm:
    """Raises `OutOfTime` in what computes for longer than so many seconds, where the system can.

    CPU time is counted, so that a busy machine stops nobody; what only waits, `grade.py` ends.
    """

    def __init__(self, seconds):
        self.seconds, self.there = seconds, hasattr(signal, "setitimer")
        if self.there:
            signal.signal(signal.SIGPROF, self.ring)

    def ring(self, *_):
        raise OutOfTime(f"stopped after {self.seconds:g} seconds of computing")

    def __enter__(self):
        if self.there:  # again each second, should the first be caught
            signal.setitimer(signal.ITIMER_PROF, self.seconds, 1)

    def __exit__(self, *_):
        if self.there:
            signal.setitimer(signal.ITIMER_PROF, 0)


class Events:
    """Writes what happened, a line each, at once."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115

    def send(self, **event):
        self.file.write(json.dumps(event) + "\n")


def short(error):
    """Return an exception in one line."""
    try:
        told = str(error)
    except Exception:  # an error of a student's own may fail at this, too
        told = ""
    text = " ".join(f"{type(error).__name__}: {told}".split()).rstrip(": ")
    return text if len(text) <= 200 else text[:199] + "…"


def run_cells(cells, alarm, events):
    """Run all cells; return the names that they leave."""
    import matplotlib.pyplot as plt
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.showtraceback = lambda *args, **kwargs: None
    shell.showsyntaxerror = lambda *args, **kwargs: None
    failed = []
    for index, source in enumerate(cells, start=1):
        events.send(at=f"in code cell {index} of {len(cells)}")
        try:
            with alarm:
                result = shell.run_cell(source)
            error = result.error_before_exec or result.error_in_exec  # such as a SyntaxError
        except BaseException as raised:  # `exit`, or the alarm between two lines of IPython's
            error = raised
        if error is not None and not isinstance(error, NotImplementedError):
            failed.append(f"code cell {index}: {short(error)}")
        plt.close("all")
    if failed:
        more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
        events.send(remark="; ".join(failed[:3]) + more)
    return shell.user_ns


def library_state():
    """Return what of the libraries the checks rely on, to be put back after a notebook's cells."""
    import numpy
    import torch

    modules = (builtins, importlib, math, json, numpy, torch)
    modules += (torch.nn, torch.nn.functional, torch.optim)
    return [(module, dict(vars(module))) for module in modules]


def put_back(state):
    """Undo what a notebook changed in the libraries; return the names.

    What a library put into another itself, as torch does when parts of it are first used, stays.
    """
    changed, own = [], {module.__name__.split(".")[0] for module, _ in state}
    for module, names in state:
        now = vars(module)
        for name, value in names.items():
            new = now.get(name)
            home = (getattr(new, "__module__", None) or "").split(".")[0]
            if new is not value and home not in own and not name.startswith("_"):
                setattr(module, name, value)
                changed.append(f"{module.__name__}.{name}")
    return changed


def fresh_checks():
    """Return the course's checks, loaded anew."""
    for name in [name for name in sys.modules if name.split(".")[0] == "course_utils"]:
        del sys.modules[name]
    return importlib.import_module("course_utils.checks")


def judge(checks, names, alarm, events, expressions, state):
    """Judge each answer and send a verdict; one that changes the libraries meanwhile is wrong."""
    for exercise, expression in expressions.items():
        events.send(at=f"in the check of {exercise}")
        found = checks.find_exercise(exercise)
        try:
            with alarm:
                answer = eval(expression, names)
                right, line = checks.judge(found, answer)
        except BaseException as error:  # the name is missing, or time was up
            right, line = False, f"✗ {exercise} {found.title}: {short(error)}"
        if changed := put_back(state):
            told = f"it changes {', '.join(changed[:5])} while it is checked"
            right, line = False, f"✗ {exercise} {found.title}: {told}"
        events.send(exercise=exercise, title=found.title, right=int(right), verdict=line)


def main():
    job = json.load(sys.stdin)
    path, finders, state = [job["root"], *sys.path], list(sys.meta_path), library_state()
    sys.path.insert(0, job["course"])
    alarm, events = Alarm(job["cell_seconds"]), Events(job["events"])
    names = run_cells(job["cells"], alarm, events)
    sys.path[:], sys.meta_path[:] = path, finders
    if changed := put_back(state):
        events.send(remark=f"it had changed {', '.join(changed[:5])}, which was put back")
    judge(fresh_checks(), names, alarm, events, job["checks"], state)
    events.send(at="at its end")
    os._exit(0)  # waits for no thread that a notebook left behind


if __name__ == "__main__":
    main()
