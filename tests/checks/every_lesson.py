"""What the check of every exercise must do: tests that the test modules of the lessons import.

Such a module gives them `RIGHT`, pairs of an exercise's number and an answer; `WRONG`, the same and
what the check must say, where the docstring of the answer names the mistake; and `KINDS`, values
that no right answer returns. Where an exercise wants two functions, `as_answer(number, function)`
makes an answer of one. All names of `__all__` are imported: pytest looks for them in the module.
"""

import pytest

from course_utils import checks
from course_utils.checks import check

__all__ = [
    "answer_of",
    "forgetful",
    "pytest_generate_tests",
    "stub",
    "test_answers_of_the_wrong_kind",
    "test_mistakes_are_named",
    "test_right_answers_pass",
    "test_stubs_are_to_do",
    "test_two_right_answers_three_mistakes_and_three_hints_each",
    "verdict",
]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """No exercise is done yet, and none must be."""
    monkeypatch.delenv("COURSE_STRICT_CHECKS", raising=False)
    monkeypatch.setattr(checks, "_done", {})


@pytest.fixture
def answer_of(request):
    """The module's `as_answer`, or what leaves a function as it is."""
    return getattr(request.module, "as_answer", lambda number, function: function)


def pytest_generate_tests(metafunc):
    """One test an answer, an exercise, a value."""
    if metafunc.function.__module__ != __name__:
        return
    given = metafunc.module
    lists = {"right": given.RIGHT, "wrong": given.WRONG, "value": given.KINDS}
    lists["number"] = sorted({number for number, _ in given.RIGHT})
    for argument, values in lists.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, values, ids=map(title, values))


def verdict(capsys, number, answer):
    """What the check says."""
    check(number, answer)
    return capsys.readouterr().out


def title(value):
    """A test's title: the numbers and names in what it is given, or the value as text."""
    if isinstance(value, tuple) and value and isinstance(value[0], str) and len(value) > 1:
        number, answer = value[:2]
        return "-".join([number, *(getattr(part, "__name__", str(part)) for part in parts(answer))])
    return str(value)


def parts(answer):
    """The functions of an answer: one, or a tuple of them."""
    return answer if isinstance(answer, tuple) else (answer,)


def stub(*arguments, **options):
    raise NotImplementedError


def test_right_answers_pass(capsys, right):
    number, answer = right
    assert verdict(capsys, number, answer).startswith(f"✓ {number}")


def test_mistakes_are_named(capsys, wrong, request):
    number, answer, said = wrong
    right = {part for _, other in request.module.RIGHT for part in parts(other)}
    assert all(part.__doc__ for part in parts(answer) if part not in right)
    line = verdict(capsys, number, answer)
    assert line.startswith("✗")
    assert said in line
    assert "raised" not in line, "a wrong answer must run"


def test_stubs_are_to_do(capsys, number, answer_of):
    for answer in (stub, ...):
        assert verdict(capsys, number, answer_of(number, answer)).startswith("to do")


def test_answers_of_the_wrong_kind(capsys, number, value, answer_of):
    line = verdict(capsys, number, answer_of(number, lambda *arguments, **options: value))
    assert line.startswith("✗")
    assert "your code raised" not in line


def test_two_right_answers_three_mistakes_and_three_hints_each(request, number):
    assert sum(right[0] == number for right in request.module.RIGHT) >= 2
    assert sum(wrong[0] == number for wrong in request.module.WRONG) >= 3
    assert len(checks.find_exercise(number).hints) >= 3
