"""The commands of `tests/benchmarks` run and refuse what makes no sense; numbers are not tested."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from structure import ROOT

SPEED, MINUTES = (
    [sys.executable, str(ROOT / "tests" / "benchmarks" / name)]
    for name in ("speed.py", "minutes.py")
)


def test_every_part_prints_a_ratio(tmp_path):
    environment = os.environ | {"COURSE_DATA": str(tmp_path), "COURSE_NO_PROGRESS": "1"}
    ran = subprocess.run(
        [*SPEED, "--pairs", "2", "--scale", "0.01", "--device", "cpu"],
        env=environment, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "torch" in ran.stdout.splitlines()[0] or "sample" in ran.stdout
    for words in ("times their bytes", "train to bare", "channels_last", "torchvision's"):
        assert words in ran.stdout
    assert ran.stdout.count("2 pairs") == 4 + 6 + 1 + 1


@pytest.mark.parametrize("wrong", [("--pairs", "0"), ("--scale", "0"), ("--part", "nets")])
def test_bad_arguments_are_refused_in_a_line(wrong):
    ran = subprocess.run([*SPEED, *wrong], capture_output=True, text=True)
    assert ran.returncode == 2 and "error" in ran.stderr and "Traceback" not in ran.stderr


def test_minutes_are_added_up_by_what_cells_do(tmp_path):
    path = write_executed(tmp_path / "build" / "02_toy.ipynb")
    ran = subprocess.run([*MINUTES, str(path.parent)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    names, lesson, total = (line.split() for line in ran.stdout.splitlines()[2:5])
    row = dict(zip(names, map(float, lesson[1:]), strict=True))
    assert lesson[0] == "02" and total[1:] == lesson[1:]
    assert row == {
        "start": 1, "imports": 2, "data": 3, "figures": 4, "claims": 5, "computing": 6,
        "between": 9, "all": 30,
    }  # fmt: skip
    assert ran.stdout.splitlines()[-1].split() == ["3.0", "02", "data"]


def test_minutes_need_an_executed_lesson(tmp_path):
    ran = subprocess.run([*MINUTES, str(tmp_path)], capture_output=True, text=True)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1 and "make run" in ran.stderr


def write_executed(path):
    """Write a lesson as papermill leaves it: 1 s to start, cells of 2 to 6 s, a second between."""

    def mark(start, end):
        times = {"start_time": start, "end_time": end}
        return {"papermill": {key: f"2030-01-01T00:00:{at:02}" for key, at in times.items()}}

    picture = new_output("display_data", {"image/png": "", "text/plain": ""})
    rows = [
        ("imports", "import torch", [], 1, 3),
        ("data", "mnist(train=True)", [], 4, 7),
        ("figure", "plt.show()", [picture], 8, 12),
        ("claim", "claim()", [], 13, 18),
        ("train", "train()", [], 19, 25),
    ]
    cells = [
        new_code_cell(source, id=name, outputs=outputs, metadata=mark(start, end))
        for name, source, outputs, start, end in rows
    ]
    cells[3].metadata["tags"] = ["claim"]
    path.parent.mkdir()
    nbformat.write(new_notebook(cells=cells, metadata=mark(0, 30)), path)
    return path
