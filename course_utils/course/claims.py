"""Claims: what a lesson says it found, checked by the run at hand and shown beside the record.

The record is `results/NN.json`, one file a lesson, gathered over several seeds by the runner. This
file prints and notes claims; it runs nothing and judges no lesson.
"""

import json
import os
import sys
from functools import cache
from pathlib import Path

import torch

SCALES = ("any", "full")
READ_ON = "lesson 01, “Why my numbers differ from yours”, says how to read this"
MARKS = {"holds": "✓", "fails": "✗", "not checked": "–"}


class ClaimError(AssertionError):
    """A claim did not hold in a run where claims must hold."""


def claim(text, holds, measured=None, item=None, at="any"):
    """Print whether a statement holds in this run, with the numbers it rests on.

    A claim that fails prints ✗, what differs from the recorded run and where to read on, and the
    lesson goes on.
    Only where the runner has set `COURSE_CLAIMS` does a failing claim raise.

    Args:
        text: the statement, one sentence; the claim's name in the record.
        holds: whether this run shows it, anything with one truth value.
        measured: a number, or a dict of short name -> number. Names that begin with "seconds" or
            "time" are times: recorded, never compared.
        item: the document's item this answers, such as "IDL-157"; `results/documents.csv` has all.
        at: "any" if it must hold at every scale and on the sample data too, "full" if only with
            the stored parameters and the real data.

    Raises:
        ValueError: if `at` is neither, or `COURSE_CLAIMS` is set to neither.
        TypeError: if `measured` holds something that is not a number.
        ClaimError: if the claim fails where `COURSE_CLAIMS` says that it must hold.

    Example:
        >>> claim("two halves make a whole", 0.5 + 0.5 == 1, measured={"sum": 0.5 + 0.5})
        ✓ two halves make a whole
            measured: sum 1
    """
    scale = os.environ.get("COURSE_CLAIMS")
    if at not in SCALES:
        raise ValueError(f"at must be one of {SCALES}, not {at!r}")
    if scale not in (None, "", *SCALES):
        raise ValueError(f"COURSE_CLAIMS must be one of {SCALES} or unset, not {scale!r}")
    holds, measured = bool(holds), _as_numbers(measured)
    checked = at == "any" or scale != "any"
    status = "not checked" if not checked else "holds" if holds else "fails"
    record, entry = recorded(text)

    print(render_claim(text, status, measured, entry))
    if status == "fails":
        print(f"    {_why_it_may_differ(record)}\n    {READ_ON}")
    if path := os.environ.get("COURSE_RECORD"):
        row = {"text": text, "at": at, "item": item}
        row |= {"holds": holds, "checked": checked, "measured": measured}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    if status == "fails" and scale:
        raise ClaimError(f"claim failed: {text} (measured: {_render(measured) or 'nothing'})")


def render_claim(text, status, measured, entry=None):
    """Return the lines that `claim` prints, so that a stored line can be compared with the record.

    Args:
        text: the statement.
        status: "holds", "fails" or "not checked".
        measured: dict of name -> number, may be empty.
        entry: the claim's entry in `results/NN.json`, if it has been recorded.

    Example:
        >>> print(render_claim("it is small", "not checked", {"size": 0.12345}))
        – it is small (not checked at this scale)
            measured: size 0.1235
    """
    aside = " (not checked at this scale)" if status == "not checked" else ""
    lines = [f"{MARKS[status]} {text}{aside}"]
    if measured:
        lines.append(f"measured: {_render(measured)}")
    if entry and entry["n"] > 1:
        spread = ", ".join(
            f"{name} {_number(mean)} ({_number(entry['low'][name])}–{_number(entry['high'][name])})"
            for name, mean in entry["mean"].items()
        )
        held = f"held in {sum(entry['holds'])} of {entry['n']}"
        lines.append(f"recorded over {entry['n']} seeds: {held}{'; ' + spread if spread else ''}")
    return "\n    ".join(lines)


def recorded(text):
    """Return the lesson's record and this claim's entry in it, or (None, None).

    Example:
        >>> recorded("a claim that no lesson makes")
        (None, None)
    """
    for record in _records():
        for entry in record.get("claims", []):
            if entry["text"] == text:
                return record, entry
    return None, None


@cache
def _records():
    """All of `results/NN.json`: in the installed package, else in the checkout."""
    package = Path(__file__).parents[1]
    installed, checkout = package / "results", package.parent / "results"
    folder = installed if installed.is_dir() else checkout
    files = sorted(folder.glob("[0-9][0-9].json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def _as_numbers(measured):
    """`measured` as a dict of plain ints and floats, which JSON can hold."""
    if measured is None:
        return {}
    if not isinstance(measured, dict):
        measured = {"value": measured}
    numbers = {}
    for name, value in measured.items():
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"measured must hold numbers, but {name!r} is {value!r}")
        numbers[str(name)] = value
    return numbers


def _number(value):
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _render(measured):
    return ", ".join(f"{name} {_number(value)}" for name, value in measured.items())


def _why_it_may_differ(record):
    """One sentence: what is not as in the recorded run, read from the notebook's own variables."""
    if record is None:
        return "no recorded run to compare with"
    here = vars(sys.modules["__main__"])
    expected = record["parameters"] | {"device": record["environment"]["device"]}
    differences = [
        f"{name} {here[name]} instead of {value}"
        for name, value in expected.items()
        if name in here and str(here[name]) != str(value)
    ]
    if any(getattr(value, "is_sample", False) is True for value in list(here.values())):
        differences.append("the sample instead of the full data")
    if torch.__version__.split("+")[0] != record["environment"]["torch"].split("+")[0]:
        differences.append(f"torch {torch.__version__} instead of {record['environment']['torch']}")
    if not differences:
        return "this run has the recorded run's parameters, device and data"
    return "differs from the recorded run in: " + "; ".join(differences)
