"""Draws lesson 01's diagrams; `python notebooks/figures/01_diagrams.py` writes them anew.

Gray is what is given, blue what is looked at, orange what is learned; words always say it too.
"""

from pathlib import Path

INK, PAPER, GIVEN, LEARNED, LINE = "#222222", "#FFFFFF", "#E4E4E4", "#FCE5B8", "#0072B2"
SEEN = "#A9D3EC"


def text(x, y, words, size=14, color=INK, anchor="middle", weight="normal"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{words}</text>'
    )


def rectangle(x, y, width, height, fill=PAPER, rounded=0):
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{rounded}" fill="{fill}" '
        f'stroke="{INK}" stroke-width="1.2"/>'
    )


def arrow(*points):
    path = " ".join(f"{x},{y}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2" '
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


def grid(x, y, values, cell=30, fills=None):
    """Rows of cells with their values; `fills` maps (row, column) to another color."""
    parts = []
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            fill = (fills or {}).get((i, j), PAPER)
            parts.append(rectangle(x + cell * j, y + cell * i, cell, cell, fill))
            parts.append(text(x + cell * (j + 0.5), y + cell * (i + 0.5) + 5, value, 13))
    return parts


def fields():
    """IDL's figures 1.1 to 1.3 in one: three fields, models made of blocks, what drives them."""
    parts = [rectangle(10, 10, 290, 290, rounded=14), rectangle(30, 90, 250, 195, GIVEN, 14)]
    parts.append(rectangle(50, 185, 210, 85, LEARNED, 14))
    for y, head, words in (
        (38, "artificial intelligence", ("decisions that look sensible,", "by rules or otherwise")),
        (116, "machine learning", ("the decisions are taken", "from examples")),
        (210, "deep learning", ("the model is built from blocks,", "many in a row")),
    ):
        parts.append(text(155, y, head, 15, weight="bold"))
        parts += [text(155, y + 19 * (i + 1), line, 13) for i, line in enumerate(words)]
    rows = (
        ("photo", "image", "image", "what it shows"),
        ("text", "sequence", "ignore", "its topic"),
    )
    for i, row in enumerate((*rows, ("video", "image", "sequence", "what happens"))):
        y = 38 + 62 * i
        parts.append(text(318, y + 5, row[0], anchor="start"))
        parts.append(arrow((358, y), (388, y)))
        for x, block in ((390, row[1]), (510, row[2])):
            parts.append(rectangle(x, y - 20, 90, 40, LEARNED, 6))
            parts.append(text(x + 45, y + 5, block))
        parts += [arrow((480, y), (508, y)), arrow((600, y), (628, y))]
        parts.append(text(634, y + 5, row[3], anchor="start"))
    parts.append(rectangle(330, 235, 110, 50, GIVEN, 6))
    parts += [text(385, 256, "examples"), text(385, 275, "(the fuel)", 13)]
    parts.append(rectangle(505, 235, 230, 50, PAPER, 6))
    parts += [text(620, 256, "optimization: change parameters"), text(620, 275, "(the wheels)", 13)]
    parts += [arrow((440, 260), (502, 260)), arrow((555, 235), (555, 187))]
    parts.append(text(566, 216, "each block has parameters", 13, anchor="start"))
    picture("01_fields.svg", 760, 310, "AI, machine learning and deep learning", parts)


def tensors():
    """IDL's figure 1.4 with its own four tensors."""
    parts = grid(50, 95, [["3.14"]], 40)
    parts += grid(145, 100, [[1, 2, 3, 4]])
    parts += grid(310, 55, [[1, 2], [3, 4], [5, 6], [7, 8]])
    for sheet in range(3, -1, -1):
        numbers = [[6 * sheet + 3 * i + j + 1 for j in range(3)] for i in range(2)]
        parts += grid(470 + 60 * sheet, 115 - 30 * sheet, numbers)
    for x, name, shape in (
        (70, "scalar", "no axis: ()"),
        (205, "vector", "one: (4,)"),
        (340, "matrix", "two: (4, 2)"),
        (540, "3-D tensor", "three: (4, 2, 3)"),
    ):
        parts += [text(x, 205, name, 15, weight="bold"), text(x, 225, shape)]
    picture("01_tensors.svg", 750, 240, "Tensors with none to three axes", parts)


def slicing():
    """IDL's figure 1.5 for X of shape (6, 4), with a block beside row, column and value."""
    numbers = [[4 * i + j for j in range(4)] for i in range(6)]
    places = (
        ("X[1, :]", "a row, (4,)", [(1, j) for j in range(4)]),
        ("X[:, 2]", "a column, (6,)", [(i, 2) for i in range(6)]),
        ("X[1, 2]", "one value, ()", [(1, 2)]),
        ("X[1:3, :2]", "a block, (2, 2)", [(i, j) for i in (1, 2) for j in (0, 1)]),
    )
    parts = []
    for k, (code, words, seen) in enumerate(places):
        x = 35 + 180 * k
        parts += grid(x, 40, numbers, fills=dict.fromkeys(seen, SEEN))
        parts += [text(x + 60, 27, code, 15, weight="bold"), text(x + 60, 243, words)]
    picture("01_slicing.svg", 740, 258, "Parts of a matrix", parts)


def storage():
    """IDL's figure 2.3 with what lies beneath: one row of numbers, read in several shapes."""
    parts = [text(200, 43, "in memory, one after the other", anchor="end")]
    parts += grid(215, 22, [range(6)], 34, {(0, j): GIVEN for j in range(6)})
    shapes = (
        (20, [range(6)], "(6,)", "one after the other"),
        (250, [[0, 1, 2], [3, 4, 5]], "(2, 3)", "a new row every 3"),
        (390, [[0, 1], [2, 3], [4, 5]], "(3, 2)", "a new row every 2"),
        (540, [[0, 3], [1, 4], [2, 5]], "(3, 2), transposed", "down by 1, right by 3"),
    )
    for x, rows, shape, words in shapes:
        middle = x + 15 * len(rows[0])
        parts.append(arrow((min(max(middle, 225), 410), 58), (middle, 96)))
        parts += grid(x, 100, rows)
        parts += [text(middle, 212, shape, weight="bold"), text(middle, 231, words, 13)]
    picture("01_storage.svg", 680, 245, "Six numbers in memory and four shapes", parts)


if __name__ == "__main__":
    fields()
    tensors()
    slicing()
    storage()
