"""Draws lesson 02's diagrams; `python notebooks/figures/02_diagrams.py` writes them anew.

Blue and solid is what flows forward, orange and dashed what flows backward, in all of them.
"""

from pathlib import Path

FORWARD, BACKWARD, INK, PAPER = "#0072B2", "#D55E00", "#222222", "#FFFFFF"


def text(x, y, words, color=INK, size=14, anchor="middle", style="normal"):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}" '
        f'font-style="{style}">{words}</text>'
    )


def box(x, y, width, height, lines, color=INK, rounded=6):
    """A box around the centered lines; (x, y) is its middle."""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" '
        f'rx="{rounded}" fill="{PAPER}" stroke="{color}" stroke-width="1.6"/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(text(x, top + 18 * i, line) for i, line in enumerate(lines))


def arrow(points, color=FORWARD):
    """A line through the points with a head at its end; backward ones are dashed."""
    dashes = ' stroke-dasharray="6 4"' if color == BACKWARD else ""
    head = "back" if color == BACKWARD else "fore"
    path = " ".join(f"{x},{y}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dashes} '
        f'marker-end="url(#{head})"/>'
    )


def picture(name, width, height, title, parts):
    heads = "".join(
        f'<marker id="{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{color}"/></marker>'
        for key, color in (("fore", FORWARD), ("back", BACKWARD))
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


def graph():
    """(x - 2)² as autograd records it: values going right, slopes coming back left."""
    y = 80
    nodes = [(75, 100, ["x"]), (285, 120, ["subtract 2", "u = x − 2"])]
    nodes += [(495, 120, ["square", "u²"]), (690, 90, ["value"])]
    parts = [box(x, y, width, 52, lines) for x, width, lines in nodes]
    for left, right, value, slope in (
        (125, 225, "−3.5", "−11 · 1"),
        (345, 435, "−5.5", "1 · 2u = −11"),
        (555, 645, "30.25", "1"),
    ):
        middle = (left + right) / 2
        parts.append(arrow([(left + 3, y - 12), (right - 3, y - 12)], FORWARD))
        parts.append(arrow([(right - 3, y + 12), (left + 3, y + 12)], BACKWARD))
        parts.append(text(middle, y - 20, value, FORWARD))
        parts.append(text(middle, y + 31, slope, BACKWARD))
    parts.append(text(75, y + 50, "x.grad = −11", BACKWARD))
    parts.append(text(390, 24, "forward: values, as the line of Python computes them", FORWARD))
    parts.append(text(390, 156, "backward: slopes, multiplied on the way back", BACKWARD))
    picture("02_graph.svg", 760, 172, "Computational graph of (x - 2) squared", parts)


def training_loop():
    """IDL's figure 1.8 redrawn: parameters give a loss, the loss changes the parameters."""
    y = 75
    parts = [
        box(65, y, 100, 50, ["data"]),
        box(245, y, 140, 64, ["network", "with parameters θ"]),
        box(440, y, 120, 50, ["predictions"]),
        box(635, y, 140, 64, ["loss ℓ(θ)", "one number ≥ 0"]),
        arrow([(115, y), (173, y)]),
        arrow([(315, y), (378, y)]),
        arrow([(500, y), (563, y)]),
        box(555, 190, 170, 54, ["gradient ∇ℓ(θ)", "one slope per parameter"], BACKWARD),
        box(245, 190, 190, 54, ["update", "θ ← θ − η ∇ℓ(θ)"], BACKWARD),
        arrow([(635, 107), (635, 135), (555, 135), (555, 161)], BACKWARD),
        arrow([(470, 190), (342, 190)], BACKWARD),
        arrow([(245, 163), (245, 109)], BACKWARD),
        text(440, 30, "loss = loss_fn(model(inputs), targets)", FORWARD, 13),
        text(645, 152, "loss.backward()", BACKWARD, 13, "start"),
        text(245, 236, "optimizer.step()", BACKWARD, 13),
    ]
    picture("02_training_loop.svg", 760, 250, "The training loop", parts)


def two_layers():
    """Forward and backward through two layers, with what each station needs from the forward."""
    y = 70
    stations = [
        (55, 80, ["inputs"]),
        (205, 110, ["first linear", "W₁, b₁"]),
        (365, 90, ["tanh"]),
        (525, 120, ["second linear", "W₂, b₂"]),
        (690, 110, ["mean of", "squares"]),
    ]
    parts = [box(x, y, width, 52, lines) for x, width, lines in stations]
    for i, (value, slope) in enumerate(
        (
            (None, None),
            ("z", "z_grad"),
            ("hidden", "hidden_grad"),
            ("predictions", "predictions_grad"),
        )
    ):
        left = stations[i][0] + stations[i][1] / 2 + 3
        right = stations[i + 1][0] - stations[i + 1][1] / 2 - 3
        parts.append(arrow([(left, y - 12), (right, y - 12)], FORWARD))
        if value:
            parts.append(arrow([(right, y + 12), (left, y + 12)], BACKWARD))
            parts.append(text((left + right) / 2, y - 34, value, FORWARD, 13))
            parts.append(text((left + right) / 2, y + 42, slope, BACKWARD, 12))
    for x, words in ((205, "gradients of W₁, b₁"), (525, "gradients of W₂, b₂")):
        parts.append(arrow([(x, y + 28), (x, y + 76)], BACKWARD))
        parts.append(text(x, y + 94, words, BACKWARD, 13))
    picture("02_two_layers.svg", 760, 180, "Backpropagation through two layers", parts)


if __name__ == "__main__":
    graph()
    training_loop()
    two_layers()
