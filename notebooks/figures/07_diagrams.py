"""Draws lesson 07's diagram; `python notebooks/figures/07_diagrams.py` writes it anew.

Orange boxes have parameters to learn, gray ones have none.
"""

from pathlib import Path

LEARNS, PLAIN, INK, PAPER = "#D55E00", "#7F7F7F", "#222222", "#FFFFFF"
BOX_WIDTH, STEP, HEIGHT, LEFT, TOP = 66, 82, 34, 232, 34


def text(x, y, words, size=13, anchor="middle", weight="normal"):
    return (
        f'<text x="{x}" y="{y}" fill="{INK}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{words}</text>'
    )


def box(x, y, word):
    color = LEARNS if word == "linear" else PLAIN
    return (
        f'<rect x="{x - BOX_WIDTH / 2}" y="{y - HEIGHT / 2}" width="{BOX_WIDTH}" '
        f'height="{HEIGHT}" rx="6" fill="{PAPER}" stroke="{color}" stroke-width="1.8"/>'
    ) + text(x, y + 5, word)


def arrow(x, y, to):
    return (
        f'<line x1="{x}" y1="{y}" x2="{to}" y2="{y}" stroke="{INK}" stroke-width="1.4" '
        'marker-end="url(#head)"/>'
    )


def chain(y, name, words, output):
    """One kind of network: its name, its boxes from left to right, what comes out."""
    parts = [text(8, y + 5, name, 14, "start", "bold"), text(LEFT - 62, y + 5, "x")]
    x, end = LEFT, LEFT - 52
    for word in words:
        parts += [arrow(end, y, x - BOX_WIDTH / 2 - 2), box(x, y, word)]
        x, end = x + STEP, x + BOX_WIDTH / 2 + 2
    parts += [arrow(end, y, end + 14), text(end + 20, y + 5, output, 13, "start")]
    return parts


def kinds():
    """CAT's four kinds of network, by their layers."""
    hidden, last = ["linear", "f"], ["linear", "sigmoid"]
    rows = [
        ("Linear regression", ["linear"], "a number"),
        ("Logistic regression", last, "a probability"),
        ("Shallow network", hidden + last, "a probability"),
        ("Deep network", 3 * hidden + last, "a probability"),
    ]
    parts = []
    for i, row in enumerate(rows):
        parts += chain(TOP + 54 * i, *row)
    width, height = LEFT + 8 * STEP + 60, TOP + 54 * len(rows) - 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        '<title>Four kinds of network</title><defs><marker id="head" viewBox="0 0 10 10" refX="9" '
        f'refY="5" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 L10 5 L0 10 z" '
        f'fill="{INK}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *parts,
        "</svg>",
    ]
    Path(__file__).with_name("07_kinds.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    kinds()
