"""Draws lesson 05's diagrams; `python notebooks/figures/05_diagrams.py` writes them anew.

Arrows lead forward, in gray; what a picture is about is blue and bold, or orange and dashed.
"""

import math
from itertools import pairwise
from pathlib import Path

BLUE, ORANGE, INK, GRAY, PAPER = "#0072B2", "#D55E00", "#222222", "#9A9A9A", "#FFFFFF"


def text(x, y, words, color=INK, size=14, anchor="middle", style="normal"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}" '
        f'font-style="{style}">{words}</text>'
    )


def circle(x, y, radius, words="", color=INK, size=13):
    shape = (
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{PAPER}" stroke="{color}" '
        f'stroke-width="1.6"/>'
    )
    return shape + (text(x, y + size / 3, words, color, size) if words else "")


def line(points, color=INK, width=1.6, head=False, dashed=False):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    name = {BLUE: "blue", GRAY: "gray", INK: "ink", ORANGE: "orange"}[color]
    ending = f' marker-end="url(#{name})"' if head else ""
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"'
        f'{dashes}{ending} stroke-linecap="round"/>'
    )


def between(start, end, radius, color=GRAY, width=1.2, head=True):
    """An arrow from the rim of one circle to the rim of another."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    first = (x1 + dx * radius, y1 + dy * radius)
    last = (x2 - dx * (radius + 2), y2 - dy * (radius + 2))
    return line([first, last], color, width, head)


def picture(name, width, height, title, parts):
    heads = "".join(
        f'<marker id="{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        f'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0 L10 5 L0 10 z" fill="{color}"/></marker>'
        for key, color in (("blue", BLUE), ("gray", GRAY), ("ink", INK), ("orange", ORANGE))
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


def columns(sizes, left, gap, middle, step):
    """Places of the nodes, column by column, each column centered on `middle`."""
    return [
        [(left + gap * i, middle + step * (k - (size - 1) / 2)) for k in range(size)]
        for i, size in enumerate(sizes)
    ]


def neuron():
    """A nerve cell beside a unit (after IDL's figure 2.6, redrawn)."""
    parts = [text(175, 24, "a nerve cell, much simplified"), text(570, 24, "a unit")]
    cell = (150, 125)
    for points in (
        [(28, 62), (70, 84), (118, 108)],
        [(52, 42), (70, 84)],
        [(20, 130), (66, 128), (114, 126)],
        [(30, 156), (66, 128)],
        [(38, 204), (76, 172), (120, 145)],
        [(78, 214), (76, 172)],
    ):
        parts.append(line(points, INK, 2))
    parts.append(
        f'<circle cx="{cell[0]}" cy="{cell[1]}" r="38" fill="{PAPER}" stroke="{INK}" '
        f'stroke-width="2"/><circle cx="{cell[0]}" cy="{cell[1]}" r="11" fill="{GRAY}"/>'
    )
    parts.append(line([(188, 125), (300, 125)], BLUE, 4))
    for y in (92, 125, 158):
        parts.append(line([(300, 125), (340, y)], BLUE, 2))
    parts += [
        text(60, 236, "dendrites", INK, 13, style="italic"),
        text(150, 184, "cell body", INK, 13, style="italic"),
        text(246, 112, "axon", BLUE, 13, style="italic"),
    ]
    total, bend = (570, 125), (655, 125)
    for k, y in enumerate((60, 125, 190), start=1):
        parts.append(circle(440, y, 18, f"x{'₁₂₃'[k - 1]}"))
        parts.append(between((440, y), total, 20, INK, 1.6))
        above = y + (125 - y) * 0.42 + (22 if k == 3 else -8)
        parts.append(text(500, above, f"· w{'₁₂₃'[k - 1]}", INK, 13))
    parts.append(between((570, 203), total, 20, INK, 1.6))
    parts += [circle(*total, 20, "+", INK, 20), text(570, 222, "bias b", INK, 13)]
    parts.append(between(total, bend, 20, INK, 1.6))
    parts.append(text(613, 115, "z", INK, 13, style="italic"))
    parts += [circle(*bend, 20, "f", INK, 16), line([(677, 125), (722, 125)], BLUE, 2.5, True)]
    parts.append(text(738, 130, "o", BLUE, 16))
    picture("05_neuron.svg", 760, 250, "A nerve cell and a unit", parts)


def network():
    """The 3-4-1 network of IDL's figure 2.5 with one of its weights pointed out."""
    middle, radius = 160, 20
    nodes = columns([3, 4, 1], 190, 190, middle, 66)
    chosen = (nodes[0][1], nodes[1][3])
    parts = []
    for before, after in pairwise(nodes):
        parts += [between(p, q, radius) for p in before for q in after if (p, q) != chosen]
    parts.append(between(*chosen, radius, BLUE, 3.5))
    names = [[f"x{k}" for k in "₁₂₃"], [f"h{k}" for k in "₁₂₃₄"], ["y"]]
    for column, labels in zip(nodes, names, strict=True):
        parts += [circle(x, y, radius, name) for (x, y), name in zip(column, labels, strict=True)]
    parts += [
        text(190, 24, "3 inputs"),
        text(380, 24, "4 hidden units"),
        text(570, 24, "1 output"),
        text(95, middle + 5, "input 2", BLUE),
        text(380, 300, "unit 4", BLUE),
        text(424, 300, "which entry of weight is the bold arrow?", BLUE, 14, "start"),
    ]
    picture("05_network.svg", 760, 325, "A network with 3, 4 and 1 nodes", parts)


def deep():
    """Width and depth, on a network with three hidden layers."""
    nodes = columns([4, 5, 5, 5, 3], 130, 125, 170, 44)
    parts = []
    for before, after in pairwise(nodes):
        parts += [between(p, q, 13, GRAY, 0.8, head=False) for p in before for q in after]
    parts += [circle(x, y, 13) for column in nodes for x, y in column]
    top, bottom = nodes[1][0][1] - 16, nodes[1][-1][1] + 16
    parts += [
        line([(115, 38), (115, 30), (645, 30), (645, 38)], BLUE, 2),
        text(380, 22, "depth", BLUE),
        line([(672, top), (680, top), (680, bottom), (672, bottom)], ORANGE, 2, dashed=True),
        text(690, 166, "width: 5", ORANGE, 14, "start"),
        text(690, 184, "(widest layer)", ORANGE, 12, "start"),
        text(130, 306, "inputs", INK, 13),
        text(380, 306, "hidden layers", INK, 13),
        text(630, 306, "outputs", INK, 13),
    ]
    picture("05_deep.svg", 790, 320, "Width and depth of a network", parts)


if __name__ == "__main__":
    neuron()
    network()
    deep()
