"""`tests/benchmarks/speed.py` runs and refuses what makes no sense; its numbers are not tested."""

import os
import subprocess
import sys

import pytest
from structure import ROOT

SPEED = [sys.executable, str(ROOT / "tests" / "benchmarks" / "speed.py")]


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
