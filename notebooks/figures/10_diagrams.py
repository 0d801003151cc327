"""Draws lesson 10's diagrams; `python notebooks/figures/10_diagrams.py` writes them anew.

What a filter looks at and what it makes of it is blue and bold; biases are orange and dashed.
"""

import math
from pathlib import Path

BLUE, ORANGE, INK, GRAY, PAPER = "#0072B2", "#D55E00", "#222222", "#9A9A9A", "#FFFFFF"


def text(x, y, words, color=INK, size=14, anchor="middle"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" '
        f'text-anchor="{anchor}">{words}</text>'
    )


def box(x, y, width, height, words="", color=INK, stroke=1.6, size=14, dashed=False):
    """A box with its words in the middle; (x, y) is its upper left corner."""
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    shape = (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{PAPER}" '
        f'stroke="{color}" stroke-width="{stroke}"{dashes}/>'
    )
    return shape + text(x + width / 2, y + height / 2 + size / 3, words, color, size)


def frame(x, y, width, height):
    """A bold blue frame that hides nothing."""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" '
        f'stroke="{BLUE}" stroke-width="3"/>'
    )


def arrow(start, end, color=GRAY):
    (x1, y1), (x2, y2) = start, end
    name = {BLUE: "blue", GRAY: "gray"}[color]
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="1.6" '
        f'marker-end="url(#{name})"/>'
    )


def picture(name, width, height, title, parts):
    heads = "".join(
        f'<marker id="{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        f'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0 L10 5 L0 10 z" fill="{color}"/></marker>'
        for key, color in (("blue", BLUE), ("gray", GRAY))
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        f"<title>{title}</title><defs>{heads}</defs>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *parts,
        "</svg>",
    ]
    Path(__file__).with_name(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def layers():
    """IDL's figure 3.1 redrawn: which structure suits which layer."""
    parts = [text(112, 22, "data", GRAY), text(325, 22, "who is a neighbor?", GRAY)]
    parts.append(text(560, 22, "layer", GRAY))
    rows = (
        (70, "any order will do:", "there are none", "fully connected", "nn.Linear"),
        (160, "before and after,", "on a line", "1-D convolution", "nn.Conv1d"),
        (250, "above, below,", "left and right", "2-D convolution", "nn.Conv2d"),
    )
    for y, first, second, layer, module in rows:
        parts.append(text(325, y - 4, first))
        parts.append(text(325, y + 14, second))
        parts.append(arrow((190, y), (238, y)))
        parts.append(arrow((412, y), (462, y)))
        parts.append(box(470, y - 27, 180, 54, "", BLUE))
        parts.append(text(560, y - 4, layer, BLUE))
        parts.append(text(560, y + 15, module, BLUE, 13))
    for i, cells in enumerate(
        (("age", "city", "pay"), ("31", "Bonn", "2.9"), ("58", "Lyon", "3.4"))
    ):
        for j, words in enumerate(cells):
            parts.append(box(46 + 44 * j, 40 + 20 * i, 44, 20, words, size=11, stroke=1))
    wave = " ".join(
        f"{46 + i},{160 - 22 * math.sin(i / 7) * math.sin(i / 42):.1f}" for i in range(0, 133, 2)
    )
    parts.append(f'<polyline points="{wave}" fill="none" stroke="{INK}" stroke-width="1.6"/>')
    bright = {(0, 1), (0, 2), (0, 3), (1, 3), (2, 2), (3, 2)}
    for i in range(4):
        for j in range(5):
            fill = INK if (i, j) in bright else PAPER
            parts.append(
                f'<rect x="{72 + 16 * j}" y="{218 + 16 * i}" width="16" height="16" '
                f'fill="{fill}" stroke="{GRAY}"/>'
            )
    picture("10_layers.svg", 690, 300, "Which structure suits which layer", parts)


def row():
    """IDL's figure 3.5 redrawn: a filter of three slides along a row of six."""
    side, left, top = 56, 130, 20
    parts = [text(118, top + 33, "row", anchor="end"), text(118, 196, "outputs", anchor="end")]
    parts.append(text(118, 109, "filter", BLUE, anchor="end"))
    for i, value in enumerate(("1", "0", "2", "−1", "1", "2")):
        parts.append(box(left + side * i, top, side, side, value, size=18))
    for i, value in enumerate(("1", "0", "−1")):
        x = left + side * (i + 1)
        parts.append(text(x + side / 2, 109, f"· {value}", BLUE, 17))
        parts.append(arrow((x + side / 2, 117), (left + side * 2.5, 158), BLUE))
    for i, value in enumerate(("−1", "1", "1", "−3")):
        color = BLUE if i == 1 else INK
        parts.append(box(left + side * (i + 1), 162, side, side, value, color, size=18))
    parts.append(frame(left + side, top, 3 * side, side))
    parts.append(frame(left + 2 * side, 162, side, side))
    parts.append(text(485, 53, "0·1 + 2·0 + (−1)·(−1) = 1", BLUE, 15, "start"))
    picture("10_row.svg", 700, 236, "A filter of three slides along a row of six", parts)


def stack(x, y, side, count, step, color=INK, words=""):
    """Squares one behind the other, the first channel in front."""
    squares = [
        box(x + step * i, y - step * i, side, side, "", color) for i in reversed(range(count))
    ]
    return "".join(squares) + text(x + side / 2, y + side / 2 + 5, words, color)


def channels():
    """IDL's figures 3.10 and 3.11 redrawn: three channels in, two filters, two channels out."""
    parts = [stack(30, 110, 90, 3, 14, INK), text(90, 232, "input: 3 channels")]
    for i, y in enumerate((55, 175)):
        name, sub = f"filter {i + 1}", "₁₂"[i]
        parts.append(arrow((158, 135), (222, y + 12)))
        parts.append(stack(230, y, 38, 3, 11, BLUE))
        parts.append(text(252, y + 58, name, BLUE, 13))
        parts.append(arrow((300, y + 12), (352, y + 12)))
        parts.append(text(360, y + 17, "3 results, added", INK, 13, "start"))
        parts.append(box(476, y - 3, 46, 30, f"+ b{sub}", ORANGE, dashed=True))
        parts.append(arrow((530, y + 12), (590, 118 + 28 * i), BLUE))
    parts.append(stack(598, 100, 90, 2, 14, BLUE))
    parts.append(text(650, 218, "output: 2 channels", BLUE))
    picture("10_channels.svg", 740, 250, "Three channels in, two filters, two channels out", parts)


if __name__ == "__main__":
    layers()
    row()
    channels()
