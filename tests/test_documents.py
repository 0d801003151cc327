"""The record of the source documents: every item, where it is answered, and how it came out."""

import csv
import hashlib
import re
from collections import Counter
from types import SimpleNamespace

import pytest
from nbformat import NotebookNode
from structure import DECIMAL, NUMBER, ROOT, Notebook, printed

COLUMNS = ["id", "document", "section", "item", "lesson", "cell", "measured", "outcome"]
ITEMS = {"IDL": 188, "L18": 59, "CAT": 30, "LTM": 29, "L16": 26}
# Of the first five columns: what the documents hold does not change with what we find.
CHECKSUM = "bc5845af599078dc5d682820619b213d9aaec35e8e873d666681f314f85010df"
OUTCOME = r"reproduced(: .+)?|reproduced with a correction: .+|not reproduced, because .+"
# Exercises of the documents, by the lesson that they are written with.
EXERCISES = {
    "01": ("IDL-046", "IDL-047"),
    "02": ("IDL-049", "IDL-050"),
    "04": ("IDL-112",),
    "06": ("IDL-113", "IDL-114", "IDL-115", "IDL-116", "IDL-117", "IDL-118", "IDL-119"),
    "07": ("CAT-028", "CAT-030"),
    "11": ("IDL-183", "IDL-184", "IDL-187"),
    "12": ("IDL-185", "IDL-186", "IDL-188"),
}


def read_rows(path=ROOT / "results" / "documents.csv"):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_notebooks():
    """Return {"02": Notebook, "02_solutions": Notebook, …}."""
    lessons = {path.name[:2]: path for path in ROOT.glob("notebooks/[0-9][0-9]_*.ipynb")}
    masters = {path.stem: path for path in ROOT.glob("notebooks/solutions/*.ipynb")}
    return {name: Notebook.read(path) for name, path in sorted((lessons | masters).items())}


def checksum(rows):
    text = "\n".join("\t".join(row[column] for column in COLUMNS[:5]) for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()


def coverage_problems(rows):
    """Return what is missing, doubled or rewritten among the items."""
    expected = [f"{name}-{i:03d}" for name, count in ITEMS.items() for i in range(1, count + 1)]
    found = Counter(row["id"] for row in rows)
    faults = [f"{name}: row is missing" for name in expected if not found[name]]
    faults += [f"{name}: {count} rows" for name, count in found.items() if count > 1]
    faults += [f"{name}: no such item" for name in found if name not in expected]
    if not faults and checksum(rows) != CHECKSUM:
        faults.append("an item's document, section, text or lesson has changed")
    return faults


def owed(row, notebooks):
    """Return whether a row's lesson is there, so that its outcome is due."""
    return row["lesson"] in notebooks or any(
        row["id"] in items and lesson in notebooks for lesson, items in EXERCISES.items()
    )


def row_problems(row, notebooks):
    """Return the faults of one row: no outcome, no such cell, a number that no run printed."""
    name, outcome = row["id"], row["outcome"]
    if not outcome and not row["cell"] and not row["measured"]:
        return [f"{name}: its lesson is there, its outcome is not"] if owed(row, notebooks) else []
    if not re.fullmatch(OUTCOME, outcome):
        return [f"{name}: outcome {outcome!r} is none of {OUTCOME}"]
    lesson, _, cell_id = row["cell"].partition("#")
    cell = notebooks[lesson].cell(cell_id) if lesson in notebooks else None
    if cell is None:
        return [f"{name}: there is no cell {row['cell']!r}"]
    text = " ".join(printed(cell).split())
    faults = [
        f"{name}: {part.strip()!r} is not in the output of {row['cell']}"
        for part in row["measured"].split(";")
        if " ".join(part.split()) not in text
    ]
    shown = " ".join(f"{cell.source} {printed(cell)}" for cell in notebooks[lesson].cells)
    return faults + [
        f"{name}: {value} of its outcome is nowhere in {lesson}"
        for value in DECIMAL.findall(outcome)
        if not shows(shown, value)
    ]


def shows(text, value):
    """Return whether a text holds a decimal number, or one that rounds to it."""
    number, digits = float(value.replace(",", "")), len(value.partition(".")[2])
    found = (float(word.replace(",", "").replace("_", "")) for word in NUMBER.findall(text))
    return any(round(other, digits) == number for other in found)


def test_no_item_is_dropped():
    rows = read_rows()
    assert list(rows[0]) == COLUMNS
    assert coverage_problems(rows) == []


def test_rows_agree_with_the_notebooks():
    notebooks = read_notebooks()
    faults = [fault for row in read_rows() for fault in row_problems(row, notebooks)]
    assert not faults, "\n" + "\n".join(faults)


def test_measured_items_stand_in_claims_too():
    """An item that a claim names is an item of the list."""
    known = {row["id"] for row in read_rows()}
    for name, notebook in read_notebooks().items():
        for cell in notebook.code:
            for item in re.findall(r"\bitem=\"([^\"]+)\"", cell.source):
                assert item in known, f"{name}#{cell.id}: there is no item {item}"


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda rows: rows.pop(), "L16-026: row is missing"),
        (lambda rows: rows.append(rows[0]), "IDL-001: 2 rows"),
        (lambda rows: rows.append(rows[0] | {"id": "IDL-999"}), "IDL-999: no such item"),
        (lambda rows: rows[0].update(item="easier"), "an item's document, section, text"),
    ],
)
def test_lost_item_is_named(spoil, line):
    rows = sorted(read_rows(), key=lambda row: list(ITEMS).index(row["document"]))
    spoil(rows)
    assert any(fault.startswith(line) for fault in coverage_problems(rows))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"outcome": "", "cell": "", "measured": ""}, "IDL-025: its lesson is there"),
        ({"outcome": "fine"}, "IDL-025: outcome 'fine'"),
        ({"outcome": "not reproduced"}, "IDL-025: outcome"),
        ({"cell": "02#gone"}, "IDL-025: there is no cell '02#gone'"),
        ({"cell": "05#one"}, "IDL-025: there is no cell"),
        ({"measured": "30.25; 7.5"}, "IDL-025: '7.5' is not in the output of 02#one"),
        ({"outcome": "reproduced: 30.3"}, "IDL-025: 30.3 of its outcome is nowhere in 02"),
        ({"outcome": "reproduced: about 30.2, and 2.5"}, None),
        ({}, None),
    ],
)
def test_spoiled_row_is_named(change, line):
    out = {"output_type": "stream", "name": "stdout", "text": "f(x) =  30.25"}
    cell = NotebookNode(id="one", cell_type="code", source="y = 2.50", outputs=[out])
    row = dict.fromkeys(COLUMNS, "") | {"id": "IDL-025", "lesson": "02", "cell": "02#one"}
    row |= {"measured": "f(x) = 30.25", "outcome": "reproduced"} | change

    lesson = SimpleNamespace(cells=[cell], cell=lambda name: cell if name == "one" else None)
    found = row_problems(row, {"02": lesson})
    assert found == [] if line is None else found[0].startswith(line)
