"""Checks of the exercises of lesson 12, data augmentation."""

import random

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import close, exercise, require, require_number, require_tensor
from course_utils.data import ImageTensors, make_loader


@exercise(
    "12.1",
    "Shuffle the pixels",
    "Number the places of one channel row by row: 0 to `rows * columns - 1`. A re-ordering is a "
    "list of these numbers, each of them once. Which function of PyTorch draws one?",
    "When must the order be drawn, so that every image gets the same one: in `__init__`, or when "
    "an image comes?",
    "`torch.Generator().manual_seed(seed)` is a generator of your own. What is drawn from it "
    "leaves PyTorch's own random state alone.",
    "`images.flatten(-2)` makes one row of each channel, whatever stands before, and "
    "`pixels[..., order]` re-orders the last dimension. Afterwards the shape must come back.",
)
def check_shuffle(shuffle_class, generator):
    require(callable(shuffle_class), "the answer is the class `Shuffle` itself")
    # Squares come first: on them rows and columns can be exchanged without an error.
    for rows, columns in ((6, 6), (4, 4), (5, 8), (7, 3)):
        seed = int(torch.randint(1000, (1,), generator=generator))
        case = f"{rows} × {columns} pixels"
        before = _random_states()
        shuffle = shuffle_class(rows, columns, seed)
        kind = type(shuffle).__name__
        require(callable(shuffle), f"`Shuffle(…)` must be callable, not a {kind}: `__call__`")
        order = _order(shuffle, rows, columns, case)

        drawn = torch.rand(4, rows, columns, generator=generator)
        expected = drawn.flatten(1)[:, order].view_as(drawn)
        found = _shuffled(shuffle, drawn, f"an image of 4 channels, {case}")
        require(close(found, expected), f"{case}: another image gets another order")
        batch = torch.rand(5, 3, rows, columns, generator=generator)
        expected = batch.flatten(2)[:, :, order].view_as(batch)
        found = _shuffled(shuffle, batch, f"a batch, {case}")
        words = "in a batch the pixels do not go where those of a single image go"
        require(close(found, expected), f"{case}: {words}")
        again = _order(shuffle_class(rows, columns, seed), rows, columns, case)
        words = f"two objects with seed {seed} have different orders: is it drawn from the seed?"
        require(torch.equal(order, again), f"{case}: {words}")
        other = _order(shuffle_class(rows, columns, seed + 1), rows, columns, case)
        require(not torch.equal(order, other), f"{case}: the order is the same for every seed")
        unchanged = all(map(np.array_equal, before, _random_states()))
        words = "the global random state is changed: draw from a generator of your own"
        require(unchanged, f"{case}: {words}")

        pixels = (255 * drawn).to(torch.uint8)
        result = shuffle(pixels)
        _ = require_tensor(result, pixels, f"shuffled uint8 pixels ({case})", floating=False)
        whole = result.dtype == torch.uint8
        require(whole, f"{case}: uint8 pixels come back as {result.dtype}: keep the dtype")


def _random_states():
    """What PyTorch, NumPy and Python would draw next, as three comparable values."""
    numpy = np.random.get_state()
    return torch.get_rng_state().numpy(), np.append(numpy[1], numpy[2]), random.getstate()[1]


def _shuffled(shuffle, images, case):
    before = images.clone()
    result = shuffle(images)
    require(torch.equal(images, before), f"{case}: the input was changed: make a new tensor")
    return require_tensor(result, images, f"the shuffled image ({case})")


def _order(shuffle, rows, columns, case):
    """Return from which place each pixel has come, once it is sure that it is one order."""
    size = rows * columns
    places = torch.arange(size, dtype=torch.float32).view(rows, columns)
    image = torch.stack([1000 * channel + places for channel in range(3)])  # each pixel is unique
    found = _shuffled(shuffle, image, case).flatten(1)  # (3, size)
    one_each = torch.equal(found.flatten().sort().values, image.double().flatten())
    same_channel = torch.equal(found // 1000, image.double().flatten(1) // 1000)
    words = "pixels have moved from one channel to another: each channel keeps its own"
    require(same_channel or not one_each, f"{case}: {words}")
    gone = 3 * size - len(np.intersect1d(found.flatten(), image.flatten()))
    words = f"{gone} of {3 * size} pixels are gone, and others are there twice: is it a permutation"
    require(one_each, f"{case}: {words}?")

    order = (found % 1000).long()
    once, again = order[0], (_shuffled(shuffle, image, case).flatten(1) % 1000).long()
    require(torch.equal(order, again), f"{case}: a new order at every call; draw it once, for all")
    words = "each channel is shuffled in an order of its own, which changes the colors too"
    require(bool((order == once).all()), f"{case}: {words}")
    moved = (once != torch.arange(size)).any()
    require(bool(moved), f"{case}: nothing has moved")
    source = once.view(rows, columns)
    within = (source // columns == torch.arange(rows)[:, None]).all()
    require(not within, f"{case}: no pixel has left its row: shuffle all places")
    in_rows = (source // columns == source[:, :1] // columns).all()
    require(not in_rows, f"{case}: pixels that shared a row share one still: shuffle all places")
    in_columns = (source % columns == source[:1] % columns).all()
    words = "pixels that shared a column share one still: shuffle all places"
    require(not in_columns, f"{case}: {words}")
    return once


def _require_table(value, rows, columns, what):
    """Require a DataFrame with these rows and columns; return {(row, column): number}.

    Further columns may be there too.
    """
    require(value is not None, f"{what} is None: is a `return` missing?")
    kind = type(value).__name__
    require(isinstance(value, pd.DataFrame), f"{what} must be a DataFrame, not {kind}")
    transposed = set(rows) <= set(value.columns)
    require(not transposed, f"{what} is transposed: {list(rows)} are to be its rows")
    index = list(value.index)
    require(index == list(rows), f"{what} has rows {index} where {list(rows)} are needed")
    missing = [name for name in columns if name not in value.columns]
    there = list(value.columns)
    require(not missing, f"{what} has no column {missing[:1]}; it has {there}")
    return {
        (row, name): require_number(value.loc[row, name], f"{name} of {row!r} in {what}")
        for row in rows
        for name in columns
    }


@exercise(
    "12.2",
    "Which transforms keep the answer?",
    "The answers on the untouched images are needed once, before the loop. `predict` of "
    "course_utils gives a model's outputs for batches; what turns scores into an answer?",
    "A transform draws its random numbers anew each time it is called. How often must it be "
    "called, and with what, if each image is to get a draw of its own?",
    "Keep the changed images: both numbers of a row speak of the same ones. One compares the "
    "answers with the targets; with what does the other compare them?",
    "`pd.DataFrame.from_dict(rows, orient='index')` makes a row of each entry of a dict of dicts.",
)
def check_after_transforms(after_transforms, generator):
    require(callable(after_transforms), "the answer is the function `after_transforms`")
    for training in (False, True, True):
        model, images, targets = _model_and_images(generator)
        model.train(training)
        transforms = _spies(generator)
        state = {name: value.clone() for name, value in model.state_dict().items()}
        untouched, modes = images.clone(), []
        model[2].register_forward_pre_hook(lambda module, _, m=modes: m.append(module.training))
        result = after_transforms(model, images, targets, transforms)
        numbers = _require_table(result, transforms, ("accuracy", "same_answer"), "the table")
        require(torch.equal(images, untouched), "the images themselves were changed")
        _require_each_once(transforms, images)
        at_work = any(modes)
        require(not at_work, "the model answers in training mode, where dropout is at work")
        now = model.state_dict()
        kept = all(torch.equal(value, now[name]) for name, value in state.items())
        require(kept, "the model's parameters or buffers were changed")
        _compare_answers(numbers, model, images, targets, transforms)
        mode = "training" if training else "evaluation"
        words = f"the model came in {mode} mode and is left in the other"
        require(model.training == model[2].training == training, words)


class _Transform:
    """A transform that remembers what it was given and what it made of it."""

    def __init__(self, change):
        self.change, self.inputs, self.outputs = change, [], []

    def __call__(self, image):
        require(isinstance(image, torch.Tensor), f"a transform is given a {type(image).__name__}")
        self.inputs.append(image.clone())
        self.outputs.append(self.change(image))
        return self.outputs[-1].clone()


def _spies(generator):
    def noise(image):  # one draw a call, as torchvision's transforms have
        return image + 0.4 * torch.randn(image.shape[-3:], generator=generator)

    return {
        "unchanged": _Transform(torch.clone),
        "mirrored": _Transform(lambda image: image.flip(-1)),
        "noisy": _Transform(noise),
        "darker": _Transform(lambda image: image * 0.5 - 0.5),
    }


def _model_and_images(generator, count=60):
    model = nn.Sequential(nn.Flatten(), nn.Linear(2 * 5 * 6, 4), nn.Dropout(0.8))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        images = torch.randn(count, 2, 5, 6, generator=generator)
        targets = model.eval()(images).argmax(dim=1)
    wrong = torch.rand(count, generator=generator) < 0.4
    return model, images, torch.where(wrong, (targets + 1) % 4, targets)


def _require_each_once(transforms, images):
    made = None
    for name, transform in transforms.items():
        calls, count = len(transform.inputs), len(images)
        require(calls, f"the transform {name!r} is never called")
        batch = any(image.ndim == 4 for image in transform.inputs)
        words = "is handed a whole batch: all images would share one random draw"
        require(not batch, f"the transform {name!r} {words}")
        first = all(
            image.shape == other.shape and torch.equal(image, other)
            for image, other in zip(transform.inputs, images, strict=False)
        )
        chained = made is not None and torch.equal(transform.inputs[0], made[0])
        words = "is given what the transform before it has made, not the image itself"
        require(first or not chained, f"the transform {name!r} {words}")
        require(first, f"the transform {name!r} is not given the images in their order")
        words = f"is called {calls} times for {count} images"
        both = "" if calls < count else ": both numbers are to speak of the same changed images"
        require(calls == count, f"the transform {name!r} {words}{both}")
        made = transform.outputs if name != "unchanged" else None


def _compare_answers(numbers, model, images, targets, transforms):
    def answers(images):
        with torch.no_grad():
            return model[1](images.flatten(1)).argmax(dim=1)

    def share(answers, others):
        return (answers == others).double().mean().item()

    unchanged = answers(images)
    changed = {name: answers(torch.stack(t.outputs)) for name, t in transforms.items()}
    right = {(name, "accuracy"): share(given, targets) for name, given in changed.items()}
    right |= {(name, "same_answer"): share(given, unchanged) for name, given in changed.items()}
    if _agree(numbers, right):
        return
    names, size = list(changed), len(images)

    def table(accuracies, same):
        columns = {"accuracy": accuracies, "same_answer": same}
        return {(n, c): values[n] for c, values in columns.items() for n in names}

    accuracies = {n: right[n, "accuracy"] for n in names}
    same = {n: right[n, "same_answer"] for n in names}
    before = share(unchanged, targets)
    for words, wrong in (
        ("these are percents; fractions are asked for", {k: 100 * v for k, v in right.items()}),
        ("these are counts; divide by how many images", {k: size * v for k, v in right.items()}),
        ("the two columns are exchanged", table(same, accuracies)),
        (
            "`same_answer` is the accuracy again: compare with the answers on the untouched images",
            table(accuracies, accuracies),
        ),
        (
            "`accuracy` compares with the untouched images' answers, not with the targets",
            table(same, same),
        ),
        (
            "the model never sees the changed images",
            table(dict.fromkeys(names, before), dict.fromkeys(names, 1.0)),
        ),
        (
            "`same_answer` is the ratio of two accuracies; it asks whether each answer stays",
            table(accuracies, {n: accuracies[n] / before for n in names}),
        ),
        (
            "`same_answer` counts only images that were answered rightly before and after",
            table(
                accuracies,
                {
                    n: ((changed[n] == unchanged) & (unchanged == targets)).double().mean().item()
                    for n in names
                },
            ),
        ),
        (
            "`same_answer` is a difference of accuracies; it asks whether each answer stays",
            table(accuracies, {n: 1 - abs(before - accuracies[n]) for n in names}),
        ),
    ):
        require(not _agree(numbers, wrong), words)
    for (name, column), value in numbers.items():
        expected = right[name, column]
        words = f"{column} of {name!r} is {value:.3g}, which is not the fraction asked for"
        require(close(value, expected), words)


def _agree(numbers, others):
    return all(close(value, others[key]) for key, value in numbers.items())


@exercise(
    "12.3",
    "Plain against augmented",
    "Two loops: over the seeds, and over plain and augmented. What must happen at the start of "
    "every single training, so that both kinds begin with the same weights?",
    "`set_seed(seed)` seeds PyTorch, which draws the weights, and returns a generator, from which "
    "the order of batches is drawn. A generator that has been used goes on from where it is.",
    "`Changed(train_set, augment)` is the augmented training set. Which of the sets is the model "
    "judged by, and are its images to differ from one time to the next?",
    "The history has one row an epoch. Choosing the best row by validation would choose by what "
    "is to be measured; the last row is there without any choice.",
)
def check_compare(compare, generator):
    require(callable(compare), "the answer is the function `compare`")
    starts = {}
    for seeds in ((3, 8), (8, 5), (8, 0, 11, 4)):
        lab = _Lab(generator)
        torch.rand(int(torch.randint(9, (1,), generator=generator)) + 1)  # no run begins alike
        result = compare(lab.make_model, lab.fit, lab.train_set, lab.val_set, lab.augment, seeds)
        columns = ("mean", "lowest", "highest")
        numbers = _require_table(result, ("plain", "augmented"), columns, "the table")
        plain, augmented = (_calls(lab, kind, seeds) for kind in ("plain", "augmented"))
        _require_fair(plain, augmented, seeds)
        starts[seeds] = [call["start"] for call in plain]
        _compare_table(numbers, plain, augmented)
        images = lab.train_set.images
        require(torch.equal(images, lab.pixels), "the training images themselves were changed")
    common = sum(_among(start, starts[8, 5]) for start in starts[3, 8])
    words = f"seeds (3, 8) and (8, 5) have one seed in common, but {common} starts"
    require(common == 1, f"{words}: are the seeds themselves used?")


class _Lab:
    """What `compare` is given: it trains nothing, and remembers what it was asked to do."""

    def __init__(self, generator):
        self.generator, self.calls = generator, []
        self.pixels = torch.randint(0, 200, (6, 1, 2, 3), generator=generator).to(torch.uint8)
        targets = torch.tensor([0, 1, 0, 1, 0, 1])
        self.train_set = ImageTensors(self.pixels.clone(), targets, ["a", "b"])
        others = torch.randint(0, 200, (4, 1, 2, 3), generator=generator).to(torch.uint8)
        self.val_set = ImageTensors(others, targets[:4], ["a", "b"])

    def make_model(self):
        return nn.Linear(2, 3)

    def augment(self, images):
        return images + 2 + torch.rand(len(images), 1, 1, 1)

    def fit(self, model, train_set, val_set, generator):
        require(isinstance(model, nn.Module), f"`fit` is given a {type(model).__name__} as model")
        kind = type(generator).__name__
        words = f"`fit` needs a generator for the order of batches, not {kind}"
        require(isinstance(generator, torch.Generator), words)
        call = {"start": model.weight.detach().clone(), "order": generator.get_state()}
        call |= {"train": self._served(train_set), "again": self._served(train_set)}
        call["val"] = self._served(val_set)
        self.calls.append(call)
        with torch.no_grad():
            model.weight.add_(1000)
        torch.rand(3)
        torch.randperm(6, generator=generator)
        history = pd.DataFrame({"epoch": range(1, 7), "seconds": np.arange(6) / 10})
        noise = torch.rand(4, 6, generator=self.generator, dtype=torch.float64).numpy()
        for values, name in zip(noise, ("train_loss", "train_accuracy"), strict=False):
            history[name] = values
        history["val_loss"] = 0.5 + noise[2]
        history["val_accuracy"] = 0.3 + noise[3] / 2
        history.loc[1, "val_accuracy"], history.loc[3, "val_loss"] = 0.95, 0.1
        call["history"] = history
        return history.copy()

    def _served(self, dataset):
        try:
            return next(iter(make_loader(dataset, len(dataset))))[0].clone()
        except (TypeError, AttributeError, ValueError) as error:
            require(False, f"`fit` is given something that is no dataset: {error}")


def _calls(lab, kind, seeds):
    """Return the trainings of one kind, once it is sure that there is one for each seed."""
    plain = lab.pixels / 255
    for call in lab.calls:
        at_all = call["train"].shape == plain.shape
        call["kind"] = "other"
        if at_all and close(call["train"], plain):
            call["kind"] = "plain"
        elif at_all and bool((call["train"] >= 2).all()):
            call["kind"] = "augmented"
        words = "a training gets other images than `train_set`, plain or augmented"
        require(call["kind"] != "other", words)
        held_out = lab.val_set.images / 255
        same = call["val"].shape == held_out.shape and close(call["val"], held_out)
        on_training = call["val"].shape == plain.shape
        words = "a model is validated on the training images"
        require(same or not on_training, words)
        words = "the validation images are augmented: then the two kinds are judged by other images"
        require(same, words)
        once = call["kind"] == "augmented" and close(call["train"], call["again"])
        words = "the images are augmented once, before training; each epoch is to see new ones"
        require(not once, words)
    found = [call for call in lab.calls if call["kind"] == kind]
    require(found, f"no training gets the {kind} images")
    words = f"{kind} trainings: {len(found)}, for {len(seeds)} seeds"
    require(len(found) == len(seeds), words)
    return found


def _require_fair(plain, augmented, seeds):
    calls = plain + augmented
    trained = any(call["start"].max() > 500 for call in calls)
    require(
        not trained, "a model that is trained already is trained again: make a new one each time"
    )
    for one in plain:
        partners = [call for call in augmented if torch.equal(call["start"], one["start"])]
        words = "for one seed, plain and augmented start with different weights"
        require(partners, words)
        same = any(torch.equal(one["order"], call["order"]) for call in partners)
        words = "for one seed, plain and augmented get their batches in different orders"
        require(same, f"{words}: a used generator goes on")
    for name, words in (
        ("start", "start with the same weights"),
        ("order", "get the same order of batches"),
    ):
        different = not _among(plain[0][name], [call[name] for call in plain[1:]])
        require(different, f"all of the {len(seeds)} seeds {words}: where is the seed set?")


def _among(tensor, others):
    return any(torch.equal(tensor, other) for other in others)


def _compare_table(numbers, plain, augmented):
    def last(history):
        return history["val_accuracy"].iloc[-1]

    def table(value, kinds=(plain, augmented), middle=np.mean, low=np.min, high=np.max):
        found = {}
        for name, calls in zip(("plain", "augmented"), kinds, strict=True):
            values = [value(call["history"]) for call in calls]
            for column, function in (("mean", middle), ("lowest", low), ("highest", high)):
                found[name, column] = float(function(values))
        return found

    right = table(last)
    if _agree(numbers, right):
        return
    for words, wrong in (
        (
            "the best epoch was picked by validation accuracy, which flatters: take the last epoch",
            table(lambda history: history["val_accuracy"].max()),
        ),
        (
            "the epoch was picked by validation loss: take the last epoch",
            table(lambda history: history["val_accuracy"][history["val_loss"].idxmin()]),
        ),
        (
            "that is the accuracy after the first epoch: take the last",
            table(lambda history: history["val_accuracy"].iloc[0]),
        ),
        (
            "the accuracies of all epochs are averaged: take the last epoch",
            table(lambda history: history["val_accuracy"].mean()),
        ),
        (
            "that is the accuracy on the training images",
            table(lambda history: history["train_accuracy"].iloc[-1]),
        ),
        ("that is the loss, not the accuracy", table(lambda history: history["val_loss"].iloc[-1])),
        ("these are percents; fractions are asked for", {k: 100 * v for k, v in right.items()}),
        ("plain and augmented are exchanged", table(last, (augmented, plain))),
        ("lowest and highest are exchanged", table(last, low=np.max, high=np.min)),
        ("that is the median, not the mean", table(last, middle=np.median)),
        (
            "the mean is half-way between lowest and highest: average over all seeds",
            table(last, middle=lambda values: (min(values) + max(values)) / 2),
        ),
    ):
        require(not _agree(numbers, wrong), words)
    for ddof in (0, 1):
        spread = table(
            last,
            low=lambda values, ddof=ddof: np.mean(values) - np.std(values, ddof=ddof),
            high=lambda values, ddof=ddof: np.mean(values) + np.std(values, ddof=ddof),
        )
        words = "lowest and highest are the mean minus and plus the standard deviation"
        require(not _agree(numbers, spread), words)
    for (kind, column), value in numbers.items():
        words = f"{column} of {kind!r} is {value:.4g}, not that of the last epochs' accuracies"
        require(close(value, right[kind, column]), words)


@exercise(
    "12.4",
    "Shift a whole batch, each image by its own amount",
    "Two whole numbers an image: down and right. `torch.randint(low, high, size, "
    "generator=generator)` draws many at once. Is `high` among what it draws?",
    "With loops first: a tensor of zeros, and for each image one slice of it that gets one slice "
    "of the image. Which rows of the image are still in the picture when it is moved down by 2?",
    "Without a loop over images: `F.pad` puts zeros around all of them. A moved image is then a "
    "window of the padded one, H rows and W columns from a corner of its own on.",
    "Index tensors broadcast: `padded[i, :, rows, columns]` with `i` (N, 1, 1), `rows` (N, H, 1) "
    "and `columns` (N, 1, W) gives (N, H, W, C). Which dimension has to move?",
)
def check_random_shift(random_shift, generator):
    require(callable(random_shift), "the answer is the function `random_shift`")
    # A square comes first: on it rows and columns can be exchanged without an error.
    for count, channels, rows, columns, most in (
        (1200, 1, 7, 7, 2),
        (1200, 3, 7, 7, 2),
        (900, 2, 6, 9, 1),
        (1500, 1, 9, 8, 3),
    ):
        images = torch.rand(count, channels, rows, columns, generator=generator) + 0.5
        case = f"{count} images of {channels} × {rows} × {columns}, most={most}"
        seed = int(torch.randint(1000, (1,), generator=generator))
        own = torch.Generator().manual_seed(seed)
        found = _moved(random_shift, images, most, own, case)
        shifts = _shifts(found.float(), images, most, case)
        _require_spread(shifts, most, case)
        following = _moved(random_shift, images, most, own, case)
        words = "the next batch moves as the one before: is the generator seeded anew inside?"
        require(not close(found, following), f"{case}: {words}")
        same = torch.Generator().manual_seed(seed)
        torch.rand(1)
        again = _moved(random_shift, images, most, same, case)
        words = "a generator with the same seed gives other shifts: are all drawn from it?"
        require(close(found, again), f"{case}: {words}")
        other = torch.Generator().manual_seed(seed + 1)
        another = _moved(random_shift, images, most, other, case)
        require(not close(found, another), f"{case}: another seed gives the same shifts")
    few = (100 * images[:3]).to(torch.uint8)
    still = random_shift(few, 0, own)
    words = "with most=0"
    value = require_tensor(still, few, f"the result {words}", floating=False)
    require(close(value, few), f"{words} the images do not stay as they are")
    whole = still.dtype == torch.uint8
    require(whole, f"uint8 images come back as {still.dtype}: keep the dtype")


def _moved(random_shift, images, most, generator, case):
    before = images.clone()
    result = random_shift(images, most, generator)
    require(torch.equal(images, before), "the images themselves were changed: make a new tensor")
    return require_tensor(result, images, f"the result ({case})")


def _shifts(found, images, most, case):
    """Return by how much each image was moved down and right, (N, 2)."""
    reach = most + 2
    steps = [(d, r) for d in range(-reach, reach + 1) for r in range(-reach, reach + 1)]

    def matches(pad, where=slice(None)):  # (steps, N)
        rows, columns = images.shape[2:]
        around = pad(images[:, where])
        return torch.stack(
            [
                (
                    found[:, where]
                    == around[:, :, reach - d : reach - d + rows, reach - r : reach - r + columns]
                ).all(dim=(1, 2, 3))
                for d, r in steps
            ]
        )

    def padded(**options):
        return lambda images: F.pad(images, 4 * (reach,), **options)

    zeros = matches(padded())
    lost = ~zeros.any(dim=0)
    if lost.any():
        for words, mode in (
            ("what leaves on one side comes in on the other; zeros are to come in", "circular"),
            ("the border is repeated; zeros are to come in", "replicate"),
            ("the image is mirrored at its border; zeros are to come in", "reflect"),
        ):
            likely = (matches(padded(mode=mode)).any(dim=0) | ~lost).all()
            require(not likely, f"{case}: {words}")
        ones = (matches(padded(value=1.0)).any(dim=0) | ~lost).all()
        require(not ones, f"{case}: ones come in, not zeros")
        channels = [matches(padded(), [c]).any(dim=0) for c in range(images.shape[1])]
        apart = len(channels) > 1 and torch.stack(channels).all()
        require(not apart, f"{case}: the channels of an image move apart")
        place = int(lost.nonzero()[0])
        words = f"image {place} is not what it was, moved by whole pixels, with zeros coming in"
        require(False, f"{case}: {words}")
    shifts = torch.tensor(steps)[zeros.int().argmax(dim=0)]
    too_far = shifts.abs().max().item()
    words = f"an image has moved by {too_far} pixels, more than `most`"
    require(too_far <= most, f"{case}: {words}")
    return shifts


def _require_spread(shifts, most, case):
    down, right = shifts.T
    moved = bool(shifts.any())
    require(moved, f"{case}: no image has moved")
    alike = bool((shifts == shifts[0]).all())
    require(not alike, f"{case}: all images move alike; each is to have an amount of its own")
    for name, values in (("down", down), ("right", right)):
        require(bool(values.any()), f"{case}: no image moves in the direction `{name}`")
    equal = bool((down == right).all())
    require(not equal, f"{case}: each image moves as far right as down: draw two numbers for it")
    opposite = bool((down == -right).all())
    require(not opposite, f"{case}: each image moves as far left as down: draw two numbers for it")
    for name, values in (("down", down), ("right", right)):
        counts = {step: int((values == step).sum()) for step in range(-most, most + 1)}
        never = [step for step, times in counts.items() if not times]
        one_way = set(never) in (set(range(1, most + 1)), set(range(-most, 0)))
        words = f"`{name}` has one sign only: images are to move both ways"
        require(not one_way, f"{case}: {words}")
        if never == [most]:
            words = f"`{name}` never is +{most}: the upper end of `torch.randint` is left out"
            require(False, f"{case}: {words}")
        require(not never, f"{case}: `{name}` never is {never}")
        fair = len(values) / len(counts)
        for step, times in counts.items():
            words = f"`{name}` is {step} for {times} images where about {fair:.0f} are due"
            even = 0.65 * fair < times < 1.5 * fair
            require(even, f"{case}: {words}: all shifts are to be equally likely")
    pairs = len(shifts.unique(dim=0))
    words = f"only {pairs} of {(2 * most + 1) ** 2} pairs of down and right ever come"
    require(pairs == (2 * most + 1) ** 2, f"{case}: {words}")
