"""Lesson 13: its script in two processes, after an accident, and with what cannot work.

The script is put together from the notebook's own cells. No test asks how long anything took.
"""

import importlib.util
import socket
import subprocess
import sys
import time

import psutil
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from course_utils import accuracy, evaluate, most_likely
from course_utils.course import launch
from course_utils.course.launch import torchrun
from course_utils.course.lessons import NOTEBOOKS, ROOT, find_lessons, read_notebook

SETTINGS = {"epochs": 2, "lr": 0.02, "batch_size": 50, "hidden_size": 16, "seed": 3}
FAILURE = """        if rank == 1:
            raise ValueError("no such digit")
"""
pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or sys.platform == "win32", reason="torchrun lacks libuv"
)


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The lesson's cells that make the script, as a module of their own."""
    notebook = read_notebook(find_lessons(NOTEBOOKS)["13"])
    source = {cell.id: cell.source for cell in notebook.cells}
    names = ("imports", "make-model", "evaluate-all", "main", "header", "script", "accident")
    path = tmp_path_factory.mktemp("cells") / "cells_of_lesson_13.py"
    path.write_text("\n\n".join(source[name] for name in names), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    threads, sys.modules[path.stem] = torch.get_num_threads(), module
    spec.loader.exec_module(module)
    torch.set_num_threads(threads)
    yield module
    module.folder.cleanup()
    del sys.modules[path.stem]


@pytest.fixture(scope="module")
def data():
    """Pictures of noise with a class that a network can learn; an odd number to validate on."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(401, 1, 28, 28, generator=generator)
    targets = images[:, 0, :, :14].mean(dim=(1, 2)).gt(0).long() + 2 * (images[:, 0, 0, 0] > 0)
    return {"train": (images[:300], targets[:300]), "val": (images[300:], targets[300:])}


@pytest.fixture(scope="module")
def start(cells, data, tmp_path_factory):
    """Return a function that launches a script and returns its line and its checkpoint."""

    def start(script=cells.script, **options):
        folder = tmp_path_factory.mktemp("run")
        torch.save(SETTINGS | data, folder / "run.pt")
        (folder / "ddp.py").write_text(script, encoding="utf-8")
        line = torchrun(folder / "ddp.py", folder=folder, **options)
        assert processes_of(folder) == []
        saved = folder / "checkpoint.pt"
        return line, torch.load(saved) if saved.exists() else None

    return start


@pytest.fixture(scope="module")
def calm(start):
    """The undisturbed run of two processes."""
    return start(processes=2)


def processes_of(folder):
    """Processes with this folder in their command; one that is ending has a moment to do so."""
    for _ in range(50):
        running = psutil.process_iter(["cmdline", "status"])
        left = [
            process
            for process in running
            if str(folder) in " ".join(process.info["cmdline"] or [])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]
        if not left:
            break
        time.sleep(0.1)
    return left


def test_script_is_short_and_in_style(cells, tmp_path):
    assert len(cells.script.splitlines()) <= 60
    path = tmp_path / "ddp.py"
    path.write_text(cells.script, encoding="utf-8")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", ROOT / "pyproject.toml", path]
        done = subprocess.run(ruff, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_two_processes_learn_what_one_learns(cells, calm, data):
    line, saved = calm
    assert line == "finished"
    train_set, val_set = TensorDataset(*data["train"]), TensorDataset(*data["val"])
    sampler = DistributedSampler(train_set, num_replicas=1, rank=0, seed=SETTINGS["seed"])
    model = cells.make_model(SETTINGS["hidden_size"], SETTINGS["seed"])
    begun = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=SETTINGS["lr"], momentum=0.9)
    loss_fn = torch.nn.CrossEntropyLoss()
    for epoch in range(1, SETTINGS["epochs"] + 1):
        sampler.set_epoch(epoch)
        for images, targets in DataLoader(train_set, SETTINGS["batch_size"], sampler=sampler):
            optimizer.zero_grad()
            loss_fn(model(images), targets).backward()
            optimizer.step()
        scores = {"metrics": {"accuracy": accuracy}, "decide": most_likely}
        result = evaluate(model, loss_fn, DataLoader(val_set, 40), **scores)
        row = saved["history"][epoch - 1]
        assert row["val_loss"] == pytest.approx(result["loss"], rel=1e-5)
        assert row["val_accuracy"] == pytest.approx(result["accuracy"], abs=1e-6)
    for name, tensor in model.state_dict().items():
        assert torch.allclose(saved["model"][name], tensor, atol=1e-5)
        assert not torch.allclose(begun[name], tensor, atol=1e-3)


def test_killed_run_ends_like_an_undisturbed_one(cells, start, calm):
    line, saved = start(cells.fatal, processes=2, restarts=1)
    assert line == "finished"
    assert saved["history"] == calm[1]["history"]
    for name, tensor in calm[1]["model"].items():
        assert torch.equal(saved["model"][name], tensor)


def test_failing_worker_is_named_in_one_line(cells, start):
    script = cells.script.replace(cells.place, FAILURE + cells.place)
    line, saved = start(script, processes=2)
    assert line == "worker 1 failed: ValueError: no such digit"
    assert saved is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"processes": 0}, "at least 1, not 0"),
        ({"processes": True}, "at least 1, not True"),
        ({"processes": "2"}, "at least 1, not '2'"),
        ({"port": 70_000}, "port 70000 is taken"),
    ],
)
def test_what_cannot_work_is_not_started(tmp_path, monkeypatch, options, said):
    monkeypatch.setattr(launch, "run", lambda *arguments: pytest.fail("started"))
    (tmp_path / "ddp.py").touch()
    line = torchrun(tmp_path / "ddp.py", **options)
    assert line.startswith("not started: ") and said in line and "\n" not in line
    assert "there is no script" in torchrun(tmp_path / "none.py")


def test_port_that_is_taken_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "run", lambda *arguments: pytest.fail("started"))
    (tmp_path / "ddp.py").touch()
    with socket.socket() as other:
        other.bind((launch.LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        line = torchrun(tmp_path / "ddp.py", port=port)
    assert line.startswith(f"not started: port {port} is taken")


def test_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
    child = "import time; time.sleep(60)"
    (tmp_path / "child.py").write_text(child, encoding="utf-8")
    path = str(tmp_path / "child.py")
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, {path!r}])"
    code, _ = launch.run([sys.executable, "-c", parent], timeout=2)
    assert code is None
    assert processes_of(tmp_path) == []


TABLE = """
Failures:
[1]:
  rank      : 0 (local_rank: 0)
  exitcode  : {first} (pid: 32719)
-----
Root Cause (first observed failure):
[0]:
  rank      : 1 (local_rank: 1)
  exitcode  : {second} (pid: 32720)
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "[rank0]: RuntimeError: gloo: Connection closed by peer\n"
            + TABLE.format(first=1, second=-9),
            "worker 1 was killed (signal 9)",
        ),
        (
            "[rank0]: RuntimeError: Connection closed by peer\n[rank1]: KeyError: 'lr'\n"
            "torch.distributed.elastic.ChildFailedError: \n" + TABLE.format(first=-15, second=1),
            "worker 1 failed: KeyError: 'lr'",
        ),
        ("ImportError: no torch", "worker ? failed: ImportError: no torch"),
        ("a\nb", "torchrun ended with code 3: b"),
        ("", "torchrun ended with code 3: no word"),
    ],
)
def test_cause_is_the_first_failure_not_what_it_did_to_the_others(said, line):
    assert launch._cause(said, 3) == line


def test_workers_get_one_thread_and_none_of_the_runners_variables(monkeypatch):
    monkeypatch.setenv("COURSE_CLAIMS", "full")
    monkeypatch.setenv("COURSE_RECORD", "somewhere")
    found = launch.environment(COURSE_RECORD="here")
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["COURSE_RECORD"] == "here"
    assert "COURSE_CLAIMS" not in found


def test_without_torchrun_the_script_is_one_process(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert launch.command_line("ddp.py", 3) == ["ddp.py", "3"]
    found = launch.environment()
    assert (found["RANK"], found["WORLD_SIZE"], found["LOCAL_WORLD_SIZE"]) == ("0", "1", "1")
