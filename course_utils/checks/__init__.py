"""Checks of the exercises: `check`, `hint`, `tally`, and what a lesson's checks are written with.

The checks of lesson NN live in `lesson_NN.py`, those of its sweeps in `lesson_NNs.py`, one function
each, registered by `exercise`. A check gets the student's answer and a generator of its own, tries
random cases against an oracle, and calls `require` with the likely mistake in words. It never tells
the answer.
"""

import contextlib
import importlib
import io
import math
import numbers
import os
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

_exercises = {}  # id -> Exercise, filled by the modules lesson_NN as they are imported
_done = {}  # id -> whether the latest answer was right
_hints_given = {}  # id -> how many hints have been printed


class Mistake(Exception):
    """The answer is wrong; the message names the likely mistake in one line."""


class CheckFailed(AssertionError):
    """An answer was not right where every answer must be (`COURSE_STRICT_CHECKS=1`)."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number such as "02.1", its title, its hints in order, and its check."""

    number: str
    title: str
    hints: tuple
    check: object


def exercise(number, title, *hints):
    """Register the decorated function as the check of one exercise.

    The function is called as `check_it(answer, generator)`, where `generator` is a
    `torch.Generator` seeded anew on each call. It returns if the answer is right.
    """

    def register(check_it):
        _exercises[number] = Exercise(number, title, hints, check_it)
        return check_it

    return register


def require(condition, mistake):
    """Raise `Mistake` with this sentence unless the condition is true."""
    if not condition:
        raise Mistake(mistake)


def require_tensor(value, like, what, floating=True):
    """Require that `value` is a finite tensor of the shape of `like`, and return it in float64.

    Args:
        value: what the student's code returned.
        like: a tensor of the right shape.
        what: its name in messages, such as "the gradient of W".
        floating: whether its dtype must be floating; only then are NaN and infinity looked for.
    """
    require(value is not None, f"{what} is None: is a `return` missing?")
    kind = type(value).__name__
    require(isinstance(value, torch.Tensor), f"{what} must be a tensor, not {kind}")
    shape, expected = tuple(value.shape), tuple(like.shape)
    require(shape == expected, f"{what} has shape {shape} where {expected} is needed")
    if floating:
        require(value.is_floating_point(), f"{what} has dtype {value.dtype}, not a floating one")
        require(bool(value.isfinite().all()), f"{what} holds NaN or infinity")
    return value.detach().cpu().double()


def require_number(value, what):
    """Require that `value` is one finite number or a tensor of one, and return it as a float."""
    require(value is not None, f"{what} is None: is a `return` missing?")
    if isinstance(value, torch.Tensor):
        require(value.numel() == 1, f"{what} must be one number, not of shape {tuple(value.shape)}")
        value = value.item()
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    require(number, f"{what} must be a number, not {type(value).__name__}")
    require(math.isfinite(value), f"{what} is {value}, not a finite number")
    return float(value)


def require_functions(answer, first, second):
    """Require that an answer is a pair of functions; their names are for the message."""
    pair = isinstance(answer, tuple | list) and len(answer) == 2 and all(map(callable, answer))
    require(pair, f"the answer is a pair of functions: ({first}, {second})")


def with_calls(function, *arguments):
    """Return a function's result and the names of what it called of PyTorch's."""
    with _CallRecorder() as recorder:
        result = function(*arguments)
    return result, recorder.names


class _CallRecorder(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.names.append(getattr(function, "__name__", ""))
        return function(*args, **(kwargs or {}))


def close(value, expected, rtol=1e-4, atol=1e-6):
    """Whether two numbers or tensors of one shape agree within the tolerances."""
    value, expected = (torch.as_tensor(v, dtype=torch.float64) for v in (value, expected))
    return value.shape == expected.shape and torch.allclose(value, expected, rtol=rtol, atol=atol)


def check(number, answer):
    """Check an answer to an exercise and print one line: ✓, ✗ with the likely mistake, or "to do".

    Never raises, whatever the answer does, unless `COURSE_STRICT_CHECKS` is 1. The random state
    is left as it was.

    Args:
        number: the exercise's number as text, such as "02.1".
        answer: what the exercise asks for, mostly a function; `...` counts as not yet done.

    Raises:
        CheckFailed: with `COURSE_STRICT_CHECKS=1`, if the answer is anything but right.

    Example:
        >>> check("02.1", ...)
        to do: 02.1 Descend where the landscape is wild
    """
    found = find_exercise(number)
    if isinstance(found, str):
        right, line = False, found
    else:
        right, line = judge(found, answer)
        _done[number] = right
    print(line)
    if not right and os.environ.get("COURSE_STRICT_CHECKS") == "1":
        raise CheckFailed(line)


def hint(number):
    """Print the next hint for an exercise; after the last one the first comes again.

    Example:
        >>> hint("02.99")
        Lesson 02 has no exercise "02.99"; it has 02.1, 02.2, 02.3, 02.4.
    """
    found = find_exercise(number)
    if isinstance(found, str):
        print(found)
    elif not found.hints:
        print(f"{number} has no hints.")
    else:
        given = _hints_given.get(number, 0)
        _hints_given[number] = given + 1
        place = given % len(found.hints)
        print(f"{number}, hint {place + 1} of {len(found.hints)}: {found.hints[place]}")


def tally(lesson):
    """Print how many of a lesson's exercises have been answered rightly so far.

    Args:
        lesson: the lesson's number as text, such as "02".
    """
    problem = _load(lesson)
    if problem:
        print(problem)
        return
    numbers = _numbers(lesson)
    done = sum(_done.get(number, False) for number in numbers)
    print(f"{done} of {len(numbers)} done, {len(numbers) - done} to do")


def judge(found, answer):
    """Return whether the answer to an `Exercise` is right, and the line that `check` prints."""
    name = f"{found.number} {found.title}"
    try:
        if _has_ellipsis(answer):
            raise NotImplementedError
        with _random_state_kept(), _unseen():
            found.check(answer, torch.Generator().manual_seed(20))
    except NotImplementedError:
        return False, f"to do: {name}"
    except Mistake as mistake:
        return False, f"✗ {name}: {_one_line(mistake)}"
    except (Exception, SystemExit) as error:
        return False, f"✗ {name}: your code raised {type(error).__name__}: {_one_line(error)}"
    return True, f"✓ {name}"


def _unseen():
    """Hide what an answer prints and displays: on many cases it would bury the verdict."""
    if "IPython" not in sys.modules:
        return contextlib.redirect_stdout(io.StringIO())
    from IPython.utils.capture import capture_output  # progress bars and figures too

    return capture_output(stderr=False)


def _has_ellipsis(answer):
    if isinstance(answer, tuple | list):
        return any(_has_ellipsis(part) for part in answer)
    if isinstance(answer, dict):
        return any(_has_ellipsis(part) for part in answer.values())
    return answer is ...


@contextlib.contextmanager
def _random_state_kept():
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _one_line(error, longest=300):
    text = " ".join(str(error).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def find_exercise(number):
    """Return the `Exercise` of this number, or a sentence saying why there is none."""
    if not (isinstance(number, str) and re.fullmatch(r"\d\ds?\.\d+", number)):
        return f'An exercise is named as text, such as "02.1", not {number!r}.'
    lesson = number.split(".")[0]
    problem = _load(lesson)
    if problem or number in _exercises:
        return problem or _exercises[number]
    known = ", ".join(_numbers(lesson))
    return f'Lesson {lesson} has no exercise "{number}"; it has {known}.'


def _load(lesson):
    """Import a lesson's checks; a sentence if there are none, else None."""
    files = Path(__file__).parent.glob("lesson_[0-9][0-9]*.py")
    lessons = sorted(file.stem.removeprefix("lesson_") for file in files)
    if lesson not in lessons:
        return f"There are no exercises of lesson {lesson!r}; there are of {', '.join(lessons)}."
    importlib.import_module(f"{__name__}.lesson_{lesson}")
    return None


def exercises_of(lesson):
    """Return the numbers of a lesson's exercises in order, [] if it has none.

    Example:
        >>> exercises_of("02")
        ['02.1', '02.2', '02.3', '02.4']
    """
    return [] if _load(lesson) else _numbers(lesson)


def _numbers(lesson):
    numbers = [number for number in _exercises if number.split(".")[0] == lesson]
    return sorted(numbers, key=lambda number: int(number.split(".")[1]))
