"""Draws lesson 04's diagrams; `python notebooks/figures/04_diagrams.py` writes them anew.

Blue and solid is what flows forward, orange and dashed what flows backward, gray what is prepared
once or merely encloses.
"""

from pathlib import Path

FORWARD, BACKWARD, INK, PAPER, GRAY = "#0072B2", "#D55E00", "#222222", "#FFFFFF", "#7F7F7F"


def text(x, y, words, color=INK, size=14, anchor="middle", mono=False):
    family = ' font-family="Menlo, Consolas, monospace"' if mono else ""
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}"'
        f"{family}>{words}</text>"
    )


def box(x, y, width, height, lines=(), color=INK, size=14, mono=False, dashed=False):
    """A box around the centered lines; (x, y) is its middle."""
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    shape = (
        f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" '
        f'rx="6" fill="{PAPER}" stroke="{color}" stroke-width="1.6"{dashes}/>'
    )
    top = y + 5 - 9 * (len(lines) - 1)
    return shape + "".join(
        text(x, top + 18 * i, line, size=size, mono=mono) for i, line in enumerate(lines)
    )


def arrow(points, color=FORWARD, width=2):
    """A line through the points with a head at its end; backward ones are dashed."""
    dashes = ' stroke-dasharray="6 4"' if color == BACKWARD else ""
    head = {FORWARD: "fore", BACKWARD: "back", GRAY: "plain"}[color]
    path = " ".join(f"{x},{y}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dashes} '
        f'marker-end="url(#{head})"/>'
    )


def picture(name, width, height, title, parts):
    heads = "".join(
        f'<marker id="{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{color}"/></marker>'
        for key, color in (("fore", FORWARD), ("back", BACKWARD), ("plain", GRAY))
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


def training_loop():
    """IDL's figures 2.1 and 2.2 redrawn: what is prepared, what is repeated."""
    parts = [
        text(105, 28, "prepare once", GRAY),
        *(
            box(105, y, 170, 40, [words], GRAY, 13, mono=True)
            for y, words in ((62, "train_loader"), (122, "model"), (182, "optimizer"))
        ),
        box(500, 125, 500, 230, (), GRAY, dashed=True),
        text(500, 32, "for every epoch, for every batch", GRAY),
        arrow([(192, 62), (262, 62)], GRAY),
        arrow([(192, 122), (262, 122)], GRAY),
        box(335, 62, 138, 40, ["inputs, targets"], INK, 13, mono=True),
        box(335, 122, 138, 40, ["model(inputs)"], FORWARD, 13, mono=True),
        box(600, 122, 220, 40, ["loss_fn(…, targets)"], FORWARD, 13, mono=True),
        arrow([(335, 83), (335, 100)]),
        arrow([(405, 62), (600, 62), (600, 100)]),
        arrow([(405, 122), (488, 122)]),
        text(447, 113, "predictions", FORWARD, 12),
        box(
            635, 198, 188, 46, ["optimizer.zero_grad()", "loss.backward()"], BACKWARD, 13, mono=True
        ),
        box(350, 198, 168, 40, ["optimizer.step()"], BACKWARD, 13, mono=True),
        arrow([(640, 143), (640, 173)], BACKWARD),
        arrow([(540, 198), (437, 198)], BACKWARD),
        text(488, 189, "gradients", BACKWARD, 12),
        arrow([(265, 198), (222, 198), (222, 136), (194, 136)], BACKWARD),
        text(178, 226, "changes the parameters", BACKWARD, 12),
        text(500, 261, "after each epoch: record the losses, validate", GRAY),
    ]
    picture("04_training_loop.svg", 760, 272, "The training loop with its parts", parts)


def linear():
    """IDL's figure 2.4 as a layer with shapes: a batch in, a batch out."""
    y = 66
    parts = [
        box(110, y, 150, 64, ["inputs x", "(N, d)"]),
        arrow([(187, y), (262, y)]),
        box(380, y, 232, 92, ["nn.Linear(d, C)", "weight W  (C, d)", "bias b  (C,)"], FORWARD),
        arrow([(498, y), (573, y)]),
        box(650, y, 150, 64, ["outputs", "(N, C)"]),
        text(380, 136, "outputs = x · Wᵀ + b, for all N rows at once", FORWARD),
    ]
    picture("04_linear.svg", 760, 150, "A linear layer", parts)


def sequential():
    """IDL's figure 2.7 with an activation: units and arrows above, the modules beneath."""
    columns = {150: (50, 90, 130), 380: (30, 70, 110, 150), 610: (90,)}
    parts = []
    for left, right in ((150, 380), (380, 610)):
        for y_left in columns[left]:
            for y_right in columns[right]:
                parts.append(arrow([(left + 14, y_left), (right - 15, y_right)], FORWARD, 1))
    for x, heights in columns.items():
        for y in heights:
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="13" fill="{PAPER}" stroke="{INK}" '
                f'stroke-width="1.6"/>'
            )
    for x, words in ((150, "input"), (380, "hidden"), (610, "output")):
        parts.append(text(x, 184, words))
    parts.append(box(380, 241, 460, 84, (), GRAY, dashed=True))
    for x, words in ((265, "nn.Linear(3, 4)"), (380, "nn.Tanh()"), (495, "nn.Linear(4, 1)")):
        width = 84 if "Tanh" in words else 130
        parts.append(box(x, 252, width, 34, [words], FORWARD, 13, mono=True))
    parts.append(text(380, 222, "nn.Sequential", GRAY, 13, mono=True))
    picture("04_sequential.svg", 760, 292, "A small network and its modules", parts)


if __name__ == "__main__":
    training_loop()
    linear()
    sequential()
