"""claims: what is printed, recorded and raised, at each scale."""

import json
import re
import sys

import numpy as np
import pytest
import torch

from course_utils.course import claims
from course_utils.course.claims import ClaimError, claim, recorded, render_claim
from course_utils.course.lessons import ROOT

RECORD = {
    "parameters": {"epochs": 10, "seed": 0, "device": "auto"},
    "environment": {"device": "cpu", "torch": torch.__version__},
    "claims": [
        {
            "text": "it learns",
            "holds": [True, True, False],
            "mean": {"accuracy": 0.9},
            "low": {"accuracy": 0.85},
            "high": {"accuracy": 0.95},
            "n": 3,
        }
    ],
}


@pytest.fixture(autouse=True)
def no_scale(monkeypatch):
    monkeypatch.delenv("COURSE_CLAIMS", raising=False)
    monkeypatch.delenv("COURSE_RECORD", raising=False)


@pytest.fixture
def record(monkeypatch):
    monkeypatch.setattr(claims, "_records", lambda: [RECORD])


def test_mark_and_both_numbers(capsys):
    claim("one", True, {"a": 0.12345, "b": 7})
    claim("two", False, 0.5)
    out = capsys.readouterr().out
    assert "✓ one\n    measured: a 0.1235, b 7" in out
    assert "✗ two\n    measured: value 0.5\n    no recorded run to compare with" in out


def test_failure_says_where_to_read_on(capsys):
    """The place it names is a heading of lesson 01."""
    claim("two", False)
    last = capsys.readouterr().out.splitlines()[-1]
    lesson, heading = re.search(r"lesson (\d\d), “(.+)”", last).groups()
    text = next(ROOT.glob(f"notebooks/{lesson}_*.ipynb")).read_text(encoding="utf-8")
    assert f'"## {heading}' in text


def test_tensors_and_numpy_numbers_become_plain(tmp_path, monkeypatch):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("COURSE_RECORD", str(path))
    measured = {"t": torch.tensor(2.0), "n": np.float32(0.5), "i": np.int64(3)}
    claim("plain", torch.tensor(True), measured, item="IDL-001")
    claim("second", False, at="full")
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    expected = {"text": "plain", "at": "any", "item": "IDL-001", "holds": True, "checked": True}
    assert first == expected | {"measured": {"t": 2.0, "n": 0.5, "i": 3}}
    assert (second["holds"], second["checked"]) == (False, True)


@pytest.mark.parametrize(
    ("scale", "at", "raises"),
    [("any", "any", True), ("any", "full", False), ("full", "any", True), ("full", "full", True)],
)
def test_raises_only_where_the_scale_says_so(scale, at, raises, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_CLAIMS", scale)
    if raises:
        with pytest.raises(ClaimError, match=r"it learns.*accuracy 0\.1"):
            claim("it learns", False, {"accuracy": 0.1}, at=at)
    else:
        claim("it learns", False, {"accuracy": 0.1}, at=at)
        assert "not checked at this scale" in capsys.readouterr().out


def test_without_a_scale_a_failure_goes_on(capsys):
    claim("it learns", False, at="full")
    assert capsys.readouterr().out.startswith("✗ it learns")


def test_failing_claim_is_recorded_before_it_raises(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RECORD", str(tmp_path / "claims.jsonl"))
    monkeypatch.setenv("COURSE_CLAIMS", "any")
    with pytest.raises(ClaimError):
        claim("it learns", False)
    assert json.loads((tmp_path / "claims.jsonl").read_text())["holds"] is False


def test_record_is_shown(record, capsys):
    claim("it learns", True, {"accuracy": 0.91})
    expected = "recorded over 3 seeds: held in 2 of 3; accuracy 0.9 (0.85–0.95)"
    assert expected in capsys.readouterr().out
    assert recorded("it learns") == (RECORD, RECORD["claims"][0])
    assert recorded("it sings") == (None, None)


def test_failure_names_what_differs(record, monkeypatch, capsys):
    main = sys.modules["__main__"]
    for name, value in {"epochs": 2, "seed": 0, "device": torch.device("cpu")}.items():
        monkeypatch.setattr(main, name, value, raising=False)
    claim("it learns", False)
    assert "differs from the recorded run in: epochs 2 instead of 10\n" in capsys.readouterr().out
    monkeypatch.setattr(main, "epochs", 10, raising=False)
    claim("it learns", False)
    assert "has the recorded run's parameters" in capsys.readouterr().out
    monkeypatch.setattr(main, "train_set", type("Data", (), {"is_sample": True})(), raising=False)
    monkeypatch.setattr(main, "device", torch.device("meta"), raising=False)
    claim("it learns", False)
    out = capsys.readouterr().out
    assert "device meta instead of cpu" in out and "the sample instead of the full data" in out


def test_one_seed_is_no_record():
    entry = {"n": 1, "mean": {}, "low": {}, "high": {}, "holds": [True]}
    assert "recorded" not in render_claim("x", "holds", {}, entry)


def test_bad_input(monkeypatch):
    with pytest.raises(ValueError, match="at must be one of"):
        claim("x", True, at="some")
    with pytest.raises(TypeError, match="'name' is 'ten'"):
        claim("x", True, {"name": "ten"})
    with pytest.raises(TypeError, match="must hold numbers"):
        claim("x", True, True)
    monkeypatch.setenv("COURSE_CLAIMS", "most")
    with pytest.raises(ValueError, match="COURSE_CLAIMS must be one of"):
        claim("x", True)
