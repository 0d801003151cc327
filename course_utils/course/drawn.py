"""The drawn sample: pictures of CIFAR-10's ten classes, 32 × 32, made by this seeded program.

A class has one or two views, each a list of parts in a frame of its own, drawn back to front. A
picture poses the frame (mirrored, turned, scaled, shifted), varies parts and colors, and adds a
scene, blots of leaves or cloud, light and noise. Only comparisons, +, −, × and ÷ are used: they
are rounded alike on every machine, so the pixels are the same everywhere.
"""

import numpy as np
import torch

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
COUNTS = {"train": 1000, "test": 200}  # pictures a class
CHUNK = 50  # pictures drawn at once: few enough to stay in the processor's cache
NOISE = 28  # the most that noise adds to a pixel or takes from it

# Scenes: color above, color below, color of the blots.
SKY = (120, 170, 225), (185, 210, 235), (235, 240, 245)
CLOUDS = (150, 160, 175), (200, 203, 206), (225, 228, 230)
LEAVES = (70, 110, 55), (95, 120, 60), (35, 70, 30)
MEADOW = (150, 190, 220), (100, 140, 60), (70, 115, 50)
STREET = (175, 180, 185), (95, 95, 100), (120, 125, 120)
SEA = (150, 185, 225), (40, 80, 125), (200, 215, 230)
ROOM = (190, 170, 145), (130, 100, 75), (220, 205, 190)
METAL = (225, 228, 232), (190, 195, 205), (120, 125, 145), (150, 60, 60), (80, 90, 130)
FEATHERS = (110, 85, 60), (60, 60, 75), (150, 60, 50), (215, 210, 200), (70, 105, 160)
PAINT = (190, 40, 40), (40, 70, 160), (225, 225, 228), (60, 60, 65), (220, 180, 50)
FUR = (60, 55, 55), (200, 130, 70), (150, 140, 130), (225, 215, 200), (115, 80, 55)
HIDE = (120, 75, 45), (150, 105, 65), (85, 55, 40), (190, 150, 105)
SKIN = (90, 140, 50), (120, 125, 55), (140, 95, 55)
NAMED = {"black": (35, 33, 35), "glass": (160, 195, 215), "orange": (225, 150, 50)}
NAMED |= {"green": (150, 190, 70), "water": (45, 85, 130)}

# A part: kind, x, y, half-width, half-height, slant (x moved by y), color. y points down. A
# triangle with a negative half-height points down; a number as color is a multiple of the picture's
# main color. An empty line begins a second view.
WHEELS = "ellipse -.5 .38 .19 .19 0 black; ellipse .52 .38 .19 .19 0 black"
LEGS = "; ".join(f"box {x} .5 .07 .4 0 .85" for x in (-0.5, -0.3, 0.2, 0.4))
AIRPLANE = """triangle -.78 -.26 .16 .26 -.4 .8; triangle .0 -.30 .18 .34 -.7 .75
ellipse 0 0 .98 .14 0 1; triangle -.14 .36 .24 -.42 .7 .65; ellipse .75 -.04 .1 .05 0 black"""
BIRD = """triangle -.68 .28 .2 -.2 1.2 .75; box .02 .62 .04 .2 0 orange; box .16 .62 .04 .2 0 orange
ellipse -.05 .15 .5 .34 0 1; ellipse -.18 .12 .34 .18 0 .65; ellipse .42 -.26 .26 .25 0 1.1
triangle .74 -.2 .18 .08 0 orange; ellipse .5 -.32 .06 .06 0 black

triangle -.62 .08 .24 .14 .8 .75; triangle .16 -.4 .24 -.5 -.5 .8; ellipse 0 .1 .52 .2 0 1
triangle -.16 -.36 .28 -.56 .5 .65; ellipse .52 0 .18 .17 0 1.1; triangle .76 0 .14 .07 0 orange"""
CAR = f"triangle 0 -.4 .95 .42 0 .8; box 0 -.2 .4 .14 0 glass; box 0 .14 .92 .24 0 1; {WHEELS}"
TRUCK = f"box -.28 -.2 .66 .5 0 1; box .64 0 .28 .34 0 .7; box .7 -.14 .16 .13 0 glass; {WHEELS}"
SHIP = """box -.1 -.5 .12 .3 0 .6; box -.05 -.16 .5 .2 0 1.2; triangle 0 .55 .95 -.8 0 .8
box 0 .75 1.6 .32 0 water"""
CAT = """ellipse -.85 .1 .1 .5 .3 .8; ellipse -.2 .35 .62 .42 0 1; triangle .24 -.6 .17 .24 0 .8
triangle .72 -.6 .17 .24 0 .8; ellipse .48 -.2 .42 .38 0 1.1; ellipse .32 -.24 .08 .08 0 green
ellipse .66 -.24 .08 .08 0 green; triangle .5 -.06 .07 -.06 0 orange"""
DOG = f"""box -.8 -.1 .06 .28 .5 .8; {LEGS}
ellipse -.1 .12 .6 .28 0 1; ellipse .5 -.28 .28 .27 0 1.1; ellipse .3 -.2 .1 .3 0 .6
ellipse .74 -.16 .2 .12 0 1.2; ellipse .9 -.2 .06 .05 0 black; ellipse .54 -.34 .05 .06 0 black"""
DEER = f"""box .44 -.86 .03 .24 .6 .5; box .74 -.86 .03 .24 -.6 .5; {LEGS}
ellipse -.08 .1 .55 .22 0 1; box .44 -.2 .11 .32 -.4 1; ellipse .62 -.5 .22 .13 0 1.1"""
FROG = """ellipse 0 .5 .9 .16 0 .8; ellipse 0 .15 .68 .45 0 1; ellipse -.3 -.3 .18 .18 0 1.2
ellipse .3 -.3 .18 .18 0 1.2; ellipse -.3 -.3 .1 .1 0 black; ellipse .3 -.3 .1 .1 0 black"""
HORSE = f"""ellipse -.72 .25 .1 .4 .2 .5; {LEGS}; ellipse -.08 .08 .62 .29 0 1
box .46 -.3 .18 .38 -.4 1; box .34 -.36 .07 .36 -.4 .4; ellipse .72 -.55 .28 .15 0 1.05"""
TABLES = {
    "airplane": ((SKY, SKY, CLOUDS, MEADOW), METAL, AIRPLANE),
    "automobile": ((STREET, STREET, MEADOW), PAINT, CAR),
    "bird": ((SKY, LEAVES, CLOUDS, MEADOW), FEATHERS, BIRD),
    "cat": ((ROOM, ROOM, MEADOW, LEAVES), FUR, CAT),
    "deer": ((LEAVES, MEADOW), HIDE, DEER),
    "dog": ((ROOM, MEADOW, MEADOW, STREET), FUR, DOG),
    "frog": ((LEAVES, MEADOW, ROOM), SKIN, FROG),
    "horse": ((MEADOW, MEADOW, LEAVES), HIDE, HORSE),
    "ship": ((SEA,), PAINT, SHIP),
    "truck": ((STREET, STREET, MEADOW), PAINT, TRUCK),
}


def draw(train, classes):
    """Return pictures of the classes: uint8 (N, 3, 32, 32), and int64 (N,) places in `classes`.

    Args:
        train: the 1,000 training pictures a class if true, else the 200 test pictures.
        classes: list of names out of `CLASSES`.

    Example:
        >>> images, targets = draw(train=False, classes=["ship", "cat"])
        >>> images.shape, targets[:4]
        (torch.Size([400, 3, 32, 32]), tensor([1, 0, 1, 0]))
    """
    count = COUNTS["train" if train else "test"]
    pictures, place = [], []
    for known in map(CLASSES.index, classes):
        scenes, colors, parts = TABLES[CLASSES[known]]
        views = parts.split("\n\n") * count
        rng = np.random.Generator(np.random.PCG64([int(train), known]))
        pictures += [_draw_chunk(rng, scenes, colors, views[i]) for i in range(count // CHUNK)]
        # Among all ten classes every tenth picture is one of this class; number 99 is a car.
        place.append(rng.permutation(count) * 10 + (known * 7 + 2) % 10)
    order = np.argsort(np.concatenate(place))
    targets = np.repeat(np.arange(len(classes)), count)
    return torch.from_numpy(np.concatenate(pictures)[order]), torch.from_numpy(targets[order])


def _draw_chunk(rng, scenes, colors, parts):
    def vary(low, high, *shape):
        return low + np.float32(high - low) * rng.random((CHUNK, *shape), dtype=np.float32)

    def pick(options):  # one of them a picture, (CHUNK, …)
        return np.asarray(options, dtype=np.float32)[(rng.random(CHUNK) * len(options)).astype(int)]

    x = (np.arange(32, dtype=np.float32) - 15.5) / 16
    y = x[:, None]
    scene = pick(scenes) + vary(-25, 25, 3, 3)
    mix = np.clip((y - vary(-0.4, 0.6, 1, 1)) * vary(0.6, 6, 1, 1) + 0.5, 0, 1)[:, None] + 0 * x
    canvas = _blend(scene[:, 0, :, None, None] + 0 * mix, mix, scene[:, 1])
    canvas = _blend(canvas, _blots(vary(0, 1, 7, 7)), scene[:, 2])
    tangent, scale = vary(-0.16, 0.16, 1, 1), vary(0.5, 0.95, 1, 1)
    cosine, sine = [v / (1 + tangent * tangent) for v in (1 - tangent * tangent, 2 * tangent)]
    x, y = (x - vary(-0.3, 0.3, 1, 1)) / scale, (y - vary(-0.3, 0.3, 1, 1)) / scale
    mirror = np.where(vary(0, 1, 1, 1) < 0.5, -1, 1).astype(np.float32)
    x, y = mirror * (cosine * x + sine * y), cosine * y - sine * x
    color = pick(colors) + vary(-30, 30, 3)
    for part in parts.replace("\n", ";").split(";"):
        kind, *numbers, paint = part.split()
        left, top, width, height, slant = [float(number) for number in numbers]
        v = (y - top - vary(-0.05, 0.05, 1, 1)) / (height * vary(0.8, 1.25, 1, 1))
        u = x - left - vary(-0.05, 0.05, 1, 1) - (slant + vary(-0.15, 0.15, 1, 1)) * (y - top)
        u = u / (width * vary(0.8, 1.25, 1, 1))
        shapes = {"ellipse": 1 - u * u - v * v, "box": 1 - np.maximum(abs(u), abs(v))}
        inside = shapes.get(kind, np.minimum(1 - v, (1 + v) / 2 - abs(u)))
        cover = np.clip(inside * scale * 16 * min(width, abs(height)) + 0.5, 0, 1)
        painted = NAMED[paint] + vary(-15, 15, 3) if paint in NAMED else color * float(paint)
        canvas = _blend(canvas, cover[:, None], painted)
    noise = vary(-0.5, 0.5, 3, 32, 32) + vary(-0.5, 0.5, 3, 32, 32)
    canvas = canvas * vary(0.75, 1.15, 1, 1, 1) + noise * NOISE
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def _blend(canvas, cover, color):
    """Lay one color a picture (CHUNK, 3) over the canvas, as densely as `cover` (0 to 1) says."""
    return canvas + cover * (color[:, :, None, None] - canvas)


def _blots(coarse):
    """Soft blots where a coarse random grid, read smoothly at every pixel, is high."""
    low, part = np.divmod(np.arange(32) * 6, 32)  # 7 points of the grid span 32 pixels
    part = (part.astype(np.float32) / 32)[:, None]
    for _ in range(2):  # down the rows, and turned over, down what were the columns
        near, far = coarse[:, low], coarse[:, low + 1]
        coarse = (near + part * (far - near)).swapaxes(1, 2)
    return np.clip((coarse - 0.55) * 5, 0, 0.8)[:, None]
