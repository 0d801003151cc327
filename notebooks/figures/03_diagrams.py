"""Draws lesson 03's diagrams; `python notebooks/figures/03_diagrams.py` writes them anew.

Blue arrows carry data; a box that works on them is light blue, what lies still is gray.
"""

from pathlib import Path

INK, PAPER, LINE, WORK, STILL = "#222222", "#FFFFFF", "#0072B2", "#CFE5F3", "#E4E4E4"
SETS = ("#CFE5F3", "#FBD5C2", "#E4E4E4")


def text(x, y, words, size=14, color=INK, style="normal"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="middle" '
        f'font-style="{style}">{words}</text>'
    )


def box(x, y, width, height, lines, fill, rounded=6):
    """A box around the centered lines; (x, y) is its middle."""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" '
        f'rx="{rounded}" fill="{fill}" stroke="{INK}" stroke-width="1.2"/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(text(x, top + 18 * i, line) for i, line in enumerate(lines))


def arrow(x1, y1, x2, y2):
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}" stroke-width="2" '
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


def loader():
    """Five examples on their way into batches of two."""
    y = 60
    parts = [
        box(65, y, 110, 56, ["sampler", "3, 0, 4, 1, 2"], WORK),
        box(285, y, 90, 56, ["fetch"], WORK),
        box(530, y, 90, 56, ["collate"], WORK),
        box(705, y, 110, 56, ["batch", "of 2"], STILL),
        box(285, 175, 250, 56, ["dataset", "0, 1, 2, 3, 4: image and target"], STILL),
        arrow(120, y, 238, y),
        text(179, y - 10, "[3, 0]", 13, LINE),
        arrow(330, y, 483, y),
        text(407, y - 28, "[(image 3, 1),", 13, LINE),
        text(407, y - 10, "(image 0, 5)]", 13, LINE),
        arrow(575, y, 648, y),
        arrow(270, y + 28, 270, 145),
        arrow(300, 147, 300, y + 30),
        text(222, 118, "dataset[3]", 13, LINE),
        text(347, 118, "image 3, 1", 13, LINE),
        text(705, 112, "images (2, 1, 28, 28)", 13, LINE),
        text(705, 130, "targets (2,)", 13, LINE),
    ]
    picture("03_loader.svg", 790, 215, "From a dataset to a batch", parts)


def three_sets():
    y, left = 55, 10
    parts = []
    for width, name, use, often, fill in (
        (420, "training set", "sets the parameters", "every epoch", SETS[0]),
        (170, "validation set", "to choose by", "as often as you choose", SETS[1]),
        (170, "test set", "to report", "once, at the end", SETS[2]),
    ):
        x = left + width / 2
        parts += [box(x, y, width - 6, 56, [name], fill), arrow(x, y + 30, x, y + 68)]
        parts += [text(x, y + 88, use), text(x, y + 108, often, 13, INK, "italic")]
        left += width
    picture("03_three_sets.svg", 780, 180, "Three sets and what each is for", parts)


if __name__ == "__main__":
    loader()
    three_sets()
