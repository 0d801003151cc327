"""The table of the teaching plan: `python -m course_utils.course.plan` writes it in `TEACHING.md`.

Each number has its home elsewhere: minutes of running in a lesson's contract cell, documents in
`results/documents.csv`, exercises in the students' copies. Minutes of reading are reckoned.
"""

import argparse
import re
import sys

from course_utils.course.lessons import ROOT, CourseError, find_lessons, read_notebook
from course_utils.course.record_page import DOCUMENTS, read_rows, table

BEGIN, END = "<!-- lessons: python -m course_utils.course.plan -->", "<!-- end of lessons -->"
SPELLED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"a": 1} | {word: count for count, word in enumerate(SPELLED, start=1)}
WORDS, LINES = 100, 12  # words of prose, or lines of code, that one reads in a minute
EACH = 15  # minutes an exercise
HEADER = ("lesson", "reading", "running", "exercises", "documents")


def running(notebook, name):
    """Return the minutes that a lesson's contract gives for running it, the longest named.

    Raises:
        CourseError: if the contract names none.
    """
    text = next((cell.source for cell in notebook.cells if cell.get("id") == "contract"), "")
    named = re.findall(r"(\w+) minutes?\b", text)
    if not named or not (named[-1] in NUMBERS or named[-1].isdigit()):
        raise CourseError(f"{name}: its contract does not say how many minutes it runs")
    return NUMBERS.get(named[-1]) or int(named[-1])


def reading(notebook):
    """Return the minutes that reading a lesson takes, to the next five."""
    prose = sum(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown")
    code = sum(
        bool(line.strip())
        for cell in notebook.cells
        if cell.cell_type == "code"
        for line in cell.source.split("\n")
    )
    return max(5, 5 * round((prose / WORDS + code / LINES) / 5))


def exercises(path):
    """Return how many exercises the students' copy beside a lesson checks."""
    copy = path.parent / "exercises" / f"{path.name[:2]}_exercises.ipynb"
    if not copy.is_file():
        return 0
    code = "\n".join(cell.source for cell in read_notebook(copy).cells)
    return len(set(re.findall(r'\bcheck\("(\d\d\.\d+)"', code)))


def serves(rows, number):
    """Return the documents' sections that a lesson and its exercises answer.

    Example:
        >>> rows = [
        ...     {"document": "IDL", "section": "1.3", "lesson": "02", "cell": ""},
        ...     {"document": "IDL", "section": "1.6", "lesson": "exercise", "cell": "02_so…#a"},
        ...     {"document": "LTM", "section": "", "lesson": "02", "cell": ""},
        ... ]
        >>> serves(rows, "02")
        'IDL 1.3, 1.6; LTM'
    """
    own = [
        row
        for row in rows
        if number == (row["cell"][:2] if row["lesson"] == "exercise" else row["lesson"])
    ]
    parts = []
    for name in DOCUMENTS:
        sections = {row["section"] for row in own if row["document"] == name}
        if sections:
            parts.append(" ".join([name, ", ".join(sorted(sections - {""}))]).strip())
    return "; ".join(parts)


def plan_table(root=ROOT):
    """Return the table: a row a lesson, and the sums."""
    rows, lines, sums = read_rows(root), [], [0, 0, 0]
    for number, path in find_lessons(root / "notebooks").items():
        notebook = read_notebook(path)
        minutes = (reading(notebook), running(notebook, path.name), EACH * exercises(path))
        sums = [total + one for total, one in zip(sums, minutes, strict=True)]
        link = f"[{number}]({path.relative_to(root).as_posix()})"
        lines.append((link, *minutes, serves(rows, number)))
    return table(HEADER, [*lines, ("all", *sums, "")])


def write(root=ROOT, check=False):
    """Write the table between its marks in `TEACHING.md`; return whether it was not up to date."""
    path = root / "TEACHING.md"
    text = path.read_text(encoding="utf-8")
    marked = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(marked.findall(text)) != 1:
        raise CourseError(f"TEACHING.md needs the lines {BEGIN} and {END}, once")
    new = marked.sub(lambda _: f"{BEGIN}\n\n{plan_table(root)}\n\n{END}", text)
    if new != text and not check:
        path.write_text(new, encoding="utf-8", newline="\n")
    return new != text


def main(arguments=None):
    """Write or, with `--check`, compare; return the exit status."""
    parser = argparse.ArgumentParser(prog="course_utils.course.plan", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args(arguments).check
    try:
        old = write(check=check)
    except (CourseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if old:
        print(f"TEACHING.md: {'is out of date' if check else 'written'}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
