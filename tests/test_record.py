"""course/record: claims of several runs become one record."""

import json

import pytest

from course_utils.course import record
from course_utils.course.lessons import CourseError


def row(text="it learns", holds=True, **measured):
    return {"text": text, "at": "any", "item": "IDL-001", "holds": holds, "checked": True,
            "measured": measured}  # fmt: skip


def test_gather():
    runs = {0: [row(a=0.1)], 1: [row(holds=False, a=0.4)], 2: [row(a=0.1)]}
    [entry] = record.gather(runs)
    assert entry["holds"] == [True, False, True] and entry["n"] == 3
    assert entry["measured"] == [{"a": 0.1}, {"a": 0.4}, {"a": 0.1}]
    assert (entry["mean"], entry["low"], entry["high"]) == ({"a": 0.2}, {"a": 0.1}, {"a": 0.4})
    assert (entry["text"], entry["at"], entry["item"]) == ("it learns", "any", "IDL-001")


def test_the_same_value_in_each_seed_is_its_own_mean():
    [entry] = record.gather({seed: [row(lr=0.1)] for seed in range(3)})
    assert entry["mean"] == {"lr": 0.1}


@pytest.mark.parametrize("other", [[], [row("it sings", a=1)], [row(b=1)]])
def test_other_claims_in_another_seed(other):
    with pytest.raises(CourseError, match="seed 1 made other claims"):
        record.gather({0: [row(a=1)], 1: other})


def test_read_claims(tmp_path):
    path = tmp_path / "claims"
    assert record.read_claims(path) == []
    path.write_text(json.dumps(row(a=1)) + "\n" + '{"text": "half', encoding="utf-8")
    assert record.read_claims(path) == [row(a=1)]
    path.write_text(2 * (json.dumps(row(a=1)) + "\n"), encoding="utf-8")
    with pytest.raises(CourseError, match=r"made twice.*it learns"):
        record.read_claims(path)


def test_parts_of_a_record_are_kept(tmp_path):
    record.write_record("02", tmp_path, seeds=[0], claims=[{"text": "é"}])
    record.write_record("02", tmp_path, stored={"claims": []})
    found = record.read_record("02", tmp_path)
    assert found == {"lesson": "02", "seeds": [0], "claims": [{"text": "é"}],
                     "stored": {"claims": []}}  # fmt: skip
    assert "é" in (tmp_path / "02.json").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["02.json"]
    (tmp_path / "02.json").write_text("{", encoding="utf-8")
    with pytest.raises(CourseError, match=r"02\.json is not readable"):
        record.read_record("02", tmp_path)


def test_environment_agrees_with_itself_only():
    here = record.environment(threads=2)
    assert here["threads"] == 2 and record.differences(here, here) == []
    other = here | {"torch": "1.0", "threads": 1, "python": here["python"] + "9"}
    [difference] = record.differences(here, other)
    assert difference.startswith("torch 1.0 instead of")
