"""The frame of the checks: what `check`, `hint` and `tally` print, and that nothing escapes."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils import checks
from course_utils.checks import (
    CheckFailed,
    Mistake,
    check,
    hint,
    require,
    require_functions,
    require_tensor,
    tally,
)


@pytest.fixture(autouse=True)
def lesson_98(monkeypatch):
    """Three exercises of a lesson that does not exist, and a memory that is empty again after."""
    monkeypatch.delenv("COURSE_STRICT_CHECKS", raising=False)
    for memory in ("_exercises", "_done", "_hints_given"):
        monkeypatch.setattr(checks, memory, {})
    load = checks._load
    monkeypatch.setattr(checks, "_load", lambda lesson: None if lesson == "98" else load(lesson))

    @checks.exercise("98.1", "Double it", "Add it to itself.", "Or multiply.")
    def double(answer, generator):
        x = torch.rand(1, generator=generator).item()
        require(answer(x) == 2 * x, "it is not the double\nof x")

    @checks.exercise("98.2", "Draw")
    def draw(answer, generator):
        answer(torch.rand(3), np.random.rand(), random.random())

    checks.exercise("98.10", "The last")(lambda answer, generator: None)


def printed(capsys, number, answer):
    check(number, answer)
    text = capsys.readouterr().out
    assert text.count("\n") == 1, "a check prints one line"
    return text.rstrip("\n")


def stub(x):
    raise NotImplementedError


def test_right(capsys):
    assert printed(capsys, "98.1", lambda x: x + x) == "✓ 98.1 Double it"


def test_wrong_names_the_mistake_in_one_line(capsys):
    found = printed(capsys, "98.1", lambda x: x)
    assert found == "✗ 98.1 Double it: it is not the double of x"


@pytest.mark.parametrize("answer", [stub, ..., (1, ...), [...], {"a": ...}])
def test_to_do(capsys, answer):
    assert printed(capsys, "98.1", answer) == "to do: 98.1 Double it"


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda x: {}["a\nb"], "KeyError"),
        (lambda x: exit(), "SystemExit"),
        (None, "TypeError"),
        (3, "TypeError"),
    ],
)
def test_exception_is_named_in_one_line(capsys, answer, name):
    found = printed(capsys, "98.1", answer)
    assert found.startswith("✗ 98.1 Double it: your code raised ")
    assert name in found


def test_long_messages_are_cut(capsys):
    def answer(x):
        raise ValueError("long " * 1000)

    assert len(printed(capsys, "98.1", answer)) < 400


def test_a_keyboard_interrupt_is_not_swallowed():
    def answer(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("98.1", answer)


DISPLAYING = """
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from course_utils.checks import check

shown = CapturingDisplayPublisher()
InteractiveShell.instance().display_pub = shown
check("02.3", lambda a: display("a bar") or 1 / a)
display("a figure")
print(len(shown.outputs), "shown")
"""


def test_what_the_students_code_displays_is_held_back(tmp_path):
    env = os.environ | {"IPYTHONDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", DISPLAYING], env=env, capture_output=True, text=True, check=True
    )
    assert "✓ 02.3 " in ended.stdout and ended.stdout.endswith("1 shown\n")


def test_prints_of_the_students_code_are_held_back(capsys):
    def answer(x):
        print("debugging")
        return 2 * x

    assert printed(capsys, "98.1", answer) == "✓ 98.1 Double it"


def test_random_state_is_left_untouched(capsys):
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(7)
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(7)
    check("98.2", lambda *values: torch.manual_seed(0))
    check("98.1", stub)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected


def test_cases_are_the_same_on_each_call():
    seen = []
    for _ in range(2):
        torch.rand(1)
        check("98.1", lambda x: seen.append(x))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("answer", [stub, lambda x: x, lambda x: 1 / 0])
def test_strict_raises(monkeypatch, answer):
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")
    with pytest.raises(CheckFailed, match=r"98\.1 Double it"):
        check("98.1", answer)
    check("98.1", lambda x: 2 * x)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("98.3", 'Lesson 98 has no exercise "98.3"; it has 98.1, 98.2, 98.10.'),
        ("97.1", "There are no exercises of lesson '97'; there are of"),
        (2.1, 'An exercise is named as text, such as "02.1", not 2.1.'),
        ("2.1", "An exercise is named as text, such as \"02.1\", not '2.1'."),
        (None, 'An exercise is named as text, such as "02.1", not None.'),
    ],
)
def test_unknown_exercise(capsys, monkeypatch, number, sentence):
    assert printed(capsys, number, stub).startswith(sentence)
    hint(number)
    assert capsys.readouterr().out.startswith(sentence)
    monkeypatch.setenv("COURSE_STRICT_CHECKS", "1")
    with pytest.raises(CheckFailed):
        check(number, stub)


def test_hints_come_one_at_a_time_and_again(capsys):
    for _ in range(3):
        hint("98.1")
    assert capsys.readouterr().out.splitlines() == [
        "98.1, hint 1 of 2: Add it to itself.",
        "98.1, hint 2 of 2: Or multiply.",
        "98.1, hint 1 of 2: Add it to itself.",
    ]


def test_no_hints(capsys):
    hint("98.2")
    assert capsys.readouterr().out == "98.2 has no hints.\n"


def test_tally_counts_the_latest_answers(capsys):
    tally("98")
    check("98.1", lambda x: 2 * x)
    check("98.2", stub)
    tally("98")
    check("98.1", lambda x: x)
    tally("98")
    lines = [line for line in capsys.readouterr().out.splitlines() if "done" in line]
    assert lines == ["0 of 3 done, 3 to do", "1 of 3 done, 2 to do", "0 of 3 done, 3 to do"]


def test_tally_of_an_unknown_lesson(capsys):
    tally("97")
    assert "no exercises of lesson '97'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "is a `return` missing"),
        ([1.0, 2.0], "must be a tensor, not list"),
        (torch.zeros(3), r"has shape \(3,\) where \(2,\) is needed"),
        (torch.zeros(2, dtype=torch.int64), "has dtype torch.int64"),
        (torch.tensor([0.0, torch.nan]), "NaN or infinity"),
    ],
)
def test_require_tensor(value, message):
    with pytest.raises(checks.Mistake, match=message):
        require_tensor(value, torch.zeros(2), "the gradient")


def test_require_tensor_returns_float64_without_graph():
    value = require_tensor(torch.ones(2, requires_grad=True), torch.zeros(2), "the gradient")
    assert value.dtype == torch.float64
    assert not value.requires_grad
    assert require_tensor(torch.ones(2).int(), torch.zeros(2), "it", floating=False).sum() == 2


def test_close_refuses_to_broadcast():
    assert checks.close(torch.ones(2), torch.ones(2))
    assert not checks.close(torch.ones(2), torch.ones(1))
    assert not checks.close(1.0, 1.01)
    assert not checks.close(float("nan"), float("nan"))


@pytest.mark.parametrize("answer", [len, (len,), (len, 3), [len, max, min], None])
def test_require_functions(answer):
    with pytest.raises(Mistake, match=r"a pair of functions: \(first, second\)"):
        require_functions(answer, "first", "second")


def test_a_list_of_two_functions_is_a_pair():
    require_functions([len, max], "first", "second")
