"""The checks of lesson 12 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import copy
import math
import random

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from every_lesson import *
from torch.utils.data import Dataset

from course_utils import accuracy, predict, set_seed

# --- 12.1 ----------------------------------------------------------------------------------------


class Shuffle:
    def __init__(self, rows, columns, seed):
        generator = torch.Generator().manual_seed(seed)
        self.order = torch.randperm(rows * columns, generator=generator)

    def __call__(self, images):
        return images.flatten(-2)[..., self.order].view(images.shape)


class ShuffleByLoop:
    """NumPy's generator, and one assignment a pixel."""

    def __init__(self, rows, columns, seed):
        places = [(r, c) for r in range(rows) for c in range(columns)]
        order = np.random.default_rng(seed).permutation(len(places))
        self.pairs = [(place, places[to]) for place, to in zip(places, order, strict=True)]

    def __call__(self, images):
        result = torch.empty_like(images)
        for (r, c), (to_r, to_c) in self.pairs:
            result[..., to_r, to_c] = images[..., r, c]
        return result


class ShuffleEachCall(Shuffle):
    """Draws the order when an image comes."""

    def __call__(self, images):
        self.order = torch.randperm(len(self.order))
        return super().__call__(images)


class ShuffleGoingOn(Shuffle):
    """Keeps its own generator and draws from it at every call."""

    def __init__(self, rows, columns, seed):
        super().__init__(rows, columns, seed)
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, images):
        self.order = torch.randperm(len(self.order), generator=self.generator)
        return super().__call__(images)


class ShuffleChannelsApart(Shuffle):
    """Gives every channel an order of its own."""

    def __init__(self, rows, columns, seed):
        generator = torch.Generator().manual_seed(seed)
        self.orders = [torch.randperm(rows * columns, generator=generator) for _ in range(8)]

    def __call__(self, images):
        channels = images.flatten(-2).unbind(-2)
        mixed = [channel[..., order] for channel, order in zip(channels, self.orders, strict=False)]
        return torch.stack(mixed, dim=-2).view(images.shape)


class ShuffleMixesChannels(Shuffle):
    """Shuffles all numbers of an image, whatever channel they belong to."""

    def __init__(self, rows, columns, seed):
        self.seed = seed

    def __call__(self, images):
        generator = torch.Generator().manual_seed(self.seed)
        pixels = images.flatten()
        return pixels[torch.randperm(len(pixels), generator=generator)].view(images.shape)


class ShuffleDoubles(Shuffle):
    """Draws places with replacement."""

    def __init__(self, rows, columns, seed):
        generator = torch.Generator().manual_seed(seed)
        size = rows * columns
        self.order = torch.randint(size, (size,), generator=generator)


class ShuffleForgetsSeed(Shuffle):
    """Draws once, but from PyTorch's own state."""

    def __init__(self, rows, columns, seed):
        self.order = torch.randperm(rows * columns)


class ShuffleIgnoresSeed(Shuffle):
    """Has one seed for all."""

    def __init__(self, rows, columns, seed):
        super().__init__(rows, columns, 0)


class ShuffleSeedsAll(Shuffle):
    """Seeds PyTorch itself."""

    def __init__(self, rows, columns, seed):
        torch.manual_seed(seed)
        self.order = torch.randperm(rows * columns)


class ShuffleSeedsPython(Shuffle):
    """Seeds Python's own generator."""

    def __init__(self, rows, columns, seed):
        random.seed(seed)
        order = list(range(rows * columns))
        random.shuffle(order)
        self.order = torch.tensor(order)


class ShuffleRows(Shuffle):
    """Shuffles whole rows, and then whole columns."""

    def __init__(self, rows, columns, seed):
        generator = torch.Generator().manual_seed(seed)
        self.rows = torch.randperm(rows, generator=generator)
        self.columns = torch.randperm(columns, generator=generator)

    def __call__(self, images):
        return images[..., self.rows, :][..., self.columns]


class ShuffleWithinRows(Shuffle):
    """Shuffles each row for itself."""

    def __init__(self, rows, columns, seed):
        generator = torch.Generator().manual_seed(seed)
        orders = [torch.randperm(columns, generator=generator) + columns * r for r in range(rows)]
        self.order = torch.cat(orders)


class ShuffleNothing(Shuffle):
    """Draws the order and does not use it."""

    def __call__(self, images):
        return images.clone()


class ShuffleInPlace(Shuffle):
    """Writes into the image that it was given."""

    def __call__(self, images):
        images.copy_(super().__call__(images))
        return images


class ShuffleSorts(Shuffle):
    """Lets the order depend on the image."""

    def __call__(self, images):
        first = images.flatten(-2).flatten(0, -2)[0]
        return images.flatten(-2)[..., first.argsort()[self.order]].view(images.shape)


class ShuffleToFloat(Shuffle):
    """Turns whole numbers into floats."""

    def __call__(self, images):
        return super().__call__(images).float()


class ShuffleTransposed(Shuffle):
    """Puts the pixels back with rows and columns exchanged."""

    def __call__(self, images):
        shape = (*images.shape[:-2], images.shape[-1], images.shape[-2])
        return images.flatten(-2)[..., self.order].view(shape)


class ShuffleBatch(Shuffle):
    """Takes the first dimension of a batch for channels, and shuffles the images too."""

    def __call__(self, images):
        if images.ndim == 3:
            return super().__call__(images)
        return super().__call__(images).flip(0)


# --- 12.2 ----------------------------------------------------------------------------------------


def after(model, images, targets, transforms, tell=lambda before, after, targets: None):
    before = predict(model, [(images, targets)]).argmax(dim=1)
    rows = {}
    for name, transform in transforms.items():
        changed = torch.stack([transform(image) for image in images])
        answers = predict(model, [(changed, targets)]).argmax(dim=1)
        rows[name] = tell(before, answers, targets) or {
            "accuracy": accuracy(targets, answers),
            "same_answer": accuracy(before, answers),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def after_by_loop(model, images, targets, transforms):
    was = model.training
    model.eval()
    table = pd.DataFrame(index=list(transforms), columns=["same_answer", "accuracy"], dtype=float)
    with torch.no_grad():
        before = [model(image[None]).argmax().item() for image in images]
        for name, transform in transforms.items():
            right = same = 0
            for image, target, first in zip(images, targets.tolist(), before, strict=True):
                answer = model(transform(image)[None]).argmax().item()
                right, same = right + (answer == target), same + (answer == first)
            table.loc[name] = [same / len(images), right / len(images)]
    model.train(was)
    return table


def after_whole_batch(model, images, targets, transforms):
    """Hands each transform the whole batch."""
    whole = {name: [transform(images)] for name, transform in transforms.items()}
    replay = {name: iter(list(made[0])) for name, made in whole.items()}
    return after(model, images, targets, {n: lambda _, i=i: next(i) for n, i in replay.items()})


def after_each_other(model, images, targets, transforms):
    """Overwrites the images, so that each transform works on what the last one made."""
    rows = []
    for name, transform in transforms.items():
        rows.append(after(model, images, targets, {name: transform}))
        images = torch.stack(transform.outputs)
    return pd.concat(rows)


def after_twice(model, images, targets, transforms):
    """Transforms anew for the second number."""
    first = after(model, images, targets, transforms)
    second = after(model, images, targets, transforms)
    return pd.DataFrame({"accuracy": first["accuracy"], "same_answer": second["same_answer"]})


def after_in_training_mode(model, images, targets, transforms):
    """Asks the model as it comes, with dropout at work."""
    rows = {}
    before = model(images).argmax(dim=1)
    for name, transform in transforms.items():
        answers = model(torch.stack([transform(image) for image in images])).argmax(dim=1)
        row = {"accuracy": accuracy(targets, answers), "same_answer": accuracy(before, answers)}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def after_left_in_evaluation(model, images, targets, transforms):
    """Calls `model.eval()` and leaves it there."""
    model.eval()
    return after(model, images, targets, transforms)


def after_against_targets(model, images, targets, transforms):
    """Compares with the targets in both columns."""
    return after(
        model,
        images,
        targets,
        transforms,
        lambda b, a, t: dict.fromkeys(("accuracy", "same_answer"), accuracy(t, a)),
    )


def after_against_answers(model, images, targets, transforms):
    """Takes the first answers for the targets."""
    return after(
        model,
        images,
        targets,
        transforms,
        lambda b, a, t: dict.fromkeys(("accuracy", "same_answer"), accuracy(b, a)),
    )


def after_exchanged(model, images, targets, transforms):
    """Exchanges the columns."""
    table = after(model, images, targets, transforms)
    return table.rename(columns={"accuracy": "same_answer", "same_answer": "accuracy"})


def after_in_percent(model, images, targets, transforms):
    """Gives percents."""
    return 100 * after(model, images, targets, transforms)


def after_counted(model, images, targets, transforms):
    """Counts and does not divide."""
    return len(images) * after(model, images, targets, transforms)


def after_unused(model, images, targets, transforms):
    """Changes the images and asks about the unchanged ones."""
    table = after(model, images, targets, transforms)
    before = predict(model, [(images, targets)]).argmax(dim=1)
    return table.assign(accuracy=accuracy(targets, before), same_answer=1.0)


def after_ratio(model, images, targets, transforms):
    """Divides the accuracies by each other."""
    before = predict(model, [(images, targets)]).argmax(dim=1)
    table = after(model, images, targets, transforms)
    return table.assign(same_answer=table["accuracy"] / accuracy(targets, before))


def after_transposed(model, images, targets, transforms):
    """Has a column a transform."""
    return after(model, images, targets, transforms).T


def after_as_dict(model, images, targets, transforms):
    """Returns the dict and makes no table."""
    return after(model, images, targets, transforms).to_dict("index")


def after_numbered(model, images, targets, transforms):
    """Loses the names."""
    return after(model, images, targets, transforms).reset_index(drop=True)


def after_one_short(model, images, targets, transforms):
    """Leaves out the last image."""
    return after(model, images[:-1], targets[:-1], transforms)


def after_in_place(model, images, targets, transforms):
    """Writes what it makes into the images."""
    table = after(model, images, targets, transforms)
    images[0] = list(transforms.values())[-1].outputs[0]
    return table


# --- 12.3 ----------------------------------------------------------------------------------------


class Changed(Dataset):
    def __init__(self, dataset, change):
        self.dataset, self.change = dataset, change

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        image, target = self.dataset[index]
        return self.change(image[None])[0], target

    def __getitems__(self, indices):
        images, targets = self.dataset.__getitems__(indices)
        return self.change(images), targets


def last(history):
    return history["val_accuracy"].iloc[-1]


def summary(found, middle=np.mean, low=min, high=max):
    rows = {
        name: {"mean": middle(values), "lowest": low(values), "highest": high(values)}
        for name, values in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def compare(make_model, fit, train_set, val_set, augment, seeds, value=last, table=summary):
    found = {}
    for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
        found[name] = []
        for seed in seeds:
            generator = set_seed(seed)
            found[name].append(value(fit(make_model(), data, val_set, generator)))
    return table(found)


def compare_with_copies(make_model, fit, train_set, val_set, augment, seeds):
    """Seeds outside, a copy of the start for the second, generators made by hand."""
    rows = []
    for seed in seeds:
        torch.manual_seed(seed)
        start = make_model()
        sets = {"augmented": Changed(train_set, augment), "plain": train_set}
        for name, data in sets.items():
            order = torch.Generator().manual_seed(seed + 100)
            history = fit(copy.deepcopy(start), data, val_set, generator=order)
            rows.append({"kind": name, "accuracy": float(history.tail(1)["val_accuracy"].item())})
    groups = pd.DataFrame(rows).groupby("kind")["accuracy"]
    table = pd.DataFrame({"highest": groups.max(), "lowest": groups.min(), "mean": groups.mean()})
    return table.loc[["plain", "augmented"]]


def compare_val_augmented(make_model, fit, train_set, val_set, augment, seeds):
    """Augments the validation images too."""
    return compare(make_model, fit, train_set, Changed(val_set, augment), augment, seeds)


def compare_on_training(make_model, fit, train_set, val_set, augment, seeds):
    """Validates on the training images."""
    return compare(make_model, fit, train_set, train_set, augment, seeds)


def compare_unseeded(make_model, fit, train_set, val_set, augment, seeds):
    """Counts the seeds and does not use them."""
    found = {"plain": [], "augmented": []}
    for _ in seeds:
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            generator = torch.Generator().manual_seed(0)
            found[name].append(last(fit(make_model(), data, val_set, generator)))
    return summary(found)


def compare_unseeded_copies(make_model, fit, train_set, val_set, augment, seeds):
    """Copies one start for both kinds, but draws it from no seed."""
    found = {"plain": [], "augmented": []}
    for seed in seeds:
        start = make_model()
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            order = torch.Generator().manual_seed(seed)
            found[name].append(last(fit(copy.deepcopy(start), data, val_set, order)))
    return summary(found)


def compare_seeded_once(make_model, fit, train_set, val_set, augment, seeds):
    """Seeds once for both kinds."""
    found = {"plain": [], "augmented": []}
    for seed in seeds:
        generator = set_seed(seed)
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            found[name].append(last(fit(make_model(), data, val_set, generator)))
    return summary(found)


def compare_used_generator(make_model, fit, train_set, val_set, augment, seeds):
    """Gives both kinds the same weights, and one generator that goes on."""
    found = {"plain": [], "augmented": []}
    for seed in seeds:
        generator = set_seed(seed)
        start = make_model()
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            found[name].append(last(fit(copy.deepcopy(start), data, val_set, generator)))
    return summary(found)


def compare_one_seed(make_model, fit, train_set, val_set, augment, seeds):
    """Sets the same seed each time."""
    return compare(make_model, fit, train_set, val_set, augment, [0 for _ in seeds])


def compare_counting(make_model, fit, train_set, val_set, augment, seeds):
    """Takes 0, 1, 2 … for the seeds."""
    return compare(make_model, fit, train_set, val_set, augment, range(len(seeds)))


def compare_seeded_after(make_model, fit, train_set, val_set, augment, seeds):
    """Makes the model before it sets the seed."""
    found = {"plain": [], "augmented": []}
    for seed in seeds:
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            model = make_model()
            found[name].append(last(fit(model, data, val_set, set_seed(seed))))
    return summary(found)


def compare_one_model(make_model, fit, train_set, val_set, augment, seeds):
    """Trains one model on and on."""
    set_seed(seeds[0])
    model = make_model()
    return compare(lambda: model, fit, train_set, val_set, augment, seeds)


def compare_model_a_seed(make_model, fit, train_set, val_set, augment, seeds):
    """Goes on with the plain model when it comes to augmented training."""
    found = {"plain": [], "augmented": []}
    for seed in seeds:
        set_seed(seed)
        model = make_model()
        for name, data in (("plain", train_set), ("augmented", Changed(train_set, augment))):
            found[name].append(last(fit(model, data, val_set, set_seed(seed))))
    return summary(found)


def compare_augmented_once(make_model, fit, train_set, val_set, augment, seeds):
    """Augments the images once, before training."""

    def frozen(dataset, _):
        changed = copy.copy(dataset)
        images = augment(dataset.images / 255)
        changed.__class__ = type("Frozen", (type(dataset),), {
            "__getitems__": lambda self, i: (images[torch.as_tensor(i)], dataset.targets[i]),
        })  # fmt: skip
        return changed

    found = {"plain": [], "augmented": []}
    for seed in seeds:
        for name, make in (("plain", lambda d, _: d), ("augmented", frozen)):
            generator = set_seed(seed)
            data = make(train_set, None)
            set_seed(seed)
            found[name].append(last(fit(make_model(), data, val_set, generator)))
    return summary(found)


def compare_no_augmentation(make_model, fit, train_set, val_set, augment, seeds):
    """Forgets to wrap the training set."""
    return compare(make_model, fit, train_set, val_set, lambda images: images, seeds)


def compare_first_seed(make_model, fit, train_set, val_set, augment, seeds):
    """Runs one seed only."""
    return compare(make_model, fit, train_set, val_set, augment, seeds[:1])


def valued(value):
    def answer(*arguments):
        return compare(*arguments, value=value)

    return answer


def tabled(**functions):
    def answer(*arguments):
        return compare(*arguments, table=lambda found: summary(found, **functions))

    return answer


compare_best = valued(lambda history: history["val_accuracy"].max())
compare_best.__doc__ = "Picks the epoch with the best validation accuracy."
compare_by_loss = valued(lambda history: history["val_accuracy"][history["val_loss"].idxmin()])
compare_by_loss.__doc__ = "Picks the epoch with the lowest validation loss."
compare_first = valued(lambda history: history["val_accuracy"][0])
compare_first.__doc__ = "Takes the first epoch."
compare_all_epochs = valued(lambda history: history["val_accuracy"].mean())
compare_all_epochs.__doc__ = "Averages over the epochs."
compare_train = valued(lambda history: history["train_accuracy"].iloc[-1])
compare_train.__doc__ = "Reports the accuracy on the training images."
compare_loss = valued(lambda history: history["val_loss"].iloc[-1])
compare_loss.__doc__ = "Reports the loss."
compare_percent = valued(lambda history: 100 * last(history))
compare_percent.__doc__ = "Gives percents."
compare_median = tabled(middle=np.median)
compare_median.__doc__ = "Takes the median for the mean."
compare_deviation = tabled(
    low=lambda values: np.mean(values) - np.std(values),
    high=lambda values: np.mean(values) + np.std(values),
)
compare_deviation.__doc__ = "Gives the mean minus and plus the standard deviation."
compare_upside_down = tabled(low=max, high=min)
compare_upside_down.__doc__ = "Exchanges lowest and highest."


def compare_exchanged(*arguments):
    """Exchanges the rows' names."""
    return compare(*arguments).rename(index={"plain": "augmented", "augmented": "plain"}).iloc[::-1]


def compare_transposed(*arguments):
    """Has plain and augmented as columns."""
    return compare(*arguments).T


def compare_without_generator(make_model, fit, train_set, val_set, augment, seeds):
    """Hands the seed over where a generator is needed."""

    def fit_by_seed(model, data, val_set, generator):
        return fit(model, data, val_set, generator.initial_seed())

    return compare(make_model, fit_by_seed, train_set, val_set, augment, seeds)


# --- 12.4 ----------------------------------------------------------------------------------------


def window(images, top, left, most, **padding):
    """Each image's window of the padded images; top and left are (N, 1)."""
    N, _, H, W = images.shape
    rows, columns = top + torch.arange(H), left + torch.arange(W)
    padded = F.pad(images.float(), 4 * (most,), **padding).to(images.dtype)
    which = torch.arange(N)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def draw(images, most, generator, low=0, high=1):
    return torch.randint(low, 2 * most + high, (2, len(images), 1), generator=generator)


def shift(images, most, generator):
    return window(images, *draw(images, most, generator), most)


def shift_by_loop(images, most, generator):
    H, W = images.shape[2:]
    result = torch.zeros_like(images)
    for image, moved in zip(images, result, strict=True):
        d, r = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
        source = image[:, max(0, -d) : H - max(0, d), max(0, -r) : W - max(0, r)]
        moved[:, max(0, d) : H + min(0, d), max(0, r) : W + min(0, r)] = source
    return result


def shift_around(images, most, generator):
    """Rolls each image."""
    steps = torch.randint(-most, most + 1, (len(images), 2), generator=generator).tolist()
    rolled = [torch.roll(i, s, dims=(1, 2)) for i, s in zip(images, steps, strict=True)]
    return torch.stack(rolled)


def shift_all_alike(images, most, generator):
    """Draws one shift for the whole batch."""
    corner = torch.randint(2 * most + 1, (2, 1, 1), generator=generator)
    return window(images, *corner.expand(2, len(images), 1), most)


def shift_diagonally(images, most, generator):
    """Draws one number an image, for both directions."""
    top, _ = draw(images, most, generator)
    return window(images, top, top, most)


def shift_down_only(images, most, generator):
    """Forgets the columns."""
    top, left = draw(images, most, generator)
    return window(images, top, torch.full_like(left, most), most)


def shift_one_way(images, most, generator):
    """Draws 0 to `most`, never less than 0."""
    steps = torch.randint(0, most + 1, (2, len(images), 1), generator=generator)
    return window(images, *(most - steps), most)


def shift_without_upper_end(images, most, generator):
    """Takes the upper end of `randint` to be included."""
    steps = torch.randint(-most, max(most, 1), (2, len(images), 1), generator=generator)
    return window(images, *(most - steps), most)


def shift_too_far(images, most, generator):
    """Goes one too far."""
    return window(images, *draw(images, most + 1, generator), most + 1)


def shift_by_global_state(images, most, generator):
    """Forgets to pass the generator on."""
    return window(images, *draw(images, most, None), most)


def shift_seeded_inside(images, most, generator):
    """Makes a generator of its own, with the same seed for each batch."""
    return shift(images, most, torch.Generator().manual_seed(0))


def shift_seeded_anew(images, most, generator):
    """Seeds anew from the generator's seed."""
    return shift(images, most, torch.Generator().manual_seed(generator.initial_seed()))


def shift_with_border(images, most, generator):
    """Repeats the border."""
    return window(images, *draw(images, most, generator), most, mode="replicate")


def shift_mirrored(images, most, generator):
    """Mirrors at the border."""
    return window(images, *draw(images, most, generator), most, mode="reflect")


def shift_with_white(images, most, generator):
    """Lets ones come in."""
    return window(images, *draw(images, most, generator), most, value=1.0)


def shift_channels_apart(images, most, generator):
    """Draws for each channel."""
    return torch.cat([shift(images[:, [c]], most, generator) for c in range(images.shape[1])], 1)


def shift_rounded(images, most, generator):
    """Rounds, so that the two ends come half as often."""
    steps = torch.rand(2, len(images), 1, generator=generator) * 2 * most
    return window(images, *steps.round().long(), most)


def shift_in_place(images, most, generator):
    """Writes into the images."""
    images.copy_(shift(images, most, generator))
    return images


def shift_to_float(images, most, generator):
    """Turns whole numbers into floats."""
    return shift(images, most, generator).float()


def shift_transposed(images, most, generator):
    """Forgets to bring the channels back to their place."""
    return shift(images, most, generator).movedim(1, -1)


def shift_turned(images, most, generator):
    """Exchanges rows and columns of each image."""
    moved = shift(images, most, generator)
    return moved.transpose(2, 3).reshape(images.shape)


RIGHT = [
    *[("12.1", Shuffle), ("12.1", ShuffleByLoop)],
    *[("12.2", after), ("12.2", after_by_loop)],
    *[("12.3", compare), ("12.3", compare_with_copies)],
    *[("12.4", shift), ("12.4", shift_by_loop)],
]
WRONG = [
    ("12.1", ShuffleEachCall, "a new order at every call"),
    ("12.1", ShuffleGoingOn, "a new order at every call"),
    ("12.1", ShuffleChannelsApart, "an order of its own"),
    ("12.1", ShuffleMixesChannels, "from one channel to another"),
    ("12.1", ShuffleDoubles, "is it a permutation"),
    ("12.1", ShuffleForgetsSeed, "is it drawn from the seed"),
    ("12.1", ShuffleIgnoresSeed, "the same for every seed"),
    ("12.1", ShuffleSeedsAll, "global random state"),
    ("12.1", ShuffleSeedsPython, "global random state"),
    ("12.1", ShuffleRows, "shared a row share one still"),
    ("12.1", ShuffleWithinRows, "no pixel has left its row"),
    ("12.1", ShuffleNothing, "nothing has moved"),
    ("12.1", ShuffleInPlace, "the input was changed"),
    ("12.1", ShuffleSorts, "another image gets another order"),
    ("12.1", ShuffleToFloat, "keep the dtype"),
    ("12.1", ShuffleTransposed, "has shape (3, 8, 5) where (3, 5, 8)"),
    ("12.1", ShuffleBatch, "in a batch"),
    ("12.2", after_whole_batch, "one random draw"),
    ("12.2", after_each_other, "the transform before it"),
    ("12.2", after_twice, "120 times for 60 images"),
    ("12.2", after_in_training_mode, "training mode, where dropout"),
    ("12.2", after_left_in_evaluation, "left in the other"),
    ("12.2", after_against_targets, "the accuracy again"),
    ("12.2", after_against_answers, "not with the targets"),
    ("12.2", after_exchanged, "columns are exchanged"),
    ("12.2", after_in_percent, "percents"),
    ("12.2", after_counted, "these are counts"),
    ("12.2", after_unused, "never sees the changed images"),
    ("12.2", after_ratio, "the ratio of two accuracies"),
    ("12.2", after_transposed, "is transposed"),
    ("12.2", after_as_dict, "a DataFrame, not dict"),
    ("12.2", after_numbered, "has rows [0, 1, 2, 3]"),
    ("12.2", after_one_short, "59 times for 60 images"),
    ("12.2", after_in_place, "themselves were changed"),
    ("12.3", compare_val_augmented, "validation images are augmented"),
    ("12.3", compare_on_training, "validated on the training images"),
    ("12.3", compare_unseeded, "start with different weights"),
    ("12.3", compare_unseeded_copies, "are the seeds themselves used"),
    ("12.3", compare_seeded_once, "start with different weights"),
    ("12.3", compare_seeded_after, "start with different weights"),
    ("12.3", compare_used_generator, "in different orders"),
    ("12.3", compare_one_seed, "start with the same weights"),
    ("12.3", compare_counting, "are the seeds themselves used"),
    ("12.3", compare_one_model, "trained already"),
    ("12.3", compare_model_a_seed, "trained already"),
    ("12.3", compare_augmented_once, "augmented once, before training"),
    ("12.3", compare_no_augmentation, "plain trainings: 4, for 2 seeds"),
    ("12.3", compare_first_seed, "plain trainings: 1, for 2 seeds"),
    ("12.3", compare_best, "best epoch was picked"),
    ("12.3", compare_by_loss, "picked by validation loss"),
    ("12.3", compare_first, "after the first epoch"),
    ("12.3", compare_all_epochs, "all epochs are averaged"),
    ("12.3", compare_train, "on the training images"),
    ("12.3", compare_loss, "the loss, not the accuracy"),
    ("12.3", compare_percent, "percents"),
    ("12.3", compare_median, "the median"),
    ("12.3", compare_deviation, "standard deviation"),
    ("12.3", compare_upside_down, "lowest and highest are exchanged"),
    ("12.3", compare_exchanged, "plain and augmented are exchanged"),
    ("12.3", compare_transposed, "is transposed"),
    ("12.3", compare_without_generator, "needs a generator"),
    ("12.4", shift_around, "comes in on the other"),
    ("12.4", shift_all_alike, "all images move alike"),
    ("12.4", shift_diagonally, "as far right as down"),
    ("12.4", shift_down_only, "in the direction `right`"),
    ("12.4", shift_one_way, "one sign only"),
    ("12.4", shift_without_upper_end, "the upper end of `torch.randint`"),
    ("12.4", shift_too_far, "more than `most`"),
    ("12.4", shift_by_global_state, "are all drawn from it"),
    ("12.4", shift_seeded_inside, "seeded anew inside"),
    ("12.4", shift_seeded_anew, "seeded anew inside"),
    ("12.4", shift_with_border, "the border is repeated"),
    ("12.4", shift_mirrored, "mirrored at its border"),
    ("12.4", shift_with_white, "ones come in"),
    ("12.4", shift_channels_apart, "move apart"),
    ("12.4", shift_rounded, "equally likely"),
    ("12.4", shift_in_place, "themselves were changed"),
    ("12.4", shift_to_float, "keep the dtype"),
    ("12.4", shift_transposed, "where (1200, 1, 7, 7) is needed"),
    ("12.4", shift_turned, "moved by whole pixels"),
]


def test_a_class_with_one_stub_is_to_do(capsys):
    half = type("Half", (Shuffle,), {"__call__": stub})
    assert verdict(capsys, "12.1", half).startswith("to do")


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    torch.zeros(7),
    {"plain": 1.0},
    pd.DataFrame(),
    pd.DataFrame({"mean": [None, "a"], "lowest": math.nan}, index=["plain", "augmented"]),
]


@pytest.mark.parametrize("number", ["12.1", "12.2", "12.3", "12.4"])
@pytest.mark.parametrize("value", KINDS, ids=str)
def test_what_is_no_function(capsys, number, value):
    line = verdict(capsys, number, value)
    assert line.startswith("✗")
    assert "your code raised" not in line


@pytest.mark.parametrize("value", KINDS, ids=str)
def test_shuffled_images_of_the_wrong_kind(capsys, value):
    line = verdict(capsys, "12.1", lambda *arguments: lambda images: value)
    assert line.startswith("✗")
    assert "your code raised" not in line


@pytest.mark.parametrize("value", [None, "1.0", math.nan, [0.5]], ids=str)
@pytest.mark.parametrize("number", ["12.2", "12.3"])
def test_tables_of_the_wrong_kind(capsys, number, value):
    def answer(*arguments):
        right = after if number == "12.2" else compare
        table = right(*arguments).astype(object)
        table.iat[1, 0] = value
        return table

    line = verdict(capsys, number, answer)
    assert line.startswith("✗")
    assert "your code raised" not in line
