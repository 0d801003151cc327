"""The glossary: `python -m course_utils.course.glossary` writes `docs/glossary.md`.

A term stands in bold where a lesson defines it. Its entry is that sentence, with the one before it
if it refers back, and a link to the cell. Of several definitions the first counts.
"""

import argparse
import re
import sys
from dataclasses import dataclass

from course_utils.course.lessons import ROOT, CourseError, find_lessons, read_notebook

# Bold words that are no terms, or whose place in another lesson is the one to learn them from.
NOT_TERMS = {
    "01": ("features", "warm up", "stand-in", "thread"),
    "02": ("explodes",),
    "05": ("place", "start", "twins"),
    "06": ("toy problem", "prefix"),
    "07": ("clamps", "vanishes"),
    "08": ("clipped",),
    "09": ("pull",),
    "10": ("pooling", "blur", "edges"),
    "12": ("on the fly",),
}
# Words that a later lesson gives another meaning, which is listed too.
AGAIN = {"10": ("stride",), "13": ("rank", "workers")}
PROPER = ("Xavier initialization",)
FRAME = ("title", "contract")
END = "claims-intro"  # from here on a lesson repeats
# How a sentence begins that needs the one before it; how one does that completes the one before it.
BACK = re.compile(
    r"(This|That|It|Its|Such|These|Those|They|The (fraction|usual one|value there)|To follow it)\b"
)
ON = re.compile(r"(It|They|Each)\b")
INTRODUCTION = """\
# Glossary

The terms of the course, each as the lesson says it that defines it first. The link leads there.
This page is written by `python -m course_utils.course.glossary`.
"""


@dataclass(frozen=True)
class Entry:
    """A term, the words that define it, and where they stand."""

    term: str
    text: str
    lesson: str
    path: str
    cell: str

    @property
    def key(self):
        """What makes two spellings one term: no capitals, no plural."""
        return re.sub(r"(?<=ch|ss)es$|(?<!s)s$", "", self.term.lower())


def sentences(paragraph):
    """Return the sentences of a paragraph; formulas and code are not cut.

    Example:
        >>> sentences("It is $0.5. X$ here. What is `a. B`? A **unit** is small.")
        ['It is $0.5. X$ here.', 'What is `a. B`?', 'A **unit** is small.']
    """
    masked = re.sub(r"`[^`]*`|\$[^$]+\$", lambda found: "$" + "x" * (len(found[0]) - 1), paragraph)
    ends = [m.end() for m in re.finditer(r"[.!?][)*”\"]*\s+(?=[^\sa-z])", masked)]
    cuts = zip([0, *ends], [*ends, None], strict=True)
    return [paragraph[start:end].strip() for start, end in cuts]


def paragraphs(markdown):
    """Return the paragraphs, list items and table rows of a cell; a formula joins what leads to it.

    Example:
        >>> paragraphs("## Why?\\n\\nThe **norm** is\\n\\n$$\\\\sqrt{2}$$\\n\\n- one\\n- two")
        ['The **norm** is $\\\\sqrt{2}$', '- one', '- two']
    """
    text = re.sub(r"(?ms)^```.*?^```|^#+ .*?$|!\[[^\]]*\]\([^)]*\)", "", markdown)
    text = re.sub(r"(?<![.?!)])\s*\$\$\s*(.+?)\s*\$\$", r" $\1$", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n(?=\||[-*] |\d+\. )", text)
    return [" ".join(block.split()) for block in blocks if block.strip()]


def plain(text):
    """Return a definition as a sentence without bold, links, and brackets around the whole.

    Example:
        >>> plain("(So a **unit** is [small](a.md))"), plain("The **norm** is:")
        ('A unit is small.', 'The norm is.')
    """
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.replace("**", ""))
    text = text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text
    text = re.sub(r"^(So|But|And) (\W?\w)", lambda found: found[2].upper(), text)
    return text if text.endswith((".", "!")) else f"{text.rstrip(':')}."


def definition(known, i):
    """Return the `i`-th of a paragraph's sentences, with those beside it that it needs."""
    first, last = i, i + 1
    while first and BACK.match(known[first].lstrip("(*")) and len(known[first - 1].split()) > 3:
        first -= 1
    if last < len(known) and ON.match(known[last]):
        last += 1
    return plain(" ".join(known[first:last]))


def definitions(notebook, lesson, path):
    """Yield an `Entry` for each bold term of a lesson, in order; a question defines nothing."""
    for cell in notebook.cells:
        if cell.get("id") == END:
            return
        if cell.cell_type != "markdown" or cell.get("id") in FRAME:
            continue
        for paragraph in paragraphs(cell.source):
            known = sentences(paragraph.removeprefix("**Predict.** "))
            for i, sentence in enumerate(known):
                for found in re.finditer(
                    r"\*\*(.+?)\*\*", "" if sentence.endswith("?") else sentence
                ):
                    term = found[1]
                    if not found.start() and term[1:].islower() and term not in PROPER:
                        term = term[0].lower() + term[1:]
                    if term.lower() not in NOT_TERMS.get(lesson, ()):
                        yield Entry(term, definition(known, i), lesson, path, cell.id)


def entries(root=ROOT):
    """Return the entries of all lessons, one a term, in alphabetical order."""
    found, known = [], set()
    for lesson, path in find_lessons(root / "notebooks").items():
        place = path.relative_to(root).as_posix()
        for entry in definitions(read_notebook(path), lesson, place):
            if entry.key not in known or entry.term in AGAIN.get(lesson, ()):
                found.append(entry)
            known.add(entry.key)
    return sorted(found, key=lambda entry: (entry.term.lower(), entry.lesson))


def page(root=ROOT):
    """Return the text of `docs/glossary.md`."""
    lines, letter = [INTRODUCTION], ""
    for entry in entries(root):
        if entry.term[0].upper() != letter:
            letter = entry.term[0].upper()
            lines.append(f"## {letter}\n")
        link = f"[lesson {entry.lesson}](../{entry.path}#{entry.cell})"
        lines.append(f"**{entry.term}**: {entry.text} ({link})\n")
    return "\n".join(lines)


def write(root=ROOT, check=False):
    """Write the page; return whether it was not up to date."""
    path, text = root / "docs" / "glossary.md", page(root)
    old = not path.is_file() or path.read_text(encoding="utf-8") != text
    if old and not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return old


def main(arguments=None):
    """Write the page or, with `--check`, compare; return the exit status."""
    parser = argparse.ArgumentParser(prog="course_utils.course.glossary", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args(arguments).check
    try:
        old = write(check=check)
    except (CourseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if old:
        print(f"docs/glossary.md: {'is out of date' if check else 'written'}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
