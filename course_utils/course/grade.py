"""Grade students' exercise notebooks: `python -m course_utils grade FOLDER`.

Each notebook runs in a process and a temporary copy of its own (`grade_one.py`), two at a time,
with limits on time and memory, and its answers are judged by this checkout's own checks. This file
finds the notebooks, watches over the processes and writes `grades.csv` and a page to read.

Limits are no sandbox: a notebook runs with the rights of whoever grades it.
"""

import argparse
import ast
import contextlib
import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course_utils.course.lessons import BUILD, ROOT, CourseError, find_solutions, read_notebook

ONE = Path(__file__).with_name("grade_one.py")
COLUMNS = ("student", "lesson", "exercise", "title", "right", "verdict", "notebook", "remarks")
NAME = r"(\d\d)_(exercises|sweeps)"
WARNING = (
    "Notebooks run with your rights: the limits stop accidents, they are no sandbox against malice."
    " TEACHING.md says how to grade in a container."
)


def find_notebooks(folder):
    """Return [(student, path)] of the notebooks below a folder, in order.

    A student is the first folder below it or, for a notebook that lies there itself, the part of
    its name before `_NN_exercises` or `_NN_sweeps`.
    """
    found = []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            continue  # such as .ipynb_checkpoints
        own = re.sub(rf"[_\W]*{NAME}.*$", "", path.stem) or path.stem
        found.append((inside.parts[0] if len(inside.parts) > 1 else own, path))
    return found


def find_masters():
    """Return {"02": path of 02_solutions, "06s": path of 06_sweeps, …}."""
    paths = find_solutions().items()
    return {stem.replace("_solutions", "").replace("_sweeps", "s"): path for stem, path in paths}


def master_checks(lesson):
    """Return {exercise: the answer's expression} of a lesson's master, such as {"02.1": "f"}."""
    found = {}
    for cell in read_notebook(find_masters()[lesson]).cells:
        if cell.cell_type != "code" or "check(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            match node:
                case ast.Call(ast.Name("check"), [ast.Constant(str(exercise)), answer]):
                    found[exercise] = ast.unparse(answer)
    return found


def lesson_of(path, notebook):
    """Return the lesson that a notebook's exercises belong to, by its name, else by its text.

    The sweeps of lesson 06 are "06s".
    """
    known = find_masters()
    text = "\n".join(str(cell.get("source", "")) for cell in notebook.cells)
    found = re.findall(NAME, path.stem) + re.findall(NAME, text)
    named = [number + "s" * (kind == "sweeps") for number, kind in found]
    named += re.findall(r"""check\(["'](\d\ds?)\.""", text) + re.findall(r"# (\d\d) ·", text)
    lesson = next((name for name in named if name in known), None)
    if lesson is None:
        raise CourseError(
            "it cannot be told which lesson it belongs to: name it NN_exercises.ipynb, with NN"
            f" one of {', '.join(sorted(name for name in known if name.isdigit()))}"
        )
    return lesson


def grade(student, path, limits):
    """Return a notebook's rows for the table, one an exercise; never raises for what is in it."""
    row = dict.fromkeys(COLUMNS, "") | {"student": student, "notebook": path.name, "right": 0}
    try:
        notebook = read_notebook(path)
        lesson = lesson_of(path, notebook)
    except (CourseError, OSError) as error:
        return [row | {"verdict": f"not graded: {error}"}]
    checks = master_checks(lesson)
    cells = [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    verdicts, remarks, ended = run_one(cells, checks, limits, tables(path))
    return [
        row
        | {"lesson": lesson, "exercise": name, "remarks": "; ".join(remarks)}
        | verdicts.get(name, {"verdict": f"not graded: {ended}"})
        for name in checks
    ]


def tables(path):
    """Return {name: path} of the sweeps' tables that were handed in with a notebook.

    They lie beside it as `sweep_NN_topic.csv`; what comes before NN_sweeps in the notebook's name,
    such as "ada_", comes before theirs too.
    """
    prefix = re.sub(f"{NAME}.*", "", path.name)
    found = {file.name.removeprefix(prefix): file for file in path.parent.glob("*.csv")}
    return {
        name: file
        for name, file in found.items()
        if re.fullmatch(r"sweep_\w+\.csv", name) and file.is_file() and file.stat().st_size < 1e6
    }


def run_one(cells, checks, limits, files=None):
    """Run one notebook's cells in a process of its own, beside copies of the files (name: path).

    Returns:
        {exercise: {title, right, verdict}}, a list of remarks, and why exercises may be missing.
    """
    with tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as folder:
        events = Path(folder, "events")
        work = Path(folder, "work")
        work.mkdir()
        for name, file in (files or {}).items():
            shutil.copyfile(file, work / name)
        job = {"cells": cells, "checks": checks, "events": str(events), "root": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-P", str(ONE)],
            cwd=work,
            env=os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "COURSE_OFFLINE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        printed = Drain(process.stdout)
        try:
            process.stdin.write(json.dumps(job | {"cell_seconds": limits.cell_seconds}).encode())
            process.stdin.close()
        except OSError:
            pass  # it ended at once; what it printed says why
        ended = watch(process, printed, limits)
        lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    verdicts, remarks, at = {}, [], ""
    for line in lines:
        event = json.loads(line)
        if "exercise" in event:
            verdicts[event.pop("exercise")] = event
        elif "remark" in event:
            remarks.append(event["remark"])
        at = event.get("at", at)
    if printed.size > 1_000_000:
        remarks.append(f"it printed {printed.size / 1e6:.0f} MB")
    return verdicts, remarks, f"{ended} {at}".strip()


class Drain(threading.Thread):
    """Reads all that a process prints, so that it never waits; keeps only how much it was."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.size = stream, 0
        self.start()

    def run(self):
        while block := self.stream.read1(1 << 16):
            self.size += len(block)


def watch(process, printed, limits):
    """Wait for a process and kill it, with what it started, at a limit; return how it ended."""
    import psutil

    began, tree = time.monotonic(), {process.pid: psutil.Process(process.pid)}
    ended = None
    while ended is None:
        for running in list(tree.values()):
            with contextlib.suppress(psutil.Error):
                tree |= {child.pid: child for child in running.children(recursive=True)}
        used = sum(_memory(running) for running in tree.values())
        if process.poll() is not None:
            ended = f"its process ended with {process.returncode}"
        elif time.monotonic() - began > limits.seconds:
            ended = f"stopped after {limits.seconds} seconds"
        elif used > limits.memory * 1e9:
            ended = f"stopped: it took more than {limits.memory} GB of memory"
        elif printed.size > limits.output * 1e6:
            ended = f"stopped: it printed more than {limits.output} MB"
        else:
            time.sleep(0.1)
    for running in tree.values():  # what it started may outlive it
        with contextlib.suppress(psutil.Error):
            running.kill()
    process.wait()
    psutil.wait_procs(tree.values(), timeout=5)  # a kill takes effect a moment later
    printed.join(timeout=5)
    return ended


def _memory(process):
    import psutil

    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def write_table(rows, path):
    """Write the rows as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)


def write_page(rows, path):
    """Write a page that shows who answered what; all that comes from notebooks is escaped."""
    parts = [
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Grades</title>',
        "<style>body{font-family:sans-serif;margin:2em;max-width:70em}table{border-collapse:"
        "collapse;margin:1em 0}td,th{border:1px solid #aaa;padding:.3em .6em;text-align:left;"
        "vertical-align:top}</style><h1>Grades</h1>",
        f"<p>✓ right · ✗ not right · – to do · ! not graded. {WARNING}</p>",
    ]
    for lesson in sorted({row["lesson"] for row in rows}):
        own = [row for row in rows if row["lesson"] == lesson]
        names = sorted({row["exercise"] for row in own})
        parts.append(f"<h2>{html.escape(f'Lesson {lesson}' if lesson else 'No lesson')}</h2>")
        head = ["student", "notebook", *names, "right", "remarks"]
        lines = []
        for student, notebook in dict.fromkeys((r["student"], r["notebook"]) for r in own):
            found = [r for r in own if (r["student"], r["notebook"]) == (student, notebook)]
            marks = {r["exercise"]: _mark(r) for r in found}
            right = f"{sum(r['right'] for r in found)} of {len(found)}"
            marks = [marks.get(name, "") for name in names]
            lines.append([student, notebook, *marks, right, found[0]["remarks"]])
        parts.append(_html_table(head, lines))
        lines = [[row[name] for name in ("student", "exercise", "verdict")] for row in own]
        parts.append(_html_table(["student", "exercise", "verdict"], lines))
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _mark(row):
    verdict = row["verdict"]
    if row["right"]:
        return "✓"
    return "!" if verdict.startswith("not graded") else "–" if verdict.startswith("to do") else "✗"


def _html_table(head, lines):
    def row(cells, kind):
        return "<tr>" + "".join(f"<{kind}>{html.escape(str(c))}</{kind}>" for c in cells) + "</tr>"

    return "<table>" + row(head, "th") + "".join(row(line, "td") for line in lines) + "</table>"


def above_zero(kind):
    """Return what argparse makes a number of, refusing those that are not above zero."""

    def number(text):
        if not (value := kind(text)) > 0:
            raise argparse.ArgumentTypeError(f"it must be above 0, not {text}")
        return value

    return number


def parse(argv):
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils grade",
        description="Grade the exercise notebooks below a folder with this checkout's checks.",
        epilog=WARNING,
    )
    parser.add_argument("folder", type=Path, help="a folder of notebooks, or of students' folders")
    parser.add_argument("--out", type=Path, default=BUILD / "grades", help="where to write")
    for name, kind, default, what in (
        ("--seconds", float, 180.0, "for one notebook"),
        ("--cell-seconds", float, 30.0, "of computing for one cell or check"),
        ("--memory", float, 4.0, "GB for one notebook"),
        ("--output", float, 100.0, "MB that one may print"),
        ("--jobs", int, 2, "notebooks at a time"),
    ):
        shown = f"{what} (default: {default:g})"
        parser.add_argument(name, type=above_zero(kind), default=default, help=shown)
    return parser.parse_args(argv)


def main(argv=None):
    """Grade and write the table; return 0, or 1 where there is nothing to grade."""
    limits = parse(argv)
    if not limits.folder.is_dir():
        print(f"there is no folder {limits.folder}", file=sys.stderr)
        return 1
    found = find_notebooks(limits.folder)
    if not found:
        print(f"there is no notebook (*.ipynb) below {limits.folder}", file=sys.stderr)
        return 1
    print(WARNING)
    rows = []
    with ThreadPoolExecutor(limits.jobs) as pool:
        results = pool.map(lambda pair: grade(*pair, limits), found)
        for count, (pair, own) in enumerate(zip(found, results, strict=True), start=1):
            rows += own
            right = sum(row["right"] for row in own)
            told = own[0]["verdict"] if not own[0]["lesson"] else f"{right} of {len(own)} right"
            print(f"{count} of {len(found)}: {pair[0]}, {pair[1].name}: {told}", flush=True)
    limits.out.mkdir(parents=True, exist_ok=True)
    write_table(rows, limits.out / "grades.csv")
    write_page(rows, limits.out / "grades.html")
    print(f"written: {limits.out / 'grades.csv'} and, to read, {limits.out / 'grades.html'}")
    return 0
