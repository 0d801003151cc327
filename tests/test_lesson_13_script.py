"""Lesson 13: its script in two processes, after an accident, and with what cannot work.

No test asks how long anything took.
"""

import importlib.util
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import torch
from torch.utils.data import DistributedSampler, Subset

from course_utils import (
    accuracy,
    evaluate,
    load_checkpoint,
    make_loader,
    mnist,
    most_likely,
    train_one_epoch,
)
from course_utils.course import launch, lessons
from course_utils.course.launch import torchrun
from course_utils.course.lessons import NOTEBOOKS

SCRIPT = NOTEBOOKS / "13_ddp.py"
LESSON = lessons.find_lessons(NOTEBOOKS)["13"]
TEXT = SCRIPT.read_text(encoding="utf-8")
CELLS = {cell.id: cell.source for cell in lessons.read_notebook(LESSON).cells}
# The last of seven batches is smaller; the shares to validate on are unequal.
SETTINGS = {"epochs": 2, "lr": 0.05, "batch_size": 25, "train_size": 320, "val_size": 101}
SETTINGS |= {"seed": 3}
PLACE = "        history.append"
FAILURE = """        if rank == 1:
            raise ValueError("no such digit")
"""
ACCIDENT = """        if (rank, epoch, os.environ["TORCHELASTIC_RESTART_COUNT"]) == (1, 2, "0"):
            os.kill(os.getpid(), 9)
"""
pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or sys.platform == "win32", reason="torchrun lacks libuv"
)


def given(folder):
    """Return the script's settings as they are typed."""
    chosen = SETTINGS | {"checkpoint": folder / "run.pt"}
    return [f"--{name}={value}" for name, value in chosen.items()]


@pytest.fixture(scope="module")
def ddp():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("ddp_of_lesson_13", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def start(ddp, tmp_path_factory):
    """Return a function that launches a script; it returns its line, weights and history."""

    def start(text=TEXT, **options):
        folder = tmp_path_factory.mktemp("run")
        (folder / "ddp.py").write_text(text, encoding="utf-8")
        line = torchrun(folder / "ddp.py", *given(folder), **options)
        assert processes_of(folder) == []
        return line, *outcome(ddp, folder)

    return start


def outcome(ddp, folder):
    """Return weights and history of a run's checkpoint, or None twice."""
    model = ddp.make_model(0)
    if not (folder / "run.pt").exists():
        return None, None
    return model, load_checkpoint(folder / "run.pt", model)["history"]


def same(first, second):
    """Return whether two models have the same weights, bit for bit."""
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def calm(start):
    """The undisturbed run of two processes."""
    return start(processes=2)


def processes_of(folder):
    """Processes with this folder in their command; one that is ending has a moment to do so."""
    for _ in range(100):
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


def test_script_is_short_and_is_what_the_lesson_writes():
    assert len(TEXT.splitlines()) <= 60
    ends = {}
    exec(CELLS["header"], ends)
    functions = [CELLS[name] + "\n" for name in ("make-model", "evaluate-all", "main")]
    assert "\n\n".join([ends["top"], *functions, ends["bottom"]]) == TEXT, (
        "run the lesson; it writes 13_ddp.py beside its copy: store that as notebooks/13_ddp.py"
    )


def test_script_s_defaults_are_the_lesson_s_parameters(ddp):
    defaults = {name: known.default for name, known in lessons.parameters(LESSON).items()}
    for name in SETTINGS.keys() - {"batch_size"}:
        assert ddp.SETTINGS[name] == defaults[name], name
    assert 2 * ddp.SETTINGS["batch_size"] == defaults["batch_size"]


def test_two_processes_learn_what_one_learns(ddp, calm):
    line, saved, history = calm
    assert line == "finished"
    train_set = Subset(mnist(train=True), range(SETTINGS["train_size"]))
    val_set = Subset(mnist(train=False), range(SETTINGS["val_size"]))
    sampler = DistributedSampler(train_set, num_replicas=1, rank=0, seed=SETTINGS["seed"])
    model = ddp.make_model(SETTINGS["seed"])
    begun = [parameter.clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=SETTINGS["lr"], momentum=0.9)
    loss_fn = torch.nn.CrossEntropyLoss()
    scores = {"metrics": {"accuracy": accuracy}, "decide": most_likely}
    for epoch in range(1, SETTINGS["epochs"] + 1):
        sampler.set_epoch(epoch)
        loader = make_loader(train_set, 2 * SETTINGS["batch_size"], sampler=sampler)
        train_one_epoch(model, loss_fn, optimizer, loader)
        result = evaluate(model, loss_fn, make_loader(val_set, 40), **scores)
        row = history[epoch - 1]
        assert row["val_loss"] == pytest.approx(result["loss"], rel=1e-5)
        assert row["val_accuracy"] == pytest.approx(result["accuracy"], abs=1e-6)
    for ours, theirs, was in zip(model.parameters(), saved.parameters(), begun, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
        assert not torch.allclose(ours, was, atol=1e-3)


def test_two_machines_learn_what_two_processes_learn(ddp, calm, tmp_path):
    """Two launchers with a process each, as the lesson's second command starts them."""
    port = launch.free_port()
    command = launch.command_line(SCRIPT, given(tmp_path), 1, 0, port)
    command = [sys.executable, *command[:2], "--nnodes", "2", *command[2:]]

    def machine(_):
        return launch.run(command, 240, launch.environment())

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(machine, range(2)))
    assert [code for code, _ in ended] == [0, 0], ended
    model, history = outcome(ddp, tmp_path)
    assert history == calm[2] and same(model, calm[1])


def test_killed_run_is_restarted_and_ends_like_an_undisturbed_one(start, calm):
    line, saved, history = start(TEXT.replace(PLACE, ACCIDENT + PLACE), restarts=1)
    assert line == "finished"
    assert history == calm[2] and same(saved, calm[1])


def test_failing_worker_is_named_in_one_line(start):
    line, *saved = start(TEXT.replace(PLACE, FAILURE + PLACE), processes=2)
    assert line == "worker 1 failed: ValueError: no such digit"
    assert saved == [None, None]


def test_refused_setting_is_named_in_one_line(tmp_path):
    line = torchrun(SCRIPT, "--epochs=many", processes=1)
    assert line.startswith("worker 0 failed: 13_ddp.py: error: argument --epochs: invalid int")


def test_script_that_hangs_is_ended(tmp_path):
    (tmp_path / "hangs.py").write_text("import time\n\ntime.sleep(600)\n", encoding="utf-8")
    line = torchrun(tmp_path / "hangs.py", timeout=10)
    assert line.startswith("ended after 10 s")
    assert processes_of(tmp_path) == []


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
        (
            "[rank1]: AssertionError\n[rank0]: RuntimeError: gloo: timeout\n"
            + TABLE.format(first=1, second=1),
            "worker 1 failed: AssertionError",
        ),
        (
            "ddp.py: error: argument --lr: invalid\n" + TABLE.format(first=2, second=2),
            "worker 1 failed: ddp.py: error: argument --lr: invalid",
        ),
        (TABLE.format(first=-15, second=7), "worker 1 ended with code 7"),
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


def test_without_torchrun_the_script_is_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert launch.command_line("ddp.py", (3,), 1, 0, None) == ["ddp.py", "3"]
    found = launch.environment()
    assert (found["RANK"], found["WORLD_SIZE"], found["LOCAL_WORLD_SIZE"]) == ("0", "1", "1")
    assert "can only be 1 on Windows, not 2" in torchrun(tmp_path / "ddp.py", processes=2)
