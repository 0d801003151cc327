"""Checks of the exercises of lesson 08, birds and airplanes."""

import numbers

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torchvision.transforms.functional import pil_to_tensor

from course_utils.checks import close, exercise, require, require_functions, require_tensor
from course_utils.data import TransformedImages, make_loader

CHANNEL_AXES = (0, 2, 3)  # of (N, C, H, W): all but the channels
OTHER_BATCHES = (
    "a loader would get other examples than `dataset[i]`: an inherited `__getitems__` goes round "
    "your `__getitem__`"
)


@exercise(
    "08.1",
    "Mean and spread of each channel",
    "The mean of all batches is not the mean of their means, once a batch is smaller. What can be "
    "added up over batches, and divided once at the end?",
    "`images.split(batch_size)` yields the batches. Sums over `dim=(0, 2, 3)` leave one number a "
    "channel.",
    "The variance is the mean of the squares minus the square of the mean. So one more sum is "
    "enough. In which dtype does a difference of two nearly equal numbers keep its digits?",
    "Solve y = (x - mean) / std for x. Then: `mean` has shape (C,), and broadcasting begins at the "
    "last axis. Which shape lines it up with the channels of (N, C, H, W)?",
)
def check_channels(answer, generator):
    require_functions(answer, "channel_statistics", "undo_normalize")
    channel_statistics, undo_normalize = answer
    # Equal sizes come first: on them a wrong axis gives the right shape.
    shapes = (((5, 5, 5, 5), 2), ((7, 3, 4, 5), 3), ((10, 4, 2, 2), 4), ((6, 1, 5, 5), 6))
    for shape, batch_size in (*shapes, ((5, 3, 4, 2), 1), ((12, 3, 4, 4), 50)):
        images = _pictures(shape, generator)
        case = f"images {shape}, batch_size={batch_size}"
        mean, std = _statistics(channel_statistics, images, batch_size, case)
        x = images.double() / 255
        _require_value(mean, x.mean(CHANNEL_AXES), _wrong_means(x, batch_size), f"{case}: the mean")
        expected = x.std(CHANNEL_AXES, correction=0)
        _require_value(std, expected, _wrong_stds(x, batch_size), f"{case}: the std")
    _check_flat_channels(channel_statistics, generator)
    _check_undo(undo_normalize, generator)


def _pictures(shape, generator):
    """Draw pictures that become brighter from the first to the last, and by channel."""
    noise = torch.randint(0, 80, shape, generator=generator)
    brighter = torch.linspace(0, 90, shape[0]).long().view(-1, 1, 1, 1)
    return (noise + brighter + 20 * torch.arange(shape[1]).view(-1, 1, 1)).to(torch.uint8)


class _WidestResult(TorchFunctionMode):
    """Keeps the size of the largest tensor of numbers wider than a byte."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.element_size() > 1:
            self.size = max(self.size, result.numel())
        return result


def _statistics(channel_statistics, images, batch_size, case):
    before = images.clone()
    result = channel_statistics(images, batch_size)
    require(torch.equal(images, before), "the images themselves were changed")
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, "`channel_statistics` must return two tensors: the means, the stds")
    std = result[1]
    if isinstance(std, torch.Tensor) and std.is_floating_point() and std.isnan().any():
        words = "squares of uint8 wrap at 256; rounding can do it, too"
        require(False, f"{case}: the std is NaN, the root of a negative number: {words}")
    like = torch.empty(images.shape[1])
    return [
        require_tensor(value, like, f"the {name} ({case})")
        for value, name in zip(result, ("mean", "std"), strict=True)
    ]


def _require_value(found, expected, wrong, what, rtol=1e-4, atol=1e-6):
    if close(found, expected, rtol, atol):
        return
    for words, values in wrong:
        require(not close(found, values, rtol, atol), f"{what}: {words}")
    off = (found - expected).abs().max()
    require(False, f"{what} is off by up to {off:.2g}")


def _wrong_means(x, batch_size):
    """Yield (what the check says, the values of that mistake)."""
    right, batches = x.mean(CHANNEL_AXES), x.split(batch_size)
    yield "the pixels are not divided by 255", 255 * right
    means = torch.stack([batch.mean(CHANNEL_AXES) for batch in batches])
    yield "the last batch is smaller than the others, but counts as much", means.mean(dim=0)
    yield "only the last batch is in it", means[-1]
    yield "only the first batch is in it", means[0]
    whole = x[: len(x) - len(x) % batch_size]
    yield "the last, smaller batch is left out", whole.mean(CHANNEL_AXES)
    yield "divided by the number of pictures, not of pixels", right * x[0, 0].numel()
    yield from _wrong_axes(x, torch.mean)


def _wrong_stds(x, batch_size):
    right, batches = x.std(CHANNEL_AXES, correction=0), x.split(batch_size)
    yield "the pixels are not divided by 255", 255 * right
    yield "that is the variance; its root is asked for", right**2
    sample = "divided by one less than the number of pixels; here the pixels are all there are"
    yield sample, x.std(CHANNEL_AXES, correction=1)
    yield "the mean is not subtracted before squaring", (x**2).mean(CHANNEL_AXES).sqrt()
    sizes = torch.tensor([len(batch) for batch in batches], dtype=x.dtype)[:, None]
    for weights in (sizes / sizes.sum(), torch.full_like(sizes, 1 / len(sizes))):
        for correction in (0, 1):
            stds = [batch.std(CHANNEL_AXES, correction=correction) for batch in batches]
            stds = torch.stack(stds)
            words = "the batches' spreads are averaged, but the batches' means differ, too"
            yield words, (weights * stds).sum(dim=0)
            yield words, (weights * stds**2).sum(dim=0).sqrt()
    wrapped = ((255 * x).round().long() ** 2 % 256).double().mean(CHANNEL_AXES) / 255**2
    variance = (wrapped - x.mean(CHANNEL_AXES) ** 2).clamp(min=0)
    yield "squares of uint8 wrap at 256", variance.sqrt()
    yield from _wrong_axes(x, lambda x, axes: x.std(axes, correction=0))


def _wrong_axes(x, statistic):
    for kept, name in ((0, "picture"), (2, "row"), (3, "column")):
        if x.shape[kept] == x.shape[1]:
            axes = [axis for axis in range(4) if axis != kept]
            yield f"one number for each {name}, not for each channel", statistic(x, axes)


def _check_flat_channels(channel_statistics, generator):
    """Three channels: one that hardly varies, one that never does, an ordinary one."""
    images = torch.randint(0, 256, (100, 3, 8, 8), generator=generator).to(torch.uint8)
    images[:, 0], images[:, 1] = 250, 37
    images[::10, 0, 0, 0] = 251
    case = "a channel that hardly varies"
    with _WidestResult() as widest:
        _, std = _statistics(channel_statistics, images, 20, case)
    expected = (images[:, 0].double() / 255).std(correction=0).item()
    lost = "the difference of two nearly equal numbers has lost its digits"
    require(close(std[0], expected, 1e-2), f"{case}: its std is {std[0]:.2g}: {lost}")
    require(abs(std[1]) < 1e-6, f"a channel that never varies: its std is {std[1]:.2g}: {lost}")
    pictures = widest.size / images[0].numel()
    words = f"{pictures:.3g} pictures are held at once in numbers wider than a byte"
    require(pictures <= 20, f"images {tuple(images.shape)}, batch_size=20: {words}")


def _check_undo(undo_normalize, generator):
    for shape in ((2, 3, 3, 3), (4, 3, 5, 2), (3, 1, 4, 4), (2, 4, 4, 6)):
        x = torch.rand(shape, generator=generator)
        mean = 0.3 + 0.4 * torch.rand(shape[1], generator=generator)
        std = 0.1 + 0.3 * torch.rand(shape[1], generator=generator)
        m, s = mean.view(-1, 1, 1), std.view(-1, 1, 1)
        y = (x - m) / s
        before = y.clone()
        result = undo_normalize(y, mean, std)
        require(torch.equal(y, before), "`undo_normalize` changes its input: make a new tensor")
        found = require_tensor(result, x, f"the result of `undo_normalize` (images {shape})")
        if close(found, x, 1e-4, 1e-5):
            continue
        wrong = [
            ("that normalizes once more", (y - m) / s),
            ("nothing is undone", y),
            ("the mean is added before multiplying: the last step is undone first", (y + m) * s),
            ("the mean is not added", y * s),
            ("the std is forgotten", y + m),
            ("divided by the std, where Normalize has divided already", y / s + m),
            ("the mean is subtracted once more", y * s - m),
        ]
        if shape[1] == shape[3]:
            words = "mean and std vary along the columns, not along the channels"
            wrong += [(words, y * std + mean)]
        if shape[1] == shape[2]:
            words = "mean and std vary along the rows, not along the channels"
            wrong += [(words, y * std[:, None] + mean[:, None])]
        for words, values in wrong:
            likely = close(found, values, 1e-4, 1e-5)
            require(not likely, f"`undo_normalize`, images {shape}: {words}")
        off = (found - x).abs().max()
        require(False, f"`undo_normalize`, images {shape}: off by up to {off:.3g}")


@exercise(
    "08.2",
    "A data set of some classes",
    "Two questions for `__init__`: at which places of the whole set do the wanted classes stand, "
    "and which new number has each wanted class? `dataset.targets` answers the first without "
    "touching a picture.",
    "`dataset.classes.index(name)` is a class's old number, `names.index(name)` its new one. A "
    "dictionary from old to new serves when an example is asked for.",
    "`self[i]` is not `dataset[i]`: translate the index first. Then let the whole set serve the "
    "example, and change nothing but the target.",
)
def check_classes(some_classes, generator):
    require(callable(some_classes), "hand over the class itself, `SomeClasses`, without brackets")
    for names in (["bird", "airplane"], ["airplane", "bird"], ["cat", "frog", "bird"], ["frog"]):
        whole, served = _numbered_pictures(generator)
        old = whole.targets.clone()
        dataset = _make(some_classes, whole, list(names))
        at_making = len(served)
        require(torch.equal(whole.targets, old), "the targets of the given set itself were changed")
        _require_examples(dataset, whole, names)
        _require_lazy(dataset, whole, served, at_making)
        _require_loader(dataset)
        classes = list(getattr(dataset, "classes", None) or [])
        require(classes == names, f"names {names}: `.classes` is {classes or None}")


def _make(some_classes, whole, names):
    try:
        return some_classes(whole, names)
    except NotImplementedError as error:  # so newer versions of PyTorch's Subset refuse
        require("__getitems__" not in str(error), OTHER_BATCHES)
        raise


def _numbered_pictures(generator):
    """Picture i has the value i throughout; its transform adds 1000, and notes that it was run."""
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog"]
    images = torch.arange(70, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    targets = torch.arange(70)[torch.randperm(70, generator=generator)] % 7
    served = []

    def transform(picture):
        served.append(picture)
        return pil_to_tensor(picture).float() + 1000

    return TransformedImages(images.clone(), targets, classes, transform=transform), served


def _require_examples(dataset, whole, names):
    case = f"names {names}"
    kind = type(dataset).__name__
    is_set = all(hasattr(type(dataset), name) for name in ("__len__", "__getitem__"))
    require(is_set, f"`SomeClasses(dataset, names)` must have a length and items; {kind} has not")
    old = [whole.classes[target] for target in whole.targets.tolist()]
    places = [i for i, name in enumerate(old) if name in names]
    found = len(dataset)
    require(found == len(places), f"{case}: its length is {found}, not {len(places)}")
    examples = [_example(dataset[i]) for i in range(len(places))]
    served, targets = ([example[part] for example in examples] for part in (0, 1))
    if served != places:
        first = served == list(range(len(places)))
        require(not first, f"{case}: the first {found} pictures of the whole set are served")
        moved = sorted(served) == places
        require(not moved, f"{case}: the order is not that of the whole set: sorted by class?")
        require(False, f"{case}: there are pictures of other classes in it, or some are missing")
    expected = [names.index(old[place]) for place in places]
    if targets == expected:
        return
    numbers = [whole.classes.index(old[place]) for place in places]
    words = "not renumbered: the targets are those of the whole set"
    require(targets != numbers, f"{case}: {words}")
    by_set = sorted(names, key=whole.classes.index)
    words = "numbered in the order of the whole set; the order of `names` decides"
    require(targets != [by_set.index(old[place]) for place in places], f"{case}: {words}")
    words = "all have one target: were old numbers replaced one after the other?"
    require(len(set(targets)) > 1 or len(names) == 1, f"{case}: {words}")
    require(False, f"{case}: pictures and targets do not belong together")


def _example(example):
    """Return the number of the picture that is served, and its target."""
    pair = isinstance(example, tuple | list) and len(example) == 2
    require(pair, "an example must be a pair: (what the transform makes of a picture, target)")
    picture, target = example
    numbered = isinstance(picture, torch.Tensor) and picture.is_floating_point()
    words = "the transform is lost: let the given set serve the picture, not its `.images`"
    require(numbered and picture.numel() and picture.min() >= 1000, words)
    require(not isinstance(target, str), "a target must be a number, not the name of a class")
    if isinstance(target, torch.Tensor) and target.numel() == 1 and not target.is_floating_point():
        target = target.item()
    whole = isinstance(target, numbers.Integral) and not isinstance(target, bool)
    require(whole, f"a target must be a whole number, not {type(target).__name__}")
    return round(picture.min().item()) - 1000, int(target)


def _require_lazy(dataset, whole, served, at_making):
    before = len(served)
    for _ in range(2):
        dataset[0]
    stored = "every picture is transformed once, when the set is made, and kept"
    require(len(served) > before, f"{stored}: a random transform could not vary any more")
    require(len(served) == before + 2, "an example is transformed more than once to be served")
    reads = "pictures are read and transformed when the set is made; `targets` tells their classes"
    require(at_making == 0, f"{at_making} of {len(whole)} {reads}")


def _require_loader(dataset):
    inputs, targets = next(iter(make_loader(dataset, len(dataset))))
    served = [(round(x.min().item()) - 1000, int(t)) for x, t in zip(inputs, targets, strict=True)]
    expected = [_example(dataset[i]) for i in range(len(dataset))]
    require(served == expected, OTHER_BATCHES)


@exercise(
    "08.3",
    "Normalize inside the first layer",
    "Write out one output: the sum of w·(x - mean)/std over all inputs, plus b. Which number now "
    "stands before each x, and what is left that has no x?",
    "The flattened picture has C·H·W numbers, and the channel of each must be known. All pixels of "
    "the first channel come first: is that 1, 1, …, 2, 2, … or 1, 2, 3, 1, 2, 3, …?",
    "Make a new `nn.Linear` of the same sizes and, under `torch.no_grad()`, copy weight and bias "
    "into it. The new bias needs a sum over all inputs: a product of a matrix and a vector.",
)
def check_absorb(absorb_normalize, generator):
    for channels, height, width, outputs in (
        (3, 2, 4, 5),
        (3, 3, 3, 4),
        (1, 3, 2, 2),
        (4, 2, 2, 3),
    ):
        layer = nn.Linear(channels * height * width, outputs)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        mean = 0.3 + 0.4 * torch.rand(channels, generator=generator)
        std = 0.1 + 0.3 * torch.rand(channels, generator=generator)
        state = [parameter.clone() for parameter in layer.parameters()]
        absorbed = absorb_normalize(layer, mean, std)
        kept = all(map(torch.equal, state, layer.parameters()))
        require(kept, "the given layer was changed: make a new one")
        require(absorbed is not None, "the result is None: is a `return` missing?")
        linear = isinstance(absorbed, nn.Linear)
        require(linear, f"the result must be an nn.Linear, not {type(absorbed).__name__}")
        case = f"{channels} channels, {height} × {width} pixels"
        require(absorbed.bias is not None, f"{case}: the new layer has no bias")
        W = require_tensor(absorbed.weight, layer.weight, f"the new weight ({case})")
        b = require_tensor(absorbed.bias, layer.bias, f"the new bias ({case})")
        old_W, old_b = (parameter.detach().double() for parameter in state)
        pixels = height * width
        m, s = (value.double().repeat_interleave(pixels) for value in (mean, std))
        weights = _wrong_weights(old_W, std, pixels)
        _require_value(W, old_W / s, weights, f"{case}: the weight", 1e-3, 1e-3)
        biases = _wrong_biases(old_W, old_b, m, s, mean.double().repeat(pixels))
        expected = old_b - (old_W / s) @ m
        _require_value(b, expected, biases, f"{case}: the bias", 1e-3, 1e-3)


def _wrong_weights(W, std, pixels):
    """Yield (what the check says, the values of that mistake)."""
    s, pixel_wise = std.double().repeat_interleave(pixels), std.double().repeat(pixels)
    yield "it is the old one, as if every std were 1", W
    yield "multiplied by the std, where Normalize divides", W * s
    words = "the channels change from number to number: channel 0 holds the first H·W inputs"
    yield words, W / pixel_wise
    yield words, W * pixel_wise
    yield "one std for all channels", W / std.double().mean()


def _wrong_biases(W, b, m, s, m_pixel_wise):
    yield "it is the old one, but the mean was subtracted from every input", b
    yield "the old bias is lost", -(W / s) @ m
    yield "the sign of the mean's share", b + (W / s) @ m
    yield "the mean meets the old weights; it is divided by the std, too", b - W @ m
    yield "the mean meets the old weights; it is divided by the std, too", b + W @ m
    words = "the channels of the mean change from number to number"
    yield words, b - (W / s) @ m_pixel_wise
    average = "the mean's share is averaged over the inputs, not added up"
    yield average, b - ((W / s) * m).mean(dim=1)


@exercise(
    "08.4",
    "The mistakes that it is surest of",
    "First the prediction of each example, then which of them are wrong, then how probable each "
    "prediction is. What turns a log-probability into a probability?",
    "Give the right predictions a value that puts them behind all wrong ones, or collect the "
    "places of the wrong ones with `torch.nonzero` and sort only those.",
    "A place among the mistakes is not a place in the set. If `wrong` holds the places in the set, "
    "what is `wrong[order]`?",
    "There may be fewer mistakes than `count`, even none. A slice takes what there is.",
)
def check_mistakes(surest_mistakes, generator):
    # With more than two classes, the surest mistakes are not those with the least for the target.
    sizes = ((60, 4, 6), (40, 2, 5), (50, 5, 1), (30, 3, 100))
    for num_samples, num_classes, count in (*sizes, (20, 3, 4), (20, 2, 3)):
        scores = 2 * torch.randn(num_samples, num_classes, generator=generator)
        log_probabilities = scores.log_softmax(dim=1)
        highest, predictions = log_probabilities.max(dim=1)
        targets = torch.randint(num_classes, (num_samples,), generator=generator)
        surest = highest.argmax()
        targets[surest] = predictions[surest]  # so the surest of all is no mistake
        if num_samples == 20:
            targets = predictions.clone()  # no mistake, or two, and more are asked for
            if num_classes == 2:
                targets[[3, 11]] = 1 - targets[[3, 11]]
        case = f"{num_samples} examples, {num_classes} classes, count={count}"
        before = log_probabilities.clone(), targets.clone()
        result = surest_mistakes(log_probabilities, targets, count)
        kept = all(map(torch.equal, before, (log_probabilities, targets)))
        require(kept, "what was handed over was changed: make new tensors")
        p, wrong = log_probabilities.double().exp(), predictions != targets
        order = highest.argsort(descending=True)
        expected = order[wrong[order]][:count]
        _require_places(result, expected, p, targets, wrong, count, case)
        found = require_tensor(result[1], expected, f"the probabilities ({case})")
        right = p[expected, predictions[expected]]
        if close(found, right):
            continue
        of_targets = p[expected, targets[expected]]
        for words, values in (
            ("these are log-probabilities", right.log()),
            ("these are what the targets got, not what the predictions got", of_targets),
            ("these are what is left for the other classes", 1 - right),
            ("these are percents, not fractions", 100 * right),
        ):
            require(not close(found, values), f"the probabilities, {case}: {words}")
        require(False, f"the probabilities, {case}: they are not those of the predictions")


def _require_places(result, expected, p, targets, wrong, count, case):
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, "`surest_mistakes` must return two tensors: places, probabilities")
    found = result[0]
    kind = type(found).__name__
    require(isinstance(found, torch.Tensor), f"the places must be a tensor, not {kind}")
    mask = found.dtype == torch.bool
    require(not mask, "the places are booleans: whole numbers are asked for, the surest first")
    swapped = found.is_floating_point() and found.numel()
    require(not swapped, "the places are not whole numbers: the places come first in the pair")
    require(found.ndim == 1, f"the places must have shape (K,), not {tuple(found.shape)}")
    places = found.tolist()
    inside = all(0 <= place < len(targets) for place in places)
    require(inside, f"{case}: {places[:8]} are not all places in the set")
    if places == expected.tolist():
        return
    highest = p.max(dim=1).values
    order = highest.argsort(descending=True)
    unsure_first = order.flip(0)
    for_target = p[torch.arange(len(p)), targets].argsort()
    places_of_wrong = wrong.nonzero().flatten()
    among = highest[wrong].argsort(descending=True)
    for words, values in (
        ("right predictions are among them", order[:count]),
        ("these are places among the mistakes, not in the whole set", among[:count]),
        ("the least sure come first", unsure_first[wrong[unsure_first]][:count]),
        ("the surest come last", expected.flip(0)),
        (
            "here the *target* got least; asked is where the prediction got most",
            for_target[wrong[for_target]][:count],
        ),
        ("all mistakes are there, not the first `count`", order[wrong[order]]),
        ("all mistakes are there, and not in order", places_of_wrong),
        ("they are the first of the set, not the surest", places_of_wrong[:count]),
        ("they are sorted by place; the surest comes first", expected.sort().values),
    ):
        require(places != values.tolist(), f"{case}: {words}")
    only_wrong = bool(wrong[found.long()].all())
    require(only_wrong, f"{case}: right predictions are among them")
    words = f"{len(places)} places where there are {len(expected)} to give"
    require(len(places) == len(expected), f"{case}: {words}")
    require(False, f"{case}: these are mistakes, but not the surest in order")
