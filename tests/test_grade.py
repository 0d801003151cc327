"""`python -m course_utils grade`: right, partial, empty and hostile notebooks, each apart."""

import contextlib
import csv
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from structure import ROOT

from course_utils.course import grade
from course_utils.course.lessons import CourseError, find_solutions

ANSWERS = ROOT / "notebooks" / "solutions" / "02_solutions.ipynb"
EMPTY = ROOT / "notebooks" / "exercises" / "02_exercises.ipynb"
LIMITS = SimpleNamespace(seconds=120, cell_seconds=10, memory=4, output=100, jobs=2)

HOSTILE = """
import builtins, torch
import course_utils.checks as own
from course_utils.checks import *
def check(number, answer): print("✓", number)
own.judge = lambda *anything: (True, "✓")
torch.allclose = builtins.abs = lambda *anything, **more: True
print("x" * 3_000_000)
for name in ("descend_wild", "minimize_two", "largest_lr"):
    globals()[name] = lambda *anything: 0.0
"""


def changed(path, name, source, drop=""):
    """A notebook with the source of one cell replaced, and without the cells that hold `drop`."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not drop or drop not in cell.source]
    next(cell for cell in notebook.cells if cell.id == name).source = source
    return notebook


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The table, the page and what was printed, for six students' notebooks."""
    folder = tmp_path_factory.mktemp("students")
    wrong = "def wild(x):\n    return x\n\n\ndef descend_wild(start, lr, steps):\n    return start"
    imports = nbformat.read(ANSWERS, as_version=4).cells[2].source
    forever = "while True:\n    try:\n        pass\n    except Exception:\n        pass"
    for name, notebook in {
        "ada": nbformat.read(ANSWERS, as_version=4),
        "ben": changed(ANSWERS, "ex1-code", wrong),
        "cleo": nbformat.read(EMPTY, as_version=4),
        "dan": changed(EMPTY, "imports", imports + HOSTILE, drop='check("'),
        "eve": changed(ANSWERS, "ex2-code", forever),
    }.items():
        (folder / name).mkdir()
        nbformat.write(notebook, folder / name / "02_exercises.ipynb")
    (folder / "fay_02_exercises.ipynb").write_text("<b>no notebook</b>", encoding="utf-8")
    out = folder / "out"
    command = [sys.executable, "-m", "course_utils", "grade", str(folder), "--out", str(out)]
    told = subprocess.run(
        [*command, "--cell-seconds", "10"], capture_output=True, text=True, cwd=ROOT
    )
    assert told.returncode == 0, told.stderr
    with open(out / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (out / "grades.html").read_text(encoding="utf-8")
    return rows, page, told.stdout


def of(rows, student):
    return [row for row in rows if row["student"] == student]


def test_each_student_has_the_right_marks(graded):
    rows, _, _ = graded
    right = {name: [row["right"] for row in of(rows, name)] for name in ("ada", "ben", "eve")}
    assert right == {"ada": ["1"] * 4, "ben": ["0", "1", "1", "1"], "eve": ["1", "0", "1", "1"]}
    assert [row["exercise"] for row in of(rows, "ada")] == ["02.1", "02.2", "02.3", "02.4"]
    assert {row["verdict"].split(":")[0] for row in of(rows, "cleo")} == {"to do"}
    assert not any(row["remarks"] for row in of(rows, "ada") + of(rows, "cleo"))


def test_wrong_answer_is_told_its_mistake(graded):
    verdict = of(graded[0], "ben")[0]["verdict"]
    assert verdict.startswith("✗ 02.1 Descend where the landscape is wild: ") and len(verdict) > 60


def test_faked_checks_do_not_count(graded):
    rows = of(graded[0], "dan")
    assert [row["right"] for row in rows] == ["0"] * 4
    assert all(row["verdict"].startswith(("✗", "to do")) for row in rows)
    assert "it had changed builtins.abs, torch.allclose" in rows[0]["remarks"]
    assert "it printed 3 MB" in rows[0]["remarks"]


def test_cell_without_end_is_stopped_and_the_rest_graded(graded):
    row = of(graded[0], "eve")[1]
    assert "name 'minimize_two' is not defined" in row["verdict"]
    assert "OutOfTime: stopped after 10 seconds of computing" in row["remarks"]


def test_what_is_no_notebook_is_said(graded):
    (row,) = of(graded[0], "fay")
    assert row["verdict"].startswith("not graded: fay_02_exercises.ipynb is not a readable")
    assert "fay_02_exercises.ipynb: not graded: " in graded[2]


def test_page_shows_marks_and_warns(graded):
    page = graded[1]
    assert page.count("<tr><td>ada</td><td>02_exercises.ipynb</td><td>✓</td>") == 1
    assert "4 of 4" in page and "3 of 4" in page and "no sandbox against malice" in page
    assert "<td>!</td>" in page and "<td>–</td>" in page
    assert "no sandbox against malice" in graded[2]


# --- one notebook at a time ----------------------------------------------------------------------


def test_process_that_ends_itself_is_reported():
    cells = ["x = 1", "import os\nos._exit(7)", "y = 2"]
    verdicts, _, ended = grade.run_one(cells, {"02.1": "x"}, LIMITS)
    assert (verdicts, ended) == ({}, "its process ended with 7 in code cell 2 of 3")


@pytest.mark.parametrize(
    ("code", "limit", "words"),
    [
        ("import time; time.sleep(60)", {"seconds": 1}, "stopped after 1 seconds"),
        ("x = b'1' * 300_000_000; input()", {"memory": 0.2}, "more than 0.2 GB of memory"),
        ("while True: print('x' * 1000)", {"output": 1}, "printed more than 1 MB"),
        ("print('done')", {}, "its process ended with 0"),
    ],
)
def test_limits(code, limit, words):
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    limits = SimpleNamespace(**(vars(LIMITS) | limit))
    assert words in grade.watch(process, grade.Drain(process.stdout), limits)
    assert process.poll() is not None
    process.stdin.close()


def test_what_a_process_started_ends_with_it():
    psutil = pytest.importorskip("psutil")
    sleeper = "import time; time.sleep(60)"
    code = (
        f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', {sleeper!r}])"
    )
    code += "; print(p.pid, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    limits = SimpleNamespace(**(vars(LIMITS) | {"seconds": 1}))
    grade.watch(process, grade.Drain(process.stdout), limits)
    with contextlib.suppress(psutil.NoSuchProcess):  # ended, and its parent knows, or not yet
        assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_tables_of_sweeps_are_graded_with_their_notebook(tmp_path):
    """One table handed in, the other forgotten; another student's lies beside it."""
    copy = EMPTY.with_name("06_sweeps.ipynb")
    notebook = changed(copy, "ex2-code", 'def conclude_layers(table):\n    return {"best": 5}')
    solved = "def conclude_neurons(table):\n    return table.iloc[0]"
    next(cell for cell in notebook.cells if cell.id == "ex3-code").source = solved
    path = tmp_path / "ada_06_sweeps.ipynb"
    nbformat.write(notebook, path)
    rows = ["layers,neurons,optimizer,epochs,seed,accuracy,seconds"]
    for layers in (1, 2, 3, 5, 20):
        rows += [f"{layers},30,SGD,20,{s},0.8{layers % 10}{s},1.{s}" for s in range(3)]
    (tmp_path / "ada_sweep_06_layers.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "ben_sweep_06_neurons.csv").write_text("not hers", encoding="utf-8")
    (tmp_path / "ada_notes.csv").write_text("no table", encoding="utf-8")
    assert list(grade.tables(path)) == ["sweep_06_layers.csv"]
    first, second, third = grade.grade("ada", path, LIMITS)
    assert first["lesson"] == "06s" and first["verdict"].startswith("to do: 06s.1")
    assert second["verdict"] == "✗ 06s.2 More layers: the conclusion has no 'rivals'"
    assert "there is no table sweep_06_neurons.csv beside the notebook" in third["verdict"]


@pytest.mark.parametrize("name", ["06_sweeps.ipynb", "06_sweeps (1).ipynb", "mine.ipynb"])
def test_tables_in_a_folder_of_its_own(tmp_path, name):
    for file in ("sweep_06_layers.csv", "sweep_06_neurons.csv", "grades.csv"):
        (tmp_path / file).write_text("a", encoding="utf-8")
    (tmp_path / "sweep_06_big.csv").write_bytes(b"1" * 2_000_000)
    (tmp_path / "sweep_06_folder.csv").mkdir()
    found = grade.tables(tmp_path / name)
    assert sorted(found) == ["sweep_06_layers.csv", "sweep_06_neurons.csv"]


# --- finding and writing -------------------------------------------------------------------------


def test_students_are_named_by_folder_or_file(tmp_path):
    for name in (
        "ada/02_exercises.ipynb",
        "ben_02_exercises (1).ipynb",
        "cleo.ipynb",
        "notes.txt",
        "dan-06_sweeps.ipynb",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "ada" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "ada" / ".ipynb_checkpoints" / "02_exercises.ipynb").write_text("")
    assert [name for name, _ in grade.find_notebooks(tmp_path)] == ["ada", "ben", "cleo", "dan"]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("04_exercises.ipynb", "check('02.1', f)"),
        ("a.ipynb", 'check("04.1", f)'),
        ("b.ipynb", "# 04 · X"),
    ],
)
def test_lesson_is_told_by_name_or_text(tmp_path, name, source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    assert grade.lesson_of(tmp_path / name, notebook) == "04"


@pytest.mark.parametrize(
    ("name", "source"),
    [("06_sweeps (1).ipynb", "check('06.1', f)"), ("a.ipynb", 'check("06s.2", f)')],
)
def test_sweeps_are_told_from_the_other_exercises(tmp_path, name, source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    assert grade.lesson_of(tmp_path / name, notebook) == "06s"


def test_unknown_lesson_is_said(tmp_path):
    with pytest.raises(CourseError, match=r"name it NN_exercises\.ipynb, with NN one of 01, 02"):
        grade.lesson_of(tmp_path / "a.ipynb", nbformat.v4.new_notebook())


def test_every_master_has_its_checks():
    from course_utils import checks

    masters = grade.find_masters()
    assert len(masters) == len(find_solutions())
    for name in masters:
        assert list(grade.master_checks(name)) == checks.exercises_of(name)


def test_page_escapes_what_students_wrote(tmp_path):
    row = dict.fromkeys(grade.COLUMNS, "<script>alert(1)</script>") | {"right": 0}
    grade.write_page([row], tmp_path / "page.html")
    assert "<script>" not in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing"], 1, "there is no folder missing"),
        (["."], 1, "there is no notebook (*.ipynb) below ."),
        ([".", "--seconds", "0"], 2, "it must be above 0, not 0"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path, monkeypatch, capsys, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    try:
        status = grade.main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == code and words in capsys.readouterr().err
