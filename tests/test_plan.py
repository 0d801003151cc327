"""The teaching plan: its numbers are the lessons' own, and its links lead to cells that exist."""

import re
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from structure import ROOT, Notebook

from course_utils.course import plan
from course_utils.course.lessons import CourseError, find_lessons

TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"(?m)^## (.+)$", TEXT)[1:])] * 2, strict=True))


def lesson(contract):
    return SimpleNamespace(cells=[new_markdown_cell(contract, id="contract")])


def test_table_is_up_to_date():
    assert not plan.write(check=True), "run python -m course_utils.course.plan"


@pytest.mark.parametrize("section", ["A term", "A week"])
def test_no_lesson_is_forgotten(section):
    """The second column of either plan names the lessons in their order."""
    cells = [line.split("|")[2] for line in SECTIONS[section].splitlines() if "|" in line]
    planned = [number for cell in cells for number in re.findall(r"\d\d", cell)]
    assert planned == sorted(planned)
    assert set(find_lessons()) <= set(planned)


def test_misconceptions_lead_to_cells():
    rows = [line for line in SECTIONS["Usual misconceptions"].splitlines() if "](" in line]
    assert 10 <= len(rows) <= 24
    for row in rows:
        number, path, cell, named = re.search(r"\[(\d\d)\]\((.+)#(.+)\) `(.+)` \|$", row).groups()
        assert path == find_lessons()[number].relative_to(ROOT).as_posix() and cell == named
        assert Notebook.read(ROOT / path).cell(cell), f"{path} has no cell {cell}"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("All cells together run in about a minute on a CPU.", 1),
        ("They run in less than a minute.", 1),
        ("They run in three to four minutes on two cores.", 4),
        ("**You need** lesson 04 and about 10 minutes.", 10),
    ],
)
def test_minutes_are_read_from_the_contract(text, minutes):
    assert plan.running(lesson(text), "02") == minutes


def test_contract_without_minutes_is_named():
    with pytest.raises(CourseError, match=r"02_x.ipynb: its contract does not say how many"):
        plan.running(lesson("It takes some minutes."), "02_x.ipynb")


def test_reading_counts_words_and_lines():
    cells = [new_markdown_cell("word " * 1000), new_code_cell("a = 1\n\n" * 60)]
    assert plan.reading(SimpleNamespace(cells=cells)) == 15


@pytest.fixture
def root(tmp_path, write_notebook):
    """A course of one lesson with two exercises."""
    cells = [("text", "contract", "", "About two minutes.")]
    write_notebook(tmp_path / "notebooks" / "02_toy.ipynb", cells)
    code = 'check("02.1", f)\ncheck("02.1", f)\ncheck("02.2", g)'
    copy = tmp_path / "notebooks" / "exercises" / "02_exercises.ipynb"
    write_notebook(copy, [("code", "a", "", code)])
    (tmp_path / "results").mkdir()
    names = "id,document,section,item,lesson,cell,measured,outcome"
    row = "IDL-001,IDL,1.3,x,02,02#a,,reproduced"
    (tmp_path / "results" / "documents.csv").write_text(f"{names}\n{row}\n", encoding="utf-8")
    text = f"# Plan\n\n{plan.BEGIN}\nold\n{plan.END}\n\nMore.\n"
    (tmp_path / "TEACHING.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_table_is_written_between_its_marks(root):
    assert plan.write(root, check=True) and "old" in (root / "TEACHING.md").read_text("utf-8")
    assert plan.write(root) and not plan.write(root)
    text = (root / "TEACHING.md").read_text(encoding="utf-8")
    assert "| [02](notebooks/02_toy.ipynb) | 5 | 2 | 30 | IDL 1.3 |" in text
    assert "| all | 5 | 2 | 30 |  |" in text and text.endswith("\n\nMore.\n")


def test_lost_marks_are_named(root, monkeypatch, capsys):
    (root / "TEACHING.md").write_text("# Plan\n", encoding="utf-8")
    monkeypatch.setattr(plan, "write", lambda check, write=plan.write: write(root, check))
    assert plan.main([]) == 1
    assert "TEACHING.md needs the lines" in capsys.readouterr().err


def test_command(root, monkeypatch, capsys):
    monkeypatch.setattr(plan, "write", lambda check, write=plan.write: write(root, check))
    assert plan.main(["--check"]) == 1 and "is out of date" in capsys.readouterr().out
    assert plan.main([]) == 0 and "written" in capsys.readouterr().out
    assert plan.main(["--check"]) == 0
