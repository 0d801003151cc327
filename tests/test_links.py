"""Texts and notebooks without a network: links, anchors, alt text, order of headings.

`structure.links` holds what lies within one notebook; here are the texts, and what leads from file
to file: a heading of a text, a heading or a cell of a notebook.
"""

import functools
import re
import xml.etree.ElementTree as ElementTree

import pytest
from structure import ROOT, Notebook, headings, mime

TEXTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "data/*.md", "docs/*.md", "results/*.md", "notebooks/*/*.md")
    for path in ROOT.glob(pattern)
)
NOTEBOOKS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("[0-9]*.ipynb", "exercises/*.ipynb", "solutions/*.ipynb")
    for path in (ROOT / "notebooks").glob(pattern)
)
LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^()\s]+)\)")


def prose(text):
    """Return Markdown without its code, which may hold brackets and lines that begin with #."""
    return re.sub(r"(?ms)^ *```.*?^ *```|`[^`\n]+`", "code", text)


def slug(heading):
    """Return a heading's anchor as GitHub and the site make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")


def text_headings(text):
    """Return [(level, title)] of a text."""
    return [(len(marks), title) for marks, title in re.findall(r"(?m)^(#+) +(.+)$", prose(text))]


@functools.cache
def anchors(path):
    """Return the places in a file that a link may name: headings, and a notebook's cells."""
    if path.suffix == ".ipynb":
        cells = Notebook.read(path).cells
        titles = [title for cell in cells for _, title in headings(cell)]
        return {cell.id for cell in cells} | {slug(title) for title in titles}
    if path.suffix == ".md":
        return {slug(title) for _, title in text_headings(path.read_text(encoding="utf-8"))}
    return set()


def link_problems(path, text):
    """Return the links of a Markdown text that lead nowhere, and pictures that nobody describes."""
    faults = []
    for picture, label, target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            if picture and "colab-badge.svg" not in target:
                faults.append(f"picture from afar: {target}")
            continue
        name, _, place = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        if not goal.exists() or not goal.is_relative_to(ROOT.resolve()):
            faults.append(f"link to {target} leads nowhere")
        elif place and place not in anchors(goal):
            faults.append(f"link to {target}: no such heading or cell")
        if picture and len(label.split()) < 3:
            faults.append(f"picture {target} needs a sentence of alt text")
    return faults


def heading_problems(levels):
    """Return what is wrong with the order of a text's headings."""
    steps = zip([0, *levels], levels, strict=False)
    faults = [f"heading skips from level {a} to {b}" for a, b in steps if b > a + 1]
    return faults if levels.count(1) == 1 else [*faults, f"{levels.count(1)} titles"]


@pytest.mark.parametrize("name", TEXTS)
def test_text(name):
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    assert link_problems(path, text) == []
    assert heading_problems([level for level, _ in text_headings(text)]) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_from_a_notebook(name):
    path = ROOT / name
    for cell in Notebook.read(path).cells:
        if cell.cell_type == "markdown":  # its own headings are for `structure.links`
            assert link_problems(path, re.sub(r"\]\(#[^)]*\)", "]", cell.source)) == [], cell.id


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if "solutions" in name])
def test_figures_of_solutions_are_discussed(name):
    """Between a figure and the next heading there is text; `structure.figures` is for lessons."""
    figure = None
    for cell in Notebook.read(ROOT / name).cells:
        if cell.cell_type == "code":
            figure = cell.id if any(kind.startswith("image/") for kind, _ in mime(cell)) else figure
        else:
            assert not (figure and headings(cell)), f"{figure}: a figure without a word on it"
            figure = None
    assert figure is None, figure


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/figures/*.svg")), ids=lambda p: p.name)
def test_diagram_is_shown_with_a_description(path):
    """Each is well-formed, and shown in its lesson or on the first page."""
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    lesson = next((ROOT / "notebooks").glob(f"{path.name[:2]}_*.ipynb"))
    shown = re.findall(
        r"!\[([^\]]+)\]\(figures/([^)]+)\)",
        "\n".join(c.source for c in Notebook.read(lesson).cells),
    )
    assert [len(alt.split()) > 3 for alt, name in shown if name == path.name] == [True]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[a](gone.md)", "link to gone.md leads nowhere"),
        ("[a](TEACHING.md#gone)", "link to TEACHING.md#gone: no such heading or cell"),
        ("[a](#gone)", "link to #gone: no such heading or cell"),
        ("[a](../README.md)", "link to ../README.md leads nowhere"),
        (
            "![a graph](notebooks/figures/02_graph.svg)",
            "picture notebooks/figures/02_graph.svg needs",
        ),
        ("![a b c](https://a.org/b.png)", "picture from afar: https://a.org/b.png"),
    ],
)
def test_planted_fault_is_named(text, fault):
    found = link_problems(ROOT / "README.md", text)
    assert len(found) == 1 and found[0].startswith(fault), found


def test_good_links_have_no_fault():
    lesson = NOTEBOOKS[[name[10:12] for name in NOTEBOOKS].index("02")]
    text = (
        f"[a]({lesson}#without-zero-reading) [b]({lesson}#what-to-remember) [c](TEACHING.md#a-term)"
    )
    text += " [d](#two-commands) [e](notebooks) `[f](gone)`\n\n```\n[g](gone)\n```"
    assert link_problems(ROOT / "README.md", text) == []


def test_headings_out_of_order_are_named():
    assert heading_problems([1, 2, 3, 2]) == []
    assert heading_problems([1, 3, 1]) == ["heading skips from level 1 to 3", "2 titles"]
    assert text_headings("# A\n\n```\n# b\n```\n\n## C") == [(1, "A"), (2, "C")]
