"""course/outputs and conftest.py: copies for nbval, and what is asked of each executed cell."""

import json
import subprocess
import sys

import nbformat
import pytest

from course_utils.course import outputs, record, sources
from course_utils.course.lessons import ROOT, CourseError

FIGURE = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
PICTURE = nbformat.v4.new_output(
    "display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480 with 1 Axes>"}
)
IGNORED = "nbval-ignore-output"


def says(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


@pytest.fixture
def write_stored(write_notebook):
    """Return a function that writes a notebook whose cells have stored outputs."""

    def write(path, rows):
        write_notebook(path, [("code", name, tags, source) for name, tags, source, _ in rows])
        notebook = nbformat.read(path, 4)
        for count, (cell, (*_, stored)) in enumerate(zip(notebook.cells, rows, strict=True), 1):
            cell.execution_count, cell.outputs = count, stored
        nbformat.write(notebook, path)

    return write


def compare(folder):
    """Run nbval on a folder as `make test` does; return (exit code, what it says of lessons)."""
    command = [sys.executable, "-m", "pytest", "-q", "-rN", "--color=no", "-p", "tests.conftest"]
    command += ["-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", "tests/nbval.cfg", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, [
        line for line in done.stdout.splitlines() if line.startswith("lesson ")
    ]


def test_each_wrong_cell_is_named(tmp_path, write_stored):
    write_stored(
        tmp_path / "02_x.ipynb",
        [
            ("p", "parameters", "epochs: int = 10", []),
            ("same", "", "print(2.0)", [says("2.0\n")]),
            ("digit", "", "print(2.0)", [says("2.1\n")]),
            ("time", "", "print('3.2 s')", [says("4.1 s\n")]),
            ("scale", IGNORED, "print(epochs)", [says("10\n")]),
            ("wrong-mark", IGNORED, "print(5)", [says("5\n")]),
            ("figure", "", FIGURE, [PICTURE]),
            ("quiet", "", "len('no output');", []),
            ("took", IGNORED, "print('5 times: 10 s')", [says("5 times: 20 s\n")]),
            ("no-figure", IGNORED, "print(epochs)", [PICTURE, says("10\n")]),
            ("slider", f"interactive {IGNORED}", "1;", []),
            ("warns", IGNORED, "import warnings\nwarnings.warn('attention')", []),
            ("stops", "", "print('x')\n1 / 0", [says("x\n")]),
            ("after", "", "print(1)", [says("2\n")]),
        ],
    )
    (tmp_path / "quick.yaml").write_text("02: {epochs: 1}", encoding="utf-8")
    assert outputs.prepare(tmp_path, tmp_path / "out", tmp_path / "results") == []
    code, lines = compare(tmp_path / "out")
    assert code == 1
    assert lines == [
        "lesson 02, cell digit: its output differs: stored '2.1', now '2.0'",
        "lesson 02, cell wrong-mark: it is marked nbval-ignore-output, but its text came out as "
        "stored: take the mark away",
        "lesson 02, cell no-figure: it stores a figure but draws none",
        "lesson 02, cell warns: it warns or writes to stderr: \"  warnings.warn('attention')\"",
        "lesson 02, cell stops: it stops the lesson: ZeroDivisionError: division by zero",
    ]


def test_prepared_copy_keeps_stored_outputs_and_has_quick_parameters(tmp_path, write_stored):
    rows = [("p", "parameters", 'epochs: int = 10\npictures: str = "auto"', []),
            ("a", "", "print(1)", [says("1\n")])]  # fmt: skip
    write_stored(tmp_path / "02_x.ipynb", rows)
    (tmp_path / "quick.yaml").write_text("02: {epochs: 1}", encoding="utf-8")
    outputs.prepare(tmp_path, tmp_path / "out", tmp_path / "results")
    _, injected, last = nbformat.read(tmp_path / "out" / "02_x.ipynb", 4).cells
    assert injected.id == "injected-parameters" and injected.execution_count is None
    assert "epochs = 1" in injected.source and 'pictures = "sample"' in injected.source
    assert last.outputs[0].text == "1\n" and last.execution_count == 2
    (tmp_path / "quick.yaml").write_text("02: {passes: 1}", encoding="utf-8")
    with pytest.raises(CourseError, match="lesson 02 a parameter that it lacks: passes"):
        outputs.prepare(tmp_path, tmp_path / "out", tmp_path / "results")


def marks(folder):
    return {c.id: c.metadata.get("tags", []) for c in nbformat.read(folder / "02_x.ipynb", 4).cells}


def test_elsewhere_nothing_is_compared(tmp_path, write_stored):
    write_stored(tmp_path / "02_x.ipynb", [("a", "", "print(1)", [says("1\n")])])
    here = record.environment(2)
    results = tmp_path / "results"
    record.write_record("02", results, stored={"environment": here, "claims": []})
    assert outputs.prepare(tmp_path, tmp_path / "out", results) == []
    assert marks(tmp_path / "out") == {"a": []}
    other = {"environment": here | {"platform": "Plan 9"}, "claims": []}
    record.write_record("02", results, stored=other)
    [note] = outputs.prepare(tmp_path, tmp_path / "out", results)
    assert note.startswith("lesson 02: runs, outputs not compared (platform ")
    assert marks(tmp_path / "out") == {"a": [outputs.IGNORE, outputs.NOT_HERE]}


def test_real_data_cells_are_compared_on_the_recorded_data_only(
    tmp_path, write_stored, monkeypatch
):
    rows = [("load", "", "train_set = mnist(train=True)", []), ("a", "real-data", "1", [])]
    write_stored(tmp_path / "02_x.ipynb", rows)
    results = tmp_path / "results"
    results.mkdir()
    (results / "data.json").write_text(json.dumps({"mnist": {"train": "1"}}), encoding="utf-8")
    monkeypatch.setattr(sources, "layout", lambda name, folder: "raw")
    for found, expected in [({"train": "1"}, ""), ({"train": "2"}, "is not the recorded one")]:
        monkeypatch.setattr(sources, "fingerprint", lambda name, f=found: f, raising=False)
        notes = outputs.prepare(tmp_path, tmp_path / "out", results)
        assert (expected in notes[0]) if expected else notes == []
        compared = outputs.NOT_HERE not in marks(tmp_path / "out")["a"]
        assert compared == (not expected)
        assert marks(tmp_path / "out")["load"] == []
    monkeypatch.setattr(sources, "layout", lambda name, folder: None)
    assert "mnist is not here" in outputs.prepare(tmp_path, tmp_path / "out", results)[0]


def test_data_are_read_once_for_all_lessons(tmp_path, write_stored, monkeypatch):
    rows = [("load", "real-data", "train_set = mnist(train=True)", [])]
    for name in ("02_x.ipynb", "03_y.ipynb"):
        write_stored(tmp_path / name, rows)
    read = []
    monkeypatch.setattr(sources, "layout", lambda name, folder: "raw")
    monkeypatch.setattr(sources, "fingerprint", read.append)
    notes = outputs.prepare(tmp_path, tmp_path / "out", tmp_path / "results")
    assert notes == [] and read == ["mnist"]


def test_a_cell_not_compared_here_is_not_called_wrongly_marked():
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.metadata["tags"] = [outputs.IGNORE]
    assert "take the mark away" in outputs.complaint(cell, [], True)
    assert outputs.complaint(cell, [], False) == ""
    cell.metadata["tags"] = [outputs.IGNORE, outputs.NOT_HERE]
    assert outputs.complaint(cell, [], True) == ""
    cell.metadata["tags"] = [outputs.IGNORE, "claim"]
    assert outputs.complaint(cell, [], True) == ""
    assert "stderr" in outputs.complaint(cell, [says("late\n", "stderr")], True)


def test_damaged_data_are_one_sentence(monkeypatch, capsys):
    def damaged():
        raise ValueError("labels are damaged: fetch them again")

    monkeypatch.setattr(outputs, "prepare", damaged)
    assert outputs.main() == 2
    assert capsys.readouterr().err == "outputs: labels are damaged: fetch them again\n"
