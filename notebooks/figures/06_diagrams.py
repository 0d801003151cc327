"""Draws lesson 06's diagram; `python notebooks/figures/06_diagrams.py` writes it anew.

Blue is what is real, orange and hatched what is expected.
"""

from pathlib import Path

REAL, EXPECTED, INK, PAPER = "#0072B2", "#D55E00", "#222222", "#FFFFFF"


def text(x, y, words, color=INK, size=14):
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="middle">'
        f"{words}</text>"
    )


def bars(left, title, shares, color, fill):
    """Two bars over a common ground line, each with its dish beneath and its share above."""
    ground, full = 176, 120
    parts = [text(left + 130, 26, title, color, 15)]
    parts.append(
        f'<line x1="{left}" y1="{ground}" x2="{left + 260}" y2="{ground}" stroke="{INK}" '
        f'stroke-width="1.6"/>'
    )
    for middle, (dish, share) in zip((left + 70, left + 190), shares.items(), strict=True):
        height = full * share
        parts.append(
            f'<rect x="{middle - 38}" y="{ground - height}" width="76" height="{height}" '
            f'fill="{fill}" stroke="{color}" stroke-width="2"/>'
        )
        parts.append(text(middle, ground - height - 8, f"{100 * share:.0f} %"))
        parts.append(text(middle, ground + 20, dish))
    return parts


def lunch():
    """IDL's figure 2.8 redrawn: what the guests want, and what we expect."""
    hatch = (
        '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="8" height="8" fill="{PAPER}"/>'
        f'<line x1="0" y1="0" x2="0" y2="8" stroke="{EXPECTED}" stroke-width="4"/></pattern></defs>'
    )
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 206" width="640" height="206" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>Two distributions over chicken and turkey</title>{hatch}",
        f'<rect width="640" height="206" fill="{PAPER}"/>',
        *bars(40, "reality p", {"chicken": 0.05, "turkey": 0.95}, REAL, REAL),
        *bars(340, "our expectation q", {"chicken": 0.7, "turkey": 0.3}, EXPECTED, "url(#hatch)"),
        "</svg>",
    ]
    Path(__file__).with_name("06_lunch.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    lunch()
