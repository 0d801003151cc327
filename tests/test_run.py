"""course/run: toy lessons executed, stored, recorded, broken and interrupted."""

import contextlib
import io
import json
import os
import threading
import time
from dataclasses import replace
from multiprocessing import get_context

import nbformat
import pytest

from course_utils.course import brisk, lessons, run
from course_utils.course.run import Job

# What `course_utils.claim` notes, without the time it takes to import it.
NOTE = """\
import json, os

def note(text, holds, checked=True, at="any", **measured):
    row = {"text": text, "at": at, "item": None, "holds": holds, "checked": checked}
    with open(os.environ["COURSE_RECORD"], "a") as file:
        file.write(json.dumps(row | {"measured": measured}) + "\\n")
"""
PARAMETERS = ("code", "parameters", "parameters", "epochs: int = 10\nseed: int = 0")


def call(folder, *argv, results=None):
    """Run the command on a folder of toy lessons; return (code, standard output, errors)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run.main(list(argv), folder, folder / "results", folder / "build")
    return code, out.getvalue(), err.getvalue()


def cells(path):
    return {cell.id: cell for cell in nbformat.read(path, 4).cells}


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.fixture(scope="module")
def quick(tmp_path_factory, write_notebook):
    """Four lessons at quick scale, two of which break; (folder, code, output, errors)."""
    folder = tmp_path_factory.mktemp("with a space {x}")
    look = (
        "names = ['OMP_NUM_THREADS', 'COURSE_CLAIMS', 'COURSE_OFFLINE', 'COURSE_NO_PROGRESS']\n"
        "print([os.environ.get(name) for name in names], os.path.basename(os.getcwd()), epochs)"
    )
    write_notebook(
        folder / "02_sound.ipynb",
        [
            PARAMETERS,
            ("code", "note", "", NOTE),
            ("code", "look", "", look),
            ("code", "c", "", "note('a', True); note('b', False, checked=False, at='full')"),
        ],
    )
    write_notebook(
        folder / "03_breaks.ipynb",
        [
            PARAMETERS,
            ("text", "h", "", "## Where it breaks\n\nText."),
            ("code", "note", "", NOTE + "note('c', False, a=1)\nnote('d', True)"),
            ("code", "half", "", "print('half')"),
            ("code", "boom", "", "raise ValueError('first line\\nsecond')"),
            ("code", "after", "", "print('never')"),
        ],
    )
    write_notebook(
        folder / "04_dies.ipynb",
        [("code", "die", "", "import os\nprint('last', flush=True)\nos._exit(3)")],
    )
    write_notebook(folder / "05_plain.ipynb", [("code", "p", "parameters", "lr: float = 0.1")])
    (folder / "quick.yaml").write_text("02: {epochs: 1}\n", encoding="utf-8")
    return folder, *call(folder, "-p", "seed", "7")


def test_table_and_exit_code(quick):
    _, code, out, err = quick
    assert code == 1
    lines = out.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("lesson ")) :]
    rows = {line.split()[0]: line for line in table[1:5]}
    assert rows["02"].split()[2:] == ["1", "of", "1", "1", "ok"]
    assert "1 of 2" in rows["03"]
    assert rows["03"].endswith("stopped at cell boom (Where it breaks): ValueError: first line")
    assert "stopped at cell die: DeadKernelError" in rows["04"]
    assert rows["05"].endswith("ok")
    assert table[5].startswith("Executed copies to read:") and table[5].endswith("build/run")
    assert err == "run: 2 of 4 failed: 03, 04\n"
    assert "Traceback" not in out + err and "WARNING" not in out + err


def test_unused_parameter_is_named(quick):
    assert "note: seed is not used in 04, 05: no such parameter there" in quick[2]


def test_progress_in_a_log_is_two_lines_a_lesson(quick):
    lines = quick[2].splitlines()
    assert next(line for line in lines if line.startswith("02:")) == "02: started"
    assert sum(line.startswith(("02:", "03:", "04:", "05:")) for line in lines) == 8


def test_a_lesson_runs_as_asked(quick):
    executed = cells(quick[0] / "build" / "run" / "02_sound.ipynb")
    assert printed(executed["look"]) == "['1', 'any', '1', '1'] run 1\n"


def test_half_executed_copy_is_kept(quick):
    executed = cells(quick[0] / "build" / "run" / "03_breaks.ipynb")
    assert printed(executed["half"]) == "half\n"
    assert executed["after"].outputs == []
    original = cells(quick[0] / "03_breaks.ipynb")
    assert all(not cell.get("outputs") for cell in original.values())


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--only", "9"], "no lesson 09; there are 02, 03, 04, 05"),
        (["-p", "passes", "1"], "no lesson has a parameter passes; there are epochs, lr, seed"),
        (["-p", "epochs", "abc"], "epochs must be int, not 'abc'"),
        (["--in-place"], "--in-place and --seeds go with --full"),
        (["--full", "--in-place", "--seeds", "2"], "--in-place and --seeds are two runs"),
        (["--full", "--seeds", "2", "-p", "lr", "0"], "-p has no place here"),
        (["--full", "--seeds", "-1"], "--seeds must be at least 1, not -1"),
        (["--full", "--in-place", "--jobs", "2"], "what is kept runs one lesson at a time"),
        (["--full", "--seeds", "2", "--jobs", "2"], "what is kept runs one lesson at a time"),
        (["--jobs", "1000"], f"--jobs must be 1 to {run.cores()}, the cores here, not 1000"),
        (["--jobs", "0"], f"--jobs must be 1 to {run.cores()}"),
    ],
)
def test_a_wrong_wish_is_one_sentence(quick, argv, sentence):
    code, out, err = call(quick[0], *argv)
    assert (code, out) == (2, "")
    assert err.startswith(f"run: {sentence}") and err.count("\n") == 1


def test_what_is_kept_needs_real_data(tmp_path, write_notebook, monkeypatch):
    write_notebook(tmp_path / "02_x.ipynb", [("code", "load", "", "mnist(train=True)")])
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "none"))
    code, _, err = call(tmp_path, "--full", "--in-place")
    assert code == 2 and "but mnist is not here" in err
    assert cells(tmp_path / "02_x.ipynb")["load"].execution_count is None
    paths = {"02": tmp_path / "02_x.ipynb"}
    for real, claims in [(False, "any"), (True, "full")]:
        [job] = run.full_jobs(paths, {"02": {"mnist": real}}, tmp_path)
        assert job.claims == claims


def test_in_place(tmp_path, write_notebook):
    slider = "import ipywidgets\n\nipywidgets.interact(lambda k: k, k=(0, 3));"
    figure = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
    parameters = 'pictures: str = "auto"\nepochs: int = 3'
    path = write_notebook(
        tmp_path / "02_x.ipynb",
        [
            ("code", "p", "parameters", parameters),
            ("code", "pictures", "", "print(pictures, end='')\nprint('!')"),
            ("code", "figure", "", figure),
            ("code", "slider", "interactive nbval-ignore-output", slider),
            ("code", "c", "", NOTE + "note('a', True, epochs=epochs)"),
        ],
    )
    half = write_notebook(
        tmp_path / "03_y.ipynb", [("code", "a", "", "print(1)"), ("code", "b", "", "1 / 0")]
    )
    before = half.read_bytes()
    (tmp_path / "quick.yaml").write_text("02: {epochs: 1}", encoding="utf-8")
    code, out, _ = call(tmp_path, "--full", "--in-place")
    assert code == 1 and "stopped at cell b: ZeroDivisionError" in out
    assert half.read_bytes() == before
    assert printed(cells(tmp_path / "build" / "run" / "03_y.ipynb")["a"]) == "1\n"

    notebook = nbformat.read(path, 4)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4, 5]
    stored = cells(path)
    assert stored["p"].source == parameters
    assert len(stored["pictures"].outputs) == 1 and printed(stored["pictures"]) == "sample!\n"
    assert "image/png" in stored["figure"].outputs[0].data
    assert stored["slider"].outputs == []
    assert path.read_bytes().endswith(b"}\n")
    record = json.loads((tmp_path / "results" / "02.json").read_text(encoding="utf-8"))
    assert record["stored"]["claims"][0]["measured"] == {"epochs": 3}
    assert record["parameters"] == {"pictures": "auto", "epochs": 3}

    once = path.read_bytes(), (tmp_path / "results" / "02.json").read_bytes()
    assert call(tmp_path, "--full", "--in-place", "--only", "02")[0] == 0
    assert (path.read_bytes(), (tmp_path / "results" / "02.json").read_bytes()) == once


def test_solved_notebooks_of_one_lesson_are_stored(tmp_path, write_notebook):
    write_notebook(tmp_path / "02_x.ipynb", [("code", "a", "", "1")])
    names = ("02_solutions", "02_sweeps")
    for name in names:
        write_notebook(tmp_path / "solutions" / f"{name}.ipynb", [("code", "a", "", "print(7)")])
    code, out, err = call(tmp_path, "--full", "--in-place", "--only", *names)
    assert code == 0 and err == "" and "Stored in the lessons" in out
    for name in names:
        assert printed(cells(tmp_path / "solutions" / f"{name}.ipynb")["a"]) == "7\n"
    assert not (tmp_path / "results").exists()


def test_seeds(tmp_path, write_notebook):
    claims = NOTE + "note('luck', seed == 0, value=seed)\nnote('sure', True)"
    write_notebook(tmp_path / "02_x.ipynb", [PARAMETERS, ("code", "c", "", claims)])
    (tmp_path / "results").mkdir()
    code, out, err = call(tmp_path, "--full", "--seeds", "2")
    assert code == 1 and "claim failed: luck" in out and "1 of 2 failed: 02 seed 1" in err
    record = json.loads((tmp_path / "results" / "02.json").read_text(encoding="utf-8"))
    assert record["seeds"] == [0, 1] and record["parameters"] == {"epochs": 10, "seed": 0}
    luck, sure = record["claims"]
    assert luck["holds"] == [True, False] and luck["high"] == {"value": 1} and luck["n"] == 2
    assert sure["holds"] == [True, True]


def test_a_stopped_seed_leaves_the_record_alone(tmp_path):
    job = Job("02 seed 0", tmp_path / "02_x.ipynb", tmp_path / "x", {"seed": 0})
    outcome = run.Outcome(job, 1.0, {"cell": "a", "heading": "", "error": "E"}, [])
    complaints = run.record_seeds([outcome], {"02": {}}, tmp_path / "results")
    assert complaints == ["lesson 02 stopped, so its record stays as it was"]
    assert not (tmp_path / "results").exists()


class Interrupts:
    """A progress during which someone presses Ctrl+C as soon as a cell has run."""

    def __init__(self, file):
        self.file = file

    def show(self, event):
        if self.file.exists() and self.file.read_text():
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [{}, {"in_place": True}, {"forks": True}], ids=str)
def test_a_kernel_is_brisk_but_does_what_is_to_do_at_exit(tmp_path, write_notebook, kind):
    names = (
        "print([name for name in ('atexit', 'gc', 'brisk') if name in globals()])\n"
        "from gc import get_threshold\nprint(get_threshold()[0])"
    )
    last = (
        "import atexit, gc, tempfile\nfrom pathlib import Path\n"
        "kept = tempfile.TemporaryDirectory(dir='.')\n"
        "atexit.register(lambda: Path('ended.txt').write_text(str(gc.get_freeze_count())))"
    )
    path = write_notebook(
        tmp_path / "02_ends.ipynb", [("code", "names", "", names), ("code", "last", "", last + ";")]
    )
    copy = tmp_path / "build" / path.name
    [outcome] = run.execute_all([Job("02", path, copy, **kind)])
    assert outcome.ok, outcome.stopped
    ran = path if "in_place" in kind else copy
    assert printed(cells(ran)["names"]) == f"[]\n{brisk.OBJECTS}\n"
    ended = (copy.parent / "ended.txt").read_text()
    assert ended == "0", "what was registered last runs first, before the freezing"
    assert not list(copy.parent.glob("tmp*")), "the temporary folder is gone"


@pytest.mark.skipif(os.name == "nt", reason="looks for a process by a signal")
@pytest.mark.parametrize("forks", [False, True])
def test_interruption_ends_the_lesson_and_its_kernel(tmp_path, write_notebook, forks):
    file = tmp_path / "pid"
    sleep = f"import os, time\nopen({str(file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    path = write_notebook(tmp_path / "02_x.ipynb", [("code", "sleep", "", sleep)])
    job = Job("02", path, tmp_path / "build" / "02_x.ipynb", forks=forks)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run.execute_all([job], progress=Interrupts(file))
    kernel = int(file.read_text())
    while time.monotonic() - start < 30:
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            break
        time.sleep(0.2)
    else:
        pytest.fail("the kernel still runs")


def test_a_lesson_that_starts_when_all_is_over_ends(tmp_path, write_notebook):
    path = write_notebook(
        tmp_path / "02_x.ipynb", [("code", "x", "", "import time; time.sleep(99)")]
    )
    job, over = Job("02", path, tmp_path / "build" / path.name), threading.Event()
    over.set()
    outcome = run._execute(job, get_context("spawn"), lambda event: None, [], over)
    assert outcome.stopped["error"].startswith("its process ended with code "), outcome
    assert outcome.stopped["error"].endswith(": it said nothing")


def test_an_environment_keeps_no_wish_of_the_shell(tmp_path, write_notebook, monkeypatch):
    monkeypatch.setenv("COURSE_CLAIMS", "full")
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")
    lesson, solution = tmp_path / "02_x.ipynb", tmp_path / "solutions" / "02_solutions.ipynb"
    seeds = Job("02 seed 0", lesson, tmp_path / "x.ipynb", claims=None, offline=False).environment()
    assert "COURSE_CLAIMS" not in seeds and "COURSE_STRICT_CHECKS" not in seeds
    assert (
        Job("02_solutions", solution, tmp_path / "y.ipynb").environment()["COURSE_STRICT_CHECKS"]
        == "1"
    )


def test_threads_times_processes_are_not_more_than_the_cores(quick):
    jobs = run.quick_jobs(lessons.choose(quick[0]), quick[0])
    assert {job.threads for job in jobs} == {1} and {job.claims for job in jobs} == {"any"}
    full = run.full_jobs({"02": quick[0] / "02_sound.ipynb"}, {"02": {}}, quick[0], seeds=2)
    assert [job.name for job in full] == ["02 seed 0", "02 seed 1"]
    assert {job.threads for job in full} == {run.cores()} and {job.claims for job in full} == {None}
    side_by_side = run.full_jobs(
        {"02": full[0].notebook}, {"02": {}}, quick[0], at_once=run.cores()
    )
    assert [job.threads for job in side_by_side] == [1]


def test_side_by_side_the_longest_lesson_starts_first(tmp_path, write_notebook, monkeypatch):
    minutes = {"02": "a minute", "03": "about 7 minutes", "04": "2 minutes", "05": "no time"}
    jobs = []
    for name, words in minutes.items():
        path = write_notebook(tmp_path / f"{name}_x.ipynb", [("text", "contract", "", words)])
        jobs.append(Job(name, path, tmp_path / name))
    assert [job.name for job in run.longest_first(jobs)] == ["03", "04", "02", "05"]
    monkeypatch.setattr(run, "_execute", lambda job, *_: job.name)
    assert run.execute_all(jobs, at_once=2) == list(minutes)
    quick = [replace(job, forks=True) for job in jobs]
    assert [job.name for job in run.longest_first(quick)] == ["05", "04", "03", "02"]
