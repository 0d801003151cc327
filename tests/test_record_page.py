"""The readers' page: it says what the record holds, no more and no less."""

import csv
import json

import pytest

from course_utils.course import record_page
from course_utils.course.lessons import CourseError
from course_utils.course.record_page import counts, kind, main, page, read_rows, sentence, write

OUTCOMES = {
    "IDL-001": "reproduced",
    "IDL-002": "reproduced: with | our own words",
    "L16-001": "reproduced with a correction: it is 0.035",
    "CAT-001": "not reproduced, because nothing was printed",
    "CAT-002": "",
}
CLAIM = {
    "text": "the loss falls",
    "item": None,
    "holds": [True, False],
    "n": 2,
    "mean": {"loss": 0.5, "seconds": 9.0},
    "low": {"loss": 0.25, "seconds": 8.0},
    "high": {"loss": 0.75, "seconds": 10.0},
}


@pytest.fixture
def root(tmp_path):
    """A repository with five rows, one recorded lesson, and a README that is out of date."""
    for name in ("results", "notebooks/solutions"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("02_toy", "solutions/02_solutions"):
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text("", encoding="utf-8")
    with open(tmp_path / "results" / "documents.csv", "w", newline="", encoding="utf-8") as file:
        names = ["id", "document", "section", "item", "lesson", "cell", "measured", "outcome"]
        rows = csv.DictWriter(file, names)
        rows.writeheader()
        for name, outcome in OUTCOMES.items():
            fields = dict.fromkeys(names, "") | {"id": name, "document": name.split("-")[0]}
            fields |= {"item": f"about {name}", "outcome": outcome}
            rows.writerow(fields | ({"cell": "02#one", "measured": "7;8"} if outcome else {}))
    record = {"lesson": "02", "seeds": [0, 1], "claims": [CLAIM]}
    (tmp_path / "results" / "02.json").write_text(json.dumps(record), encoding="utf-8")
    readme = "# Course\n\nOf the documents' 3 items 1 came out.\n\nMore.\n"
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    return tmp_path


def test_page_of_the_course_is_up_to_date():
    assert write(check=True) == [], "run python -m course_utils.course.record_page"


def test_every_row_is_on_the_page():
    text = page()
    assert [row["id"] for row in read_rows() if f"| {row['id']} |" not in text] == []


def test_kinds_are_counted(root):
    rows = read_rows(root)
    kinds = ["reproduced", "reproduced", "corrected", "not reproduced", "open"]
    assert [kind(row) for row in rows] == kinds
    expected = {"reproduced": 2, "corrected": 1, "not reproduced": 1, "open": 1}
    assert counts(rows) == expected
    assert sentence(rows).startswith(
        "Of the documents' 5 items 2 came out as printed, 1 with a correction and 1 not;"
        " 1 have no lesson yet:"
    )
    assert "lesson yet" not in sentence(rows[:-1])


def test_page_says_what_the_record_holds(root):
    lines = page(root).split("\n")
    assert "| IDL | Inside Deep Learning, chapters 1–3 | 2 | 2 | 0 | 0 | 0 |" in lines
    assert "| all |  | 5 | 2 | 1 | 1 | 1 |" in lines
    link = "[02](../notebooks/02_toy.ipynb#one) `one`"
    assert f"| L16-001 | about L16-001 | it is 0.035 | corrected | {link} |" in lines
    assert f"| CAT-001 | about CAT-001 | nothing was printed | not reproduced | {link} |" in lines
    own_words = "reproduced: with \\| our own words"
    assert f"| IDL-002 |  | about IDL-002 | {link} | 7; 8 | {own_words} |" in lines
    assert "| CAT-002 |  | about CAT-002 |  |  | open |" in lines
    assert "| the loss falls | 1 of 2 | loss 0.5 (0.25 to 0.75) |  |" in lines
    assert "9" not in "".join(line for line in lines if "loss falls" in line)


def test_page_and_sentence_are_written_once(root):
    assert [path.name for path in write(root, check=True)] == ["README.md", "README.md"]
    assert not (root / "results" / "README.md").exists()
    assert len(write(root)) == 2
    assert write(root) == write(root, check=True) == []
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert readme == f"# Course\n\n{sentence(read_rows(root))}\n\nMore.\n"


@pytest.mark.parametrize("change", [("0.035", "0.036"), ("CAT-002,CAT", "CAT-002,L18")])
def test_changed_row_makes_the_page_old(root, change):
    write(root)
    path = root / "results" / "documents.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    assert [path.parent.name for path in write(root, check=True)] == ["results"]


def test_lost_places_are_named(root):
    (root / "notebooks" / "02_toy.ipynb").rename(root / "notebooks" / "03_toy.ipynb")
    with pytest.raises(CourseError, match="02#one: there is no one notebook notebooks/02…"):
        page(root)
    (root / "README.md").write_text("# Course\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"README\.md needs one line"):
        write(root)


def test_command(root, monkeypatch, capsys):
    monkeypatch.setattr(record_page, "ROOT", root)
    monkeypatch.setattr(record_page, "write", lambda check: write(root, check))
    assert main(["--check"]) == 1
    assert capsys.readouterr().out.count("is out of date") == 2
    assert main([]) == 0 and "results/README.md: written" in capsys.readouterr().out
    assert main(["--check"]) == 0
    (root / "results" / "documents.csv").unlink()
    assert main([]) == 1 and "documents.csv" in capsys.readouterr().err
