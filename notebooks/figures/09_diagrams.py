"""Draws lesson 09's diagram; `python notebooks/figures/09_diagrams.py` writes it anew.

Blue is the network, gray what the loss does inside, orange and dashed the softmax too many.
"""

from pathlib import Path

NETWORK, LOSS, EXTRA, INK, PAPER = "#0072B2", "#7F7F7F", "#D55E00", "#222222", "#FFFFFF"


def text(x, y, words, color=INK, size=14, anchor="middle"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}">'
        f"{words}</text>"
    )


def box(x, y, width, lines, color):
    """A box around the centered lines; (x, y) is its middle."""
    dashes = ' stroke-dasharray="6 4"' if color == EXTRA else ""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - 25}" width="{width}" height="50" rx="6" '
        f'fill="{PAPER}" stroke="{color}" stroke-width="1.8"{dashes}/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(text(x, top + 18 * i, line) for i, line in enumerate(lines))


def arrow(start, end, y, words=""):
    line = (
        f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" stroke="{INK}" stroke-width="1.6" '
        f'marker-end="url(#head)"/>'
    )
    return line + text((start + end) / 2, y - 9, words, size=12)


def frame(y, words):
    """The dashed outline of what happens inside `CrossEntropyLoss`."""
    shape = (
        f'<rect x="484" y="{y - 42}" width="262" height="84" rx="10" fill="none" '
        f'stroke="{LOSS}" stroke-width="1.2"/>'
    )
    return shape + text(615, y - 50, words, LOSS, 13)


def chain(y, softmax):
    parts = [
        box(100, y, 150, ["three layers", "784–125–65–10"], NETWORK),
        frame(y, "inside CrossEntropyLoss"),
        box(552, y, 110, ["softmax"], LOSS),
        box(683, y, 104, ["−log of the", "right one"], LOSS),
        arrow(607, 629, y),
    ]
    if not softmax:
        return [*parts, arrow(175, 495, y, "logits, any numbers")]
    parts += [box(310, y, 110, ["softmax"], EXTRA), arrow(175, 253, y, "logits")]
    return [*parts, text(423, y - 9, "between 0 and 1", size=12), arrow(365, 495, y)]


def softmax_twice():
    parts = [text(25, 22, "as the loss wants it", INK, 14, "start"), *chain(75, False)]
    parts += [text(25, 162, "as the document has it", INK, 14, "start"), *chain(215, True)]
    head = (
        '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{INK}"/></marker>'
    )
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 270" width="760" height="270" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>One softmax, and one too many</title><defs>{head}</defs>",
        f'<rect width="760" height="270" fill="{PAPER}"/>',
        *parts,
        "</svg>",
    ]
    path = Path(__file__).with_name("09_softmax_twice.svg")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    softmax_twice()
