"""Draws lesson 11's diagrams; `python notebooks/figures/11_diagrams.py` writes them anew.

One color for each part: what a layer learns is orange, what only changes the shape is gray.
"""

from pathlib import Path

INK, PAPER, LEARNED, SHAPE, LINE = "#222222", "#FFFFFF", "#FCE5B8", "#E4E4E4", "#0072B2"
TINTS = ("#CFE5F3", "#FCE5B8", "#CDEBDD", "#F3D9E6", "#E4E4E4", "#FBD5C2", "#E6E0F5", "#F7F3C0")
TINTS += ("#D5ECEE",)
GRID = ("132012", "094531", "268720", "103961", "025483", "110274")


def text(x, y, words, size=14, color=INK, style="normal", anchor="middle"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}" '
        f'font-style="{style}">{words}</text>'
    )


def rectangle(x, y, width, height, fill, rounded=0):
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{rounded}" fill="{fill}" '
        f'stroke="{INK}" stroke-width="1.2"/>'
    )


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


def chain(y, title, modules, shapes):
    """Modules in a row, each with its part of the formula below, shapes on the arrows between."""
    parts = [text(8, y - 52, title, 15, anchor="start")]
    step, width = 176, 104
    for i, shape in enumerate(shapes):
        x = 40 + step * i
        parts.append(text(x, y - 8, shape, 13, LINE))
        if i == len(modules):
            break
        module, formula, learned = modules[i]
        parts.append(arrow(x - 34, x + 36, y + 4))
        parts.append(rectangle(x + 38, y - 22, width, 52, LEARNED if learned else SHAPE, 6))
        parts.append(text(x + 38 + width / 2, y + 9, module))
        parts.append(text(x + 38 + width / 2, y + 52, formula, 14, style="italic"))
    x = 40 + step * len(modules)
    return [*parts, arrow(x - 34, x + 36, y + 4)]


def flatten():
    linear = [("Flatten", "x", False), ("Linear", "x W + b", True)]
    linear += [("Tanh", "tanh( · )", False), ("Linear", "· W + b", True)]
    conv = [("Conv2d", "x ⊛ W + b", True), ("Tanh", "tanh( · )", False)]
    conv += [("Flatten", "as one list", False), ("Linear", "· W + b", True)]
    parts = chain(90, "fully connected", linear, ["1×28×28", "784", "256", "256", "10"])
    parts += chain(240, "convolutional", conv, ["1×28×28", "16×28×28", "16×28×28", "12,544", "10"])
    title = "A fully connected network flattens first, a convolutional one last"
    picture("11_flatten.svg", 800, 315, title, parts)


def pooling():
    """The lesson's 6 × 6 grid, cut into squares and pooled by 2 and by 3."""
    cell, parts = 30, []
    for top, k in ((40, 2), (270, 3)):
        n = 6 // k
        parts.append(text(130, top - 12, f"K = {k}"))
        largest = [[0] * n for _ in range(n)]
        for r, row in enumerate(GRID):
            for c, digit in enumerate(row):
                square = r // k * n + c // k
                largest[r // k][c // k] = max(largest[r // k][c // k], int(digit))
                x, y = 40 + c * cell, top + r * cell
                parts.append(rectangle(x, y, cell, cell, TINTS[square]))
                parts.append(text(x + cell / 2, y + 20, digit))
        for i in range(n + 1):  # the cuts between squares
            at = i * k * cell
            for x1, y1, x2, y2 in ((0, at, 180, at), (at, 0, at, 180)):
                parts.append(
                    f'<line x1="{40 + x1}" y1="{top + y1}" x2="{40 + x2}" y2="{top + y2}" '
                    f'stroke="{INK}" stroke-width="3"/>'
                )
        parts.append(arrow(240, 310, top + 90))
        parts.append(text(275, top + 80, "largest", 13))
        left, start = 330, top + 90 - n * cell / 2
        for r in range(n):
            for c in range(n):
                x, y = left + c * cell, start + r * cell
                parts.append(rectangle(x, y, cell, cell, TINTS[r * n + c]))
                parts.append(text(x + cell / 2, y + 20, largest[r][c]))
    title = "Max pooling by 2 and by 3: of each square only the largest number is kept"
    picture("11_pooling.svg", 450, 470, title, parts)


if __name__ == "__main__":
    flatten()
    pooling()
