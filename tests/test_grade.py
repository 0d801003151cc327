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


# --- what a notebook does around itself ----------------------------------------------------------

SPOILING = [
    "for number in range(3)\n    print(number)",
    """
import pathlib
import course_utils

checks = pathlib.Path(course_utils.__file__).parent / "checks"
for path in checks.glob("*.py"):
    path.write_text(path.read_text("utf-8").replace("require(", "bool("), "utf-8")
forged = '{"exercise": "02.3", "title": "", "right": 1, "verdict": "✓"}'
with open("../events", "a", encoding="utf-8") as file:
    print(forged, '{"exercise": "02.9", "right": "many"}', "half a li", "[1]", sep="\\n", file=file)
""",
    "raise ValueError(f'\\udce9 {get_ipython().ipython_dir}')",
    """
import subprocess, sys, threading, time

quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
start = f"import subprocess; print(subprocess.Popen({sleep}, **{quiet}).pid)"
pids = [subprocess.check_output([sys.executable, "-c", start], text=True) for _ in range(3)]
pathlib.Path(PIDS).write_text(" ".join(pids))
threading.Thread(target=time.sleep, args=(60,)).start()
""",
    "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\n\n\nraise Odd",
    """
import torch


def minimize_two(lr, steps):
    torch.allclose = lambda *anything, **more: True
    return 0.0, 0.0


def largest_lr(a):
    return 2 / a
""",
]


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """What comes of a notebook that spoils files and leaves processes and a thread behind."""
    pids = tmp_path_factory.mktemp("pids") / "pids"
    cells = [f"PIDS = {str(pids)!r}", *SPOILING]
    found = grade.run_one(cells, {"02.2": "minimize_two", "02.3": "largest_lr"}, LIMITS)
    return *found, [int(pid) for pid in pids.read_text().split()]


def test_checks_on_disk_and_events_cannot_be_faked(spoiled):
    verdicts = spoiled[0]
    assert list(verdicts) == ["02.3", "02.2"]  # the first one in the place that was forged
    assert verdicts["02.3"]["right"] == 0 and "too large" in verdicts["02.3"]["verdict"]
    assert "require(" in (ROOT / "course_utils" / "checks" / "lesson_02.py").read_text("utf-8")


def test_library_changed_while_it_is_checked_makes_wrong(spoiled):
    verdict = spoiled[0]["02.2"]
    assert verdict["right"] == 0
    assert verdict["verdict"].endswith("it changes torch.allclose while it is checked")


def test_invalid_cell_and_odd_text_are_remarks(spoiled):
    remark = " ".join(spoiled[1])
    assert "code cell 2: SyntaxError: " in remark
    assert "code cell 4: ValueError: \udce9" in remark and "code cell 6: Odd" in remark
    assert grade.OWN in remark  # IPython's own folder is a temporary one


def test_threads_and_processes_left_behind_are_ended(spoiled):
    psutil = pytest.importorskip("psutil")
    assert spoiled[2] == "its process ended with 0 at its end"
    assert len(spoiled[3]) == 3
    for pid in spoiled[3]:
        with contextlib.suppress(psutil.NoSuchProcess):
            assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


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


def write_empty(folder, *places):
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(), folder / place)


def read_rows(folder):
    with open(folder / "grades.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_cannot_be_graded_is_one_row(tmp_path, monkeypatch):
    path = tmp_path / "02_exercises.ipynb"
    path.mkdir()
    (row,) = grade.grade("ada", path, LIMITS)
    assert row["verdict"] == "not graded: 02_exercises.ipynb is no file"
    path = tmp_path / "ben_02_exercises.ipynb"
    write_empty(tmp_path, path)
    monkeypatch.setattr(grade, "run_one", lambda *anything: 1 / 0)
    (row,) = grade.grade("ben", path, LIMITS)
    assert row["verdict"] == "not graded: ZeroDivisionError('division by zero')"
    monkeypatch.setattr(grade, "LARGEST", 10)
    (row,) = grade.grade("ben", path, LIMITS)
    assert row["verdict"].endswith("has 0 MB: hand it in without its outputs")


@pytest.mark.parametrize(
    ("source", "words"),
    [("check('03.1', f)", "by its name graded as 02, but its checks are of 03"), ("f(2)", "")],
)
def test_other_lessons_notebook_under_a_wrong_name_is_remarked(
    tmp_path, monkeypatch, source, words
):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbformat.write(notebook, tmp_path / "02_exercises.ipynb")
    monkeypatch.setattr(grade, "run_one", lambda *anything: ({}, [], "ended"))
    rows = grade.grade("ada", tmp_path / "02_exercises.ipynb", LIMITS)
    assert {row["remarks"] for row in rows} == {words}


def test_names_that_are_no_text_are_written(tmp_path):
    row = grade.row_of("Jos\udce9", "02_exercises.ipynb", verdict="✗ \ud800")
    grade.write_table([row], tmp_path / "grades.csv")
    grade.write_page([row], tmp_path / "page.html")
    assert read_rows(tmp_path)[0]["student"] == "Jos\\udce9"
    assert "Jos\\udce9" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_table_has_every_student_and_notebook_and_is_written_anew(tmp_path, monkeypatch, capsys):
    write_empty(tmp_path, "ada/02_exercises.ipynb", "ada/old/02_exercises.ipynb", "b_é ü.ipynb")
    (tmp_path / "cleo").mkdir()
    (tmp_path / "cleo" / "answers.zip").write_bytes(b"")
    monkeypatch.setattr(
        grade,
        "grade",
        lambda student, path, limits: [grade.row_of(student, path.name, lesson="02", right=1)],
    )
    out = tmp_path / "out"
    for _ in range(2):
        assert grade.main([str(tmp_path), "--out", str(out)]) == 0
        assert [(row["student"], row["notebook"]) for row in read_rows(out)] == [
            ("ada", "02_exercises.ipynb"),
            ("ada", "old/02_exercises.ipynb"),
            ("b_é ü", "b_é ü.ipynb"),
            ("cleo", ""),
        ]
    assert read_rows(out)[3]["verdict"] == "not graded: there is no notebook in this folder"
    assert "3 of 3: b_é ü, b_é ü.ipynb: 1 of 1 right" in capsys.readouterr().out


def test_interrupted_grading_leaves_what_is_done(tmp_path, monkeypatch):
    write_empty(tmp_path, "ada/02_exercises.ipynb", "ben/02_exercises.ipynb")

    def grade_one(student, path, limits):
        if student == "ben":
            raise KeyboardInterrupt
        return [grade.row_of(student, path.name, lesson="02")]

    monkeypatch.setattr(grade, "grade", grade_one)
    with pytest.raises(KeyboardInterrupt):
        grade.main([str(tmp_path), "--out", str(tmp_path / "out")])
    assert [row["student"] for row in read_rows(tmp_path / "out")] == ["ada"]


def test_table_that_cannot_be_written_is_told_first(tmp_path, capsys):
    write_empty(tmp_path, "ada/02_exercises.ipynb")
    (tmp_path / "out" / "grades.csv").mkdir(parents=True)
    assert grade.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "grades.csv" in told.err and told.err.count("\n") == 1 and not told.out


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
