"""The glossary: each term once, by the words of the lesson that defines it first."""

import pytest
from structure import ROOT, Notebook

from course_utils.course import glossary
from course_utils.course.glossary import AGAIN, NOT_TERMS, entries, main, page, write
from course_utils.course.lessons import find_lessons

TEXT = """\
A **unit** is small. It has a weight. This is the **weight**, or so
they say.

**Predict.** Is a **question** a definition? (So **axes** are two.) And the **norm** is

$$\\sqrt{x^2}$$

```
A **block** is code.
```"""
CELLS = [
    ("text", "title", "", "# 02 · A **title**"),
    ("text", "contract", "", "**You need** time."),
    ("text", "one", "", TEXT),
    ("text", "claims-intro", "", "A **claim** is made."),
    ("text", "remember", "", "A **memory** is kept."),
]


@pytest.fixture(scope="module")
def found():
    """The entries of the course."""
    return entries()


@pytest.fixture
def root(tmp_path, write_notebook):
    """A course of two lessons; the second defines two terms again, and one anew."""
    write_notebook(tmp_path / "notebooks" / "02_toy.ipynb", CELLS)
    again = "**Units** are large. An **axis** is one. *Slow*: a **stride** is long."
    write_notebook(tmp_path / "notebooks" / "03_toy.ipynb", [("text", "two", "", again)])
    return tmp_path


def test_page_of_the_course_is_up_to_date():
    assert not write(check=True), "run python -m course_utils.course.glossary"


def test_every_entry_leads_to_the_cell_that_says_it(found):
    notebooks = {path: Notebook.read(ROOT / path) for path in {entry.path for entry in found}}
    for entry in found:
        source = notebooks[entry.path].cell(entry.cell).source
        assert f"**{entry.term}**".lower() in source.lower()
        assert entry.term.lower() in entry.text.lower() and entry.text.endswith((".", "!"))


def test_terms_are_in_order_and_listed_once(found):
    terms = [entry.term.lower() for entry in found]
    assert terms == sorted(terms) and len(terms) > 100
    second = [e for e in found if e.term in AGAIN.get(e.lesson, ())]
    assert len({entry.key for entry in found}) == len(found) - len(second)


def test_no_exclusion_has_become_idle():
    """What is kept out stands in bold in its lesson."""
    for lesson, path in find_lessons().items():
        text = "\n".join(cell.source for cell in Notebook.read(path).cells).lower()
        idle = [term for term in NOT_TERMS.get(lesson, ()) if f"**{term}**" not in text]
        assert idle == [], f"lesson {lesson}"


def test_definitions_are_found(root):
    found = {entry.term: entry.text for entry in entries(root)}
    assert found == {
        "unit": "A unit is small. It has a weight.",
        "weight": "A unit is small. It has a weight. This is the weight, or so they say.",
        "axes": "Axes are two.",
        "norm": "The norm is $\\sqrt{x^2}$.",
        "axis": "An axis is one.",
        "stride": "*Slow*: a stride is long.",
    }


def test_first_definition_counts_and_another_meaning_is_listed(root, monkeypatch):
    assert [(e.term, e.lesson) for e in entries(root) if e.key == "unit"] == [("unit", "02")]
    monkeypatch.setattr(glossary, "AGAIN", {"03": ("units",)})
    monkeypatch.setattr(glossary, "NOT_TERMS", {"02": ("axes", "weight")})
    found = [(entry.term, entry.lesson) for entry in entries(root)]
    assert found == [
        ("axis", "03"),
        ("norm", "02"),
        ("stride", "03"),
        ("unit", "02"),
        ("units", "03"),
    ]


def test_page_is_alphabetical_and_links(root):
    lines = page(root).split("\n")
    assert [line for line in lines if line.startswith("## ")] == [
        "## A",
        "## N",
        "## S",
        "## U",
        "## W",
    ]
    assert "**axes**: Axes are two. ([lesson 02](../notebooks/02_toy.ipynb#one))" in lines


def test_command(root, monkeypatch, capsys):
    monkeypatch.setattr(glossary, "write", lambda check: write(root, check))
    assert main(["--check"]) == 1 and "is out of date" in capsys.readouterr().out
    assert main([]) == 0 and "written" in capsys.readouterr().out
    assert main(["--check"]) == 0
    (root / "notebooks" / "03_toy.ipynb").write_text("{}", encoding="utf-8")
    assert main([]) == 1 and "03_toy.ipynb is not a readable notebook" in capsys.readouterr().err
