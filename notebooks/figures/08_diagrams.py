"""Draws lesson 08's diagram; `python notebooks/figures/08_diagrams.py` writes it anew.

One color for each part: what is learned is orange, what is only computed is gray.
"""

from itertools import pairwise
from pathlib import Path

INK, PAPER, LEARNED, FIXED, LINE = "#222222", "#FFFFFF", "#FCE5B8", "#E4E4E4", "#0072B2"


def text(x, y, words, size=14, color=INK):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="middle">'
        f"{words}</text>"
    )


def box(x, y, width, lines, fill):
    """A box around centered lines; (x, y) is its middle."""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - 28}" width="{width}" height="56" rx="6" '
        f'fill="{fill}" stroke="{INK}" stroke-width="1.2"/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(text(x, top + 18 * i, line) for i, line in enumerate(lines))


def arrow(x1, x2, y):
    return (
        f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="{LINE}" stroke-width="2" '
        f'marker-end="url(#head)"/>'
    )


def picture(name, width, height, title, parts):
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        f"<title>{title}</title><defs>",
        '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{LINE}"/></marker>',
        f'</defs><rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *parts,
        "</svg>",
    ]
    Path(__file__).with_name(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def likelihood():
    """One picture's way to its part of the loss, in L16's four steps."""
    y, centers, width = 62, (70, 240, 410, 570, 720), 100
    boxes = [
        (["picture", "3 × 32 × 32"], FIXED),
        (["network", "3072–512–2"], LEARNED),
        (["softmax"], FIXED),
        (["pick the", "right class"], FIXED),
        (["− log"], FIXED),
    ]
    parts = [box(x, y, width, *rest) for x, rest in zip(centers, boxes, strict=True)]
    parts += [arrow(a + 54, b - 54, y) for a, b in pairwise(centers)]
    parts += [arrow(774, 812, y), text(838, y + 5, "loss")]
    parts += [text(x, 20, f"step {i}", 13, LINE) for i, x in enumerate(centers[1:], start=1)]
    values = ((325, "scores"), (490, "shares"), (645, "one"))
    parts += [text(x, y - 10, word, 12, LINE) for x, word in values]
    notes = ((325, "−0.4, 1.2"), (490, "0.17, 0.83"), (645, "0.83"), (836, "0.18"))
    parts += [text(x, y + 50, word, 13) for x, word in notes]
    parts.append(text(155, y + 50, "a bird", 13))
    picture("08_likelihood.svg", 880, 130, "From a picture to its loss in four steps", parts)


if __name__ == "__main__":
    likelihood()
