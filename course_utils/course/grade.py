"""Grade students' exercise notebooks: `python -m course_utils grade FOLDER`.

Each notebook runs in a process and a temporary folder of its own (`grade_one.py`), with a copy of
the course to import, two at a time, with limits on time, memory and output. Its answers are judged
by this checkout's own checks. This file finds the notebooks, watches over the processes and writes
`grades.csv` and a page to read.

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
LARGEST = 50_000_000  # bytes of a notebook that is read
OWN = f"grade-{os.getpid()}-"  # how the names of this command's temporary folders begin
MARK = "COURSE_GRADING"  # the environment's variable that names a process's temporary folder
COLUMNS = ("student", "lesson", "exercise", "title", "right", "verdict", "notebook", "remarks")
NAME = r"(\d\d)_(exercises|sweeps)"
CHECK = r"""\bcheck\(\s*["'](\d\ds?)\."""
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


def students_without(folder, found, out):
    """Return the names of students' folders in which no notebook was found."""
    having = {student for student, _ in found}
    folders = [path for path in sorted(Path(folder).iterdir()) if path.is_dir()]
    names = [path.name for path in folders if path.resolve() != out.resolve()]
    return [name for name in names if name not in having and name[0] not in "._"]


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
    named += re.findall(CHECK, text) + re.findall(r"# (\d\d) ·", text)
    lesson = next((name for name in named if name in known), None)
    if lesson is None:
        raise CourseError(
            "it cannot be told which lesson it belongs to: name it NN_exercises.ipynb, with NN"
            f" one of {', '.join(sorted(name for name in known if name.isdigit()))}"
        )
    return lesson


def row_of(student, notebook, **more):
    """Return a row of the table, empty but for what is given."""
    known = {"student": student, "notebook": notebook, "right": 0}
    return dict.fromkeys(COLUMNS, "") | known | more


def grade(student, path, limits):
    """Return a notebook's rows for the table, one an exercise; never raises for what is in it."""
    try:
        return grade_cells(student, path, limits, read_handed_in(path))
    except Exception as error:  # whatever it is, the other notebooks are graded
        told = error if isinstance(error, CourseError | OSError) else repr(error)
        return [row_of(student, path.name, verdict=f"not graded: {told}")]


def read_handed_in(path):
    """Return a student's notebook, once it is a file of a size that can be read."""
    if not path.is_file():
        raise CourseError(f"{path.name} is no file")
    if (size := path.stat().st_size) > LARGEST:
        raise CourseError(f"{path.name} has {size / 1e6:.0f} MB: hand it in without its outputs")
    return read_notebook(path)


def grade_cells(student, path, limits, notebook):
    """Run a notebook's cells and return its rows."""
    lesson = lesson_of(path, notebook)
    checks = master_checks(lesson)
    cells = [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    verdicts, remarks, ended = run_one(cells, checks, limits, tables(path))
    found = re.findall(CHECK, "\n".join(cells))
    if found and lesson not in found:
        remarks.insert(0, f"by its name graded as {lesson}, but its checks are of {found[0]}")
    return [
        row_of(student, path.name, lesson=lesson, exercise=name, remarks="; ".join(remarks))
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
    with tempfile.TemporaryDirectory(prefix=OWN, ignore_cleanup_errors=True) as folder:
        events, course, work = (Path(folder, name) for name in ("events", "course", "work"))
        copy_course(course)
        work.mkdir()
        for name, file in (files or {}).items():
            shutil.copyfile(file, work / name)
        job = {"cells": cells, "checks": checks, "cell_seconds": limits.cell_seconds}
        job |= {"events": str(events), "course": str(course), "root": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-P", str(ONE)],
            cwd=work,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        printed = Drain(process.stdout)
        try:
            process.stdin.write(json.dumps(job).encode())
            process.stdin.close()
        except OSError:
            pass  # it ended at once; what it printed says why
        ended = watch(process, printed, limits)
        end_all(Path(folder).name)
        verdicts, remarks, at = read_events(events)
    if printed.size > 1_000_000:
        remarks.append(f"it printed {printed.size / 1e6:.0f} MB")
    return verdicts, remarks, f"{ended} {at}".strip()


def copy_course(folder):
    """Lay a copy of the course's package for a notebook to import, and to spoil, in a folder."""
    package = Path(folder, "course_utils")
    shutil.copytree(ROOT / "course_utils", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "results", package / "results")
    shutil.copytree(ROOT / "data" / "samples", package / "samples")


def environment(folder):
    """Return the environment of a notebook that runs in a temporary folder."""
    fixed = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "COURSE_OFFLINE": "1"}
    own = {MARK: Path(folder).name, "IPYTHONDIR": str(Path(folder, "ipython"))}
    return {"COURSE_DATA": str(ROOT / "data")} | os.environ | fixed | own


def read_events(path):
    """Return the verdicts, remarks and place that `grade_one.py` wrote, and nothing else."""
    verdicts, remarks, at = {}, [], ""
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        with contextlib.suppress(ValueError):  # half a line, where the process was killed
            match event := json.loads(line):
                case {"exercise": str(name), "title": str(), "right": 0 | 1, "verdict": str()}:
                    verdicts[name] = {key: event[key] for key in ("title", "right", "verdict")}
                case {"remark": str(remark)}:
                    remarks.append(remark)
                case {"at": str(at)}:
                    pass
    return verdicts, remarks, at


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
            time.sleep(0.25)  # each look reads the list of all processes
    for running in tree.values():  # what it started may outlive it
        with contextlib.suppress(psutil.Error):
            running.kill()
    process.wait()
    psutil.wait_procs(tree.values(), timeout=5)  # a kill takes effect a moment later
    printed.join(timeout=5)
    return ended


def end_all(folders):
    """End all processes, also those that `watch` lost sight of, of folders that begin like this."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK, "").startswith(folders):
                process.kill()


def _memory(process):
    import psutil

    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def write_table(rows, path):
    """Write the rows as CSV."""
    with open(path, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
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
    path.write_text("\n".join(parts) + "\n", encoding="utf-8", errors="backslashreplace")


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
    table, page = limits.out / "grades.csv", limits.out / "grades.html"
    try:
        if not limits.folder.is_dir():
            raise CourseError(f"there is no folder {limits.folder}")
        if not (found := find_notebooks(limits.folder)):
            raise CourseError(f"there is no notebook (*.ipynb) below {limits.folder}")
        rows = [
            row_of(name, "", verdict="not graded: there is no notebook in this folder")
            for name in students_without(limits.folder, found, limits.out)
        ]
        limits.out.mkdir(parents=True, exist_ok=True)
        table.open("a").close()  # what cannot be written is told now, not after all notebooks
        print(WARNING)
        try:
            grade_all(found, limits, rows)
        finally:  # Ctrl+C too leaves what is graded
            rows.sort(key=lambda row: row["student"])
            write_table(rows, table)
            write_page(rows, page)
            print(f"written: {table} and, to read, {page}")
    except (CourseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def grade_all(found, limits, rows):
    """Grade notebooks, [(student, path)], so many at a time; tell of each, and add its rows."""
    with ThreadPoolExecutor(limits.jobs) as pool:
        try:
            results = pool.map(lambda pair: grade(*pair, limits), found)
            for count, ((student, path), own) in enumerate(zip(found, results, strict=True), 1):
                place = path.relative_to(limits.folder)
                place = "/".join(place.parts[1:]) or place.name
                rows += [row | {"notebook": place} for row in own]
                right = sum(row["right"] for row in own)
                told = own[0]["verdict"] if not own[0]["lesson"] else f"{right} of {len(own)} right"
                print(f"{count} of {len(found)}: {student}, {place}: {told}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all(OWN)
            raise
