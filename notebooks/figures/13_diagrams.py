"""Draws lesson 13's diagram; `python notebooks/figures/13_diagrams.py` writes it anew.

Blue arrows carry data; what a process does is light blue, what all do together is orange.
"""

from pathlib import Path

INK, PAPER, LINE = "#222222", "#FFFFFF", "#0072B2"
OWN, SHARED, STILL = "#CFE5F3", "#FCE5B8", "#E4E4E4"


def text(x, y, words, size=14, color=INK):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" '
        f'text-anchor="middle">{words}</text>'
    )


def box(x, y, width, height, lines, fill):
    """A box around the centered lines; (x, y) is its middle."""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" '
        f'rx="6" fill="{fill}" stroke="{INK}" stroke-width="1.2"/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(text(x, top + 18 * i, line) for i, line in enumerate(lines))


def arrow(x1, y1, x2, y2):
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}" stroke-width="2" '
        f'marker-end="url(#head)"/>'
    )


def step():
    """One step of two processes: own digits, own gradient, one average, equal weights."""
    parts = [box(75, 120, 110, 64, ["global batch", "100 digits"], STILL)]
    for rank, y in enumerate((60, 180)):
        parts += [
            text(340, y - 40, f"rank {rank}"),
            box(235, y, 100, 48, ["50 digits"], STILL),
            box(390, y, 130, 48, ["same weights,", "own gradient"], OWN),
            box(735, y, 120, 48, ["same step,", "same weights"], OWN),
            arrow(130, 120, 183, y),
            arrow(285, y, 323, y),
            arrow(455, y, 503, 120 - 12 + 24 * rank),
            arrow(627, 120 - 12 + 24 * rank, 673, y),
        ]
    parts.append(box(565, 120, 120, 64, ["all-reduce", "average"], SHARED))
    width, height = 810, 215
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        "<title>One step of two processes</title><defs>",
        '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{LINE}"/></marker>',
        f'</defs><rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *parts,
        "</svg>",
    ]
    target = Path(__file__).with_name("13_step.svg")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    step()
