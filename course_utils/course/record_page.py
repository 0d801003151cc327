"""The record for readers: `python -m course_utils.course.record_page` writes `results/README.md`.

The page is made from `results/documents.csv` and `results/NN.json` and holds nothing else; the
README's sentence with the counts is written too. Whether the rows are right is for the tests.
"""

import argparse
import csv
import re
import sys

from course_utils.course.lessons import ROOT, CourseError
from course_utils.course.record import read_record, timeless

DOCUMENTS = {
    "IDL": "Inside Deep Learning, chapters 1–3",
    "L18": "Lecture 18, neural networks",
    "L16": "Lecture 16, birds and airplanes",
    "LTM": "Layers, Tensors and an MNIST Classifier",
    "CAT": "Modeling with a Neural Network: Cat Classifier",
}
KINDS = {
    "reproduced": "reproduced",
    "corrected": "reproduced with a correction",
    "not reproduced": "not reproduced",
    "open": "",
}
SENTENCE = re.compile(r"(?m)^Of the documents' \d+ items .*$")

INTRODUCTION = """\
# What the documents say, and what came out

Five teaching documents hold {total} examples, numbers, figures and statements. Each was run again
here. An item counts as *reproduced*; as *corrected*, where it came out once something was put
right; or as *not reproduced*, and then the reason is given. This page is written from
`documents.csv` and the `NN.json` beside it, by `python -m course_utils.course.record_page`.

- [Counts](#counts)
- [Corrections](#corrections): what was put right, and what did not come out
- [Claims over seeds](#claims-over-seeds): what each lesson claims, measured several times
- [All items](#all-items), in the documents' order
"""


def kind(row):
    """Return which of `KINDS` a row's outcome is.

    Example:
        >>> kind({"outcome": "reproduced with a correction: 0.035"})
        'corrected'
    """
    longest_first = sorted(KINDS, key=lambda name: -len(KINDS[name]))
    return next(name for name in longest_first if row["outcome"].startswith(KINDS[name]))


def read_rows(root=ROOT):
    """Return the rows of `results/documents.csv` as dicts."""
    with open(root / "results" / "documents.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counts(rows):
    """Return {kind: number of rows}, every kind named."""
    kinds = [kind(row) for row in rows]
    return {name: kinds.count(name) for name in KINDS}


def sentence(rows):
    """Return the README's one line about the record."""
    found = counts(rows)
    text = (
        f"Of the documents' {len(rows)} items {found['reproduced']} came out as printed,"
        f" {found['corrected']} with a correction and {found['not reproduced']} not"
    )
    unanswered = f"; {found['open']} have no lesson yet" if found["open"] else ""
    return f"{text}{unanswered}: [results/README.md](results/README.md) lists all of them."


def table(header, rows):
    """Return a Markdown table; line breaks and bars in its cells cannot break it."""

    def line(cells):
        plain = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
        return "| " + " | ".join(plain) + " |"

    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)])


def place(cell, root=ROOT):
    """Return a link to the notebook that a row or record names, with the cell's id.

    Raises:
        CourseError: if there is no such notebook.
    """
    name, _, cell_id = cell.partition("#")
    if not name:
        return ""
    folder = "notebooks/solutions" if "_" in name else "notebooks"
    found = sorted((root / folder).glob(f"{name}*.ipynb"))
    if len(found) != 1:
        raise CourseError(f"{cell}: there is no one notebook {folder}/{name}…")
    target = f"../{found[0].relative_to(root).as_posix()}"
    if not cell_id:
        return f"[{name.replace('_', ' ')}]({target})"
    return f"[{name.replace('_', ' ')}]({target}#{cell_id}) `{cell_id}`"


def number(value):
    """Return a measured number short enough to read.

    Example:
        >>> number(0.93174), number(1574402), number(0.00002), number(12.0)
        ('0.9317', '1,574,402', '2e-05', '12')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def page(root=ROOT):
    """Return the text of `results/README.md`."""
    rows = read_rows(root)
    parts = [INTRODUCTION.format(total=len(rows)), "## Counts\n", count_table(rows)]
    parts += ["\n## Corrections\n", correction_table(rows, root), "\n## Claims over seeds\n"]
    parts += claim_tables(root)
    parts.append("\n## All items")
    for name, title in DOCUMENTS.items():
        header = ("item", "section", "what it is", "where", "measured", "outcome")
        own = [
            (
                row["id"],
                row["section"],
                row["item"],
                place(row["cell"], root),
                row["measured"].replace(";", "; "),
                row["outcome"] if kind(row) == "reproduced" else kind(row),
            )
            for row in rows
            if row["document"] == name
        ]
        parts += [f"\n### {name}: {title}\n", table(header, own)]
    return "\n".join(parts) + "\n"


def count_table(rows):
    """Return the table of how many items of each document came out how."""
    lines = []
    for name, title in [*DOCUMENTS.items(), ("all", "")]:
        own = [row for row in rows if name in ("all", row["document"])]
        lines.append((name, title, len(own), *counts(own).values()))
    return table(("document", "", "items", *KINDS), lines)


def correction_table(rows, root):
    """Return the table of the items that were corrected or not reproduced, with what came out."""
    wanted = ("corrected", "not reproduced")
    lines = [
        (
            f"{row['id']} ({row['section']})" if row["section"] else row["id"],
            row["item"],
            re.sub("^reproduced with a correction: |^not reproduced, because ", "", row["outcome"]),
            kind(row),
            place(row["cell"], root),
        )
        for row in rows
        if kind(row) in wanted
    ]
    return table(("item", "what it is", "what came out", "outcome", "where"), lines)


def claim_tables(root):
    """Return, lesson by lesson, its claims with means and ranges; times are left out."""
    parts = [
        "Each claim with how often it held, and the mean of what was measured; in parentheses the"
        " lowest and highest. Times are left out: they are a machine's, not a lesson's."
    ]
    for path in sorted((root / "results").glob("[0-9][0-9].json")):
        record = read_record(path.stem, root / "results")
        seeds = ", ".join(map(str, record["seeds"]))
        lines = []
        for claim in record["claims"]:
            measured = [f"{name} {value}" for name, value in spread(claim).items()]
            held = f"{sum(claim['holds'])} of {claim['n']}"
            lines.append((claim["text"], held, "; ".join(measured), claim["item"] or ""))
        parts.append(f"\n### Lesson {place(path.stem, root)}, seeds {seeds}\n")
        parts.append(table(("claim", "held", "measured", "item"), lines))
    return parts


def spread(claim):
    """Return {name: "mean (low to high)"} of what a claim measured, its times left out.

    Example:
        >>> spread({"mean": {"x": 0.5}, "low": {"x": 0.4}, "high": {"x": 1}})
        {'x': '0.5 (0.4 to 1)'}
    """
    texts = {}
    for name, mean in timeless(claim["mean"]).items():
        low, high = claim["low"][name], claim["high"][name]
        bounds = "" if low == high else f" ({number(low)} to {number(high)})"
        texts[name] = number(mean) + bounds
    return texts


def write(root=ROOT, check=False):
    """Write page and sentence; return the files that were not up to date."""
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if len(SENTENCE.findall(text)) != 1:
        raise CourseError("README.md needs one line that begins “Of the documents' … items”")
    texts = {
        root / "results" / "README.md": page(root),
        readme: SENTENCE.sub(sentence(read_rows(root)).replace("\\", r"\\"), text),
    }
    old = [
        path
        for path, new in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != new
    ]
    if not check:
        for path in old:
            path.write_text(texts[path], encoding="utf-8", newline="\n")
    return old


def main(arguments=None):
    """Write the page or, with `--check`, compare; return the exit status."""
    parser = argparse.ArgumentParser(prog="course_utils.course.record_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args(arguments).check
    try:
        old = write(check=check)
    except (OSError, CourseError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in old:
        print(f"{path.relative_to(ROOT).as_posix()}: {'is out of date' if check else 'written'}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
