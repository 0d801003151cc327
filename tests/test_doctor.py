"""course/doctor: what is there, and each problem with its cure."""

import importlib.metadata
import subprocess
import sys

import pytest

from course_utils.__main__ import main as command
from course_utils.course import doctor


def test_a_sound_machine(capsys):
    assert command(["doctor"]) in (0, 1)
    out = capsys.readouterr().out
    for name in ("python", "torch", "torchvision", "devices", "cores", "disk", "data folder",
                 "mnist", "cifar10", "kernel", "course-utils"):  # fmt: skip
        assert f"\n{name}" in "\n" + out, name


def test_each_problem_has_its_cure(monkeypatch, capsys, tmp_path):
    version = importlib.metadata.version

    def without_papermill(name):
        if name == "papermill":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", without_papermill)
    monkeypatch.setattr(doctor, "DISK_GB", 1e9)
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10))
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "file"))
    assert doctor.main([]) == 1
    problems = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert len(problems) == 4
    for problem, word in zip(problems, ("install a newer", "make env", "make room", "COURSE_DATA"),
                             strict=True):  # fmt: skip
        assert word in problem and problem.endswith(".")


def test_without_torch_it_says_so():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"  # as if it were not installed
        "from course_utils.__main__ import main\n"
        "sys.exit(main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and not done.stderr, done.stderr
    assert "✗ torch or torchvision cannot be loaded" in done.stdout


def test_a_torch_that_does_not_load(monkeypatch):
    import builtins

    real = builtins.__import__

    def broken(name, *rest, **more):
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist\nmore")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", broken)
    report = doctor.Report()
    doctor.devices(report)
    assert report.problems == [
        "torch or torchvision cannot be loaded (operator torchvision::nms does not exist): "
        f"install both together, {doctor.INSTALL}."
    ]


@pytest.mark.parametrize("argv", [["grad"], ["Run"]])
def test_unknown_command(argv, capsys):
    assert command(argv) == 2
    assert "there are run, doctor, data" in capsys.readouterr().err


def test_commands_are_listed(capsys):
    assert command([]) == 0
    assert "doctor" in capsys.readouterr().out
    assert doctor.main(["x"]) == 2


def test_interruption_is_one_word(monkeypatch, capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "main", interrupted)
    assert command(["doctor"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."
