"""The checks of lesson 08 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import torch
from every_lesson import *
from torch import nn
from torch.utils.data import Dataset, Subset
from torchvision.transforms import Normalize

AXES = (0, 2, 3)


# --- 08.1 ----------------------------------------------------------------------------------------


def statistics(images, batch_size, scale=255, correction=0):
    count, total, squares = 0, 0, 0
    for batch in images.split(batch_size):
        values = batch.long()
        count += values[:, 0].numel()
        total = total + values.sum(AXES)
        squares = squares + (values**2).sum(AXES)
    mean = total.double() / count
    variance = (squares.double() / count - mean**2) * count / (count - correction)
    return mean / scale, variance.sqrt() / scale


def statistics_by_histogram(images, batch_size):
    levels = torch.arange(256, dtype=torch.float64) / 255
    counts = [torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(1)]
    shares = torch.stack(counts).double() / counts[0].sum()
    mean = shares @ levels
    variance = (shares * (levels - mean[:, None]) ** 2).sum(dim=1)
    return [mean.float(), variance.sqrt().float()]


def statistics_of_all(images, batch_size):
    """Makes floats of all the pictures at once."""
    x = images.double() / 255
    return x.mean(AXES), x.std(AXES, correction=0)


def statistics_of_batch_means(images, batch_size):
    """Averages the batches' means, whatever their sizes."""
    means = [(batch.double() / 255).mean(AXES) for batch in images.split(batch_size)]
    return torch.stack(means).mean(dim=0), statistics(images, batch_size)[1]


def statistics_of_batch_stds(images, batch_size):
    """Averages the batches' standard deviations."""
    stds = [(b.double() / 255).std(AXES, correction=0) for b in images.split(batch_size)]
    return statistics(images, batch_size)[0], torch.stack(stds).mean(dim=0)


def statistics_of_batch_variances(images, batch_size):
    """Averages the batches' variances by their sizes, but forgets that their means differ."""
    batches = images.split(batch_size)
    variances = [len(b) * (b.double() / 255).var(AXES, correction=0) for b in batches]
    return statistics(images, batch_size)[0], (sum(variances) / len(images)).sqrt()


def statistics_of_levels(images, batch_size):
    """Forgets to divide by 255."""
    return statistics(images, batch_size, scale=1)


def statistics_std_of_levels(images, batch_size):
    """Divides the mean by 255, but not the std."""
    return statistics(images, batch_size)[0], statistics(images, batch_size, scale=1)[1]


def statistics_of_a_sample(images, batch_size):
    """Divides by one less, as `std` does by default."""
    return statistics(images, batch_size, correction=1)


def statistics_variance(images, batch_size):
    """Forgets the root."""
    mean, std = statistics(images, batch_size)
    return mean, std**2


def statistics_root_mean_square(images, batch_size):
    """Does not subtract the mean."""
    mean, std = statistics(images, batch_size)
    return mean, (std**2 + mean**2).sqrt()


def statistics_by_picture(images, batch_size):
    """Takes the first axis for the channels."""
    return statistics(images.transpose(0, 1), batch_size)


def statistics_by_column(images, batch_size):
    """Takes the channels to be last, as in a picture for matplotlib."""
    return statistics(images.transpose(1, 3), batch_size)


def statistics_by_pixel(images, batch_size):
    """Averages over the pictures only."""
    x = images.double() / 255
    return x.mean(dim=0), x.std(dim=0)


def statistics_dividing_by_pictures(images, batch_size):
    """Counts pictures instead of pixels."""
    mean, std = statistics(images, batch_size)
    return mean * images[0, 0].numel(), std


def statistics_of_whole_batches(images, batch_size):
    """Loses the last, smaller batch."""
    whole = len(images) - len(images) % batch_size
    return statistics(images[: whole or None], batch_size)


def statistics_of_last_batch(images, batch_size):
    """Begins anew with each batch."""
    return statistics(images.split(batch_size)[-1], batch_size)


def statistics_with_squared_bytes(images, batch_size):
    """Squares in uint8, where 16² is 0."""
    mean = statistics(images, batch_size)[0]
    return mean, ((images**2).double().mean(AXES) / 255**2 - mean**2).sqrt()


def statistics_with_clamped_squared_bytes(images, batch_size):
    """Squares in uint8, and hides the negative variances."""
    mean = statistics(images, batch_size)[0]
    return mean, ((images**2).double().mean(AXES) / 255**2 - mean**2).clamp(min=0).sqrt()


def statistics_in_float32(images, batch_size):
    """Subtracts two nearly equal float32 numbers, and hides a negative variance."""
    count, total, squares = 0, 0, 0
    for batch in images.split(batch_size):
        values = batch.float() / 255
        count += values[:, 0].numel()
        total, squares = total + values.sum(AXES), squares + (values**2).sum(AXES)
    return total / count, (squares / count - (total / count) ** 2).clamp(min=0).sqrt()


def undo(images, mean, std):
    return images * std[:, None, None] + mean[:, None, None]


def undo_by_normalize(images, mean, std):
    return Normalize(-mean / std, 1 / std)(images)


def undo_by_wrong_normalize(images, mean, std):
    """Takes -mean for the inverse's mean."""
    return Normalize(-mean, 1 / std)(images)


def undo_by_normalizing(images, mean, std):
    """Normalizes once more."""
    return Normalize(mean, std)(images)


def undo_along_columns(images, mean, std):
    """Lets mean and std line up with the last axis, where that raises nothing."""
    fits = images.shape[-1] == len(mean)
    return images * std + mean if fits else undo(images, mean, std)


def undo_along_rows(images, mean, std):
    """Gives mean and std one axis too few."""
    fits = images.shape[-2] == len(mean)
    return images * std[:, None] + mean[:, None] if fits else undo(images, mean, std)


def undo_without_mean(images, mean, std):
    """Forgets the mean."""
    return images * std[:, None, None]


def undo_without_std(images, mean, std):
    """Forgets the std."""
    return images + mean[:, None, None]


def undo_dividing(images, mean, std):
    """Divides once more."""
    return images / std[:, None, None] + mean[:, None, None]


def undo_in_place(images, mean, std):
    """Changes the pictures that it was given."""
    return images.mul_(std[:, None, None]).add_(mean[:, None, None])


# --- 08.2 ----------------------------------------------------------------------------------------


class SomeClasses(Dataset):
    def __init__(self, dataset, names):
        self.dataset, self.classes = dataset, list(names)
        self.new = {dataset.classes.index(name): i for i, name in enumerate(names)}
        self.places = [i for i, target in enumerate(dataset.targets.tolist()) if target in self.new]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        image, target = self.dataset[self.places[index]]
        return image, self.new[target]


class SubsetOfClasses(Subset):
    """Without the inherited `__getitems__`; targets as tensors."""

    def __init__(self, dataset, names):
        self.new = torch.full((len(dataset.classes),), -1)
        self.new[[dataset.classes.index(name) for name in names]] = torch.arange(len(names))
        super().__init__(dataset, torch.nonzero(self.new[dataset.targets] >= 0).flatten())
        self.classes = tuple(names)

    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return [image, self.new[target]]

    def __getitems__(self, indices):
        return [self[i] for i in indices]


class GoneRound(SubsetOfClasses):
    """Overrides `Subset.__getitem__` only; loaders use the inherited `__getitems__`."""

    __getitems__ = Subset.__getitems__


class OtherBatches(SomeClasses):
    """Serves batches with the old targets."""

    def __getitems__(self, indices):
        return [self.dataset[self.places[i]] for i in indices]


class NotRenumbered(SomeClasses):
    """Leaves the targets as they are."""

    def __getitem__(self, index):
        return self.dataset[self.places[index]]


class InOrderOfTheSet(SomeClasses):
    """Numbers the classes as the whole set does."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.new = {old: i for i, old in enumerate(sorted(self.new))}


class ReplacedInTurn(SomeClasses):
    """Replaces one number after the other, and so one twice."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.targets = dataset.targets[self.places]
        for old, new in self.new.items():
            self.targets[self.targets == old] = new

    def __getitem__(self, index):
        return self.dataset[self.places[index]][0], int(self.targets[index])


class ChangesTheTargets(SomeClasses):
    """Renumbers the targets of the set that it was given."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        for place in self.places:
            dataset.targets[place] = self.new[int(dataset.targets[place])]

    def __getitem__(self, index):
        return self.dataset[self.places[index]]


class NamesAsTargets(SomeClasses):
    """Serves the name of the class."""

    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return image, self.classes[target]


class IndexNotTranslated(SomeClasses):
    """Takes the index for a place in the whole set."""

    def __getitem__(self, index):
        return self.dataset[index][0], super().__getitem__(index)[1]


class TargetNotTranslated(SomeClasses):
    """Takes the picture of the right place, the target of another."""

    def __getitem__(self, index):
        image, _ = super().__getitem__(index)
        return image, super().__getitem__(index - 1)[1]


class SortedByClass(SomeClasses):
    """Collects one class after the other."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.places.sort(key=lambda place: self.new[int(dataset.targets[place])])


class AllClasses(SomeClasses):
    """Keeps all examples."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.places = list(range(len(dataset)))


class TransformLost(SomeClasses):
    """Takes the pixels from `images`, past the transform."""

    def __getitem__(self, index):
        place = self.places[index]
        return self.dataset.images[place], self.new[int(self.dataset.targets[place])]


class TransformLostInFloats(TransformLost):
    """Takes the pixels from `images` and makes floats of them."""

    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return image / 255, target


class MadeAtOnce(SomeClasses):
    """Makes a list of all examples, as the lecture does."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.examples = [(x, self.new[target]) for x, target in dataset if target in self.new]

    def __getitem__(self, index):
        return self.examples[index]


class ReadsAllPictures(SomeClasses):
    """Reads every picture only to learn its target."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        self.places = [i for i in range(len(dataset)) if dataset[i][1] in self.new]


class ServedTwice(SomeClasses):
    """Asks the whole set twice, once for the picture and once for the target."""

    def __getitem__(self, index):
        place = self.places[index]
        return self.dataset[place][0], self.new[self.dataset[place][1]]


class ClassesForgotten(SomeClasses):
    """Has no `classes`."""

    def __init__(self, dataset, names):
        super().__init__(dataset, names)
        del self.classes


# --- 08.3 ----------------------------------------------------------------------------------------


def absorb(layer, mean, std, *, weight=None, bias=None, order="repeat_interleave"):
    pixels = layer.in_features // len(mean)
    m, s = getattr(mean, order)(pixels), getattr(std, order)(pixels)
    W, b = layer.weight.detach(), layer.bias.detach()
    absorbed = nn.Linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        absorbed.weight.copy_(W / s if weight is None else weight(W, s))
        absorbed.bias.copy_(b - (W / s) @ m if bias is None else bias(W, b, m, s))
    return absorbed


def absorb_by_probing(layer, mean, std):
    """Asks the layer: what does black give, and how much does each input add?"""
    size = layer.in_features
    probes = torch.cat([torch.zeros(1, size), torch.eye(size)]).view(size + 1, len(mean), -1)
    with torch.no_grad():
        outputs = layer(((probes - mean[:, None]) / std[:, None]).flatten(1))
        absorbed = nn.Linear(size, layer.out_features)
        absorbed.weight.copy_((outputs[1:] - outputs[0]).T)
        absorbed.bias.copy_(outputs[0])
    return absorbed


def absorb_pixel_by_pixel(layer, mean, std):
    """Repeats the channels 1, 2, 3, 1, 2, 3, …"""
    return absorb(layer, mean, std, order="repeat")


def absorb_mean_pixel_by_pixel(layer, mean, std):
    """Repeats the stds in one order, the means in the other."""
    m = mean.repeat(layer.in_features // len(mean))
    return absorb(layer, mean, std, bias=lambda W, b, _, s: b - (W / s) @ m)


def absorb_multiplying(layer, mean, std):
    """Multiplies by the std."""
    return absorb(layer, mean, std, weight=lambda W, s: W * s)


def absorb_mean_only(layer, mean, std):
    """Forgets the std."""
    return absorb(layer, mean, std, weight=lambda W, s: W, bias=lambda W, b, m, s: b - W @ m)


def absorb_bias_kept(layer, mean, std):
    """Forgets the mean."""
    return absorb(layer, mean, std, bias=lambda W, b, m, s: b)


def absorb_bias_lost(layer, mean, std):
    """Forgets the old bias."""
    return absorb(layer, mean, std, bias=lambda W, b, m, s: -(W / s) @ m)


def absorb_bias_of_old_weights(layer, mean, std):
    """Multiplies the mean by the old weights."""
    return absorb(layer, mean, std, bias=lambda W, b, m, s: b - W @ m)


def absorb_bias_added(layer, mean, std):
    """Adds the mean's share."""
    return absorb(layer, mean, std, bias=lambda W, b, m, s: b + (W / s) @ m)


def absorb_bias_averaged(layer, mean, std):
    """Averages over the inputs."""
    return absorb(layer, mean, std, bias=lambda W, b, m, s: b - (W / s * m).mean(dim=1))


def absorb_one_std(layer, mean, std):
    """Takes one std for all channels."""
    return absorb(layer, mean, std, weight=lambda W, s: W / std.mean())


def absorb_in_place(layer, mean, std):
    """Changes the layer that it was given."""
    absorbed = absorb(layer, mean, std)
    layer.load_state_dict(absorbed.state_dict())
    return layer


def absorb_as_sequential(layer, mean, std):
    """Puts Normalize before the layer instead of into it."""
    return nn.Sequential(nn.Identity(), layer)


# --- 08.4 ----------------------------------------------------------------------------------------


def mistakes(log_probabilities, targets, count):
    highest, predictions = log_probabilities.max(dim=1)
    wrong = torch.nonzero(predictions != targets).flatten()
    places = wrong[highest[wrong].argsort(descending=True)][:count]
    return places, highest[places].exp()


def mistakes_by_loop(log_probabilities, targets, count):
    found = []
    for i, (row, target) in enumerate(
        zip(log_probabilities.tolist(), targets.tolist(), strict=True)
    ):
        if row.index(max(row)) != target:
            found.append((-math.exp(max(row)), i))
    found = sorted(found)[:count]
    return [torch.tensor([i for _, i in found]), torch.tensor([-p for p, _ in found])]


def mistakes_and_right_ones(log_probabilities, targets, count):
    """Takes the surest predictions, the right ones too."""
    highest = log_probabilities.max(dim=1).values
    places = highest.argsort(descending=True)[:count]
    return places, highest[places].exp()


def mistakes_filled_up(log_probabilities, targets, count):
    """Gives right predictions the probability 0, and still takes `count` of all."""
    highest, predictions = log_probabilities.max(dim=1)
    p, places = (highest.exp() * (predictions != targets)).sort(descending=True)
    return places[:count], p[:count]


def mistakes_among_mistakes(log_probabilities, targets, count):
    """Returns places among the mistakes."""
    highest, predictions = log_probabilities.max(dim=1)
    p = highest[predictions != targets].exp()
    order = p.argsort(descending=True)[:count]
    return order, p[order]


def mistakes_backward(log_probabilities, targets, count):
    """Sorts upward, and takes the first."""
    places, p = mistakes(log_probabilities, targets, len(targets))
    return places.flip(0)[:count], p.flip(0)[:count]


def mistakes_last_first(log_probabilities, targets, count):
    """Has the right ones, the surest last."""
    return tuple(part.flip(0) for part in mistakes(log_probabilities, targets, count))


def mistakes_by_target(log_probabilities, targets, count):
    """Looks for the targets with the lowest probability."""
    of_target = log_probabilities.gather(1, targets[:, None]).squeeze(1)
    wrong = log_probabilities.argmax(dim=1) != targets
    order = of_target.argsort()
    places = order[wrong[order]][:count]
    return places, log_probabilities[places].max(dim=1).values.exp()


def mistakes_unsorted(log_probabilities, targets, count):
    """Takes the first mistakes of the set."""
    highest, predictions = log_probabilities.max(dim=1)
    places = torch.nonzero(predictions != targets).flatten()[:count]
    return places, highest[places].exp()


def mistakes_sorted_by_place(log_probabilities, targets, count):
    """Puts the right ones into the order of the set."""
    places = mistakes(log_probabilities, targets, count)[0].sort().values
    return places, log_probabilities[places].max(dim=1).values.exp()


def mistakes_all(log_probabilities, targets, count):
    """Forgets `count`."""
    return mistakes(log_probabilities, targets, len(targets))


def mistakes_with_log(log_probabilities, targets, count):
    """Returns log-probabilities."""
    places, p = mistakes(log_probabilities, targets, count)
    return places, p.log()


def mistakes_with_p_of_target(log_probabilities, targets, count):
    """Returns what the targets got."""
    places, _ = mistakes(log_probabilities, targets, count)
    return places, log_probabilities[places, targets[places]].exp()


def mistakes_with_the_rest(log_probabilities, targets, count):
    """Returns how unsure the prediction is."""
    places, p = mistakes(log_probabilities, targets, count)
    return places, 1 - p


def mistakes_in_percent(log_probabilities, targets, count):
    """Returns percents."""
    places, p = mistakes(log_probabilities, targets, count)
    return places, 100 * p


def mistakes_softmax_twice(log_probabilities, targets, count):
    """Takes softmax of probabilities."""
    places, _ = mistakes(log_probabilities, targets, count)
    return places, log_probabilities.exp().softmax(dim=1)[places].max(dim=1).values


def mistakes_swapped(log_probabilities, targets, count):
    """Returns the probabilities first."""
    return mistakes(log_probabilities, targets, count)[::-1]


def mistakes_as_mask(log_probabilities, targets, count):
    """Returns booleans for places."""
    wrong = log_probabilities.argmax(dim=1) != targets
    return wrong, log_probabilities.max(dim=1).values.exp()[wrong]


def mistakes_in_place(log_probabilities, targets, count):
    """Overwrites the right predictions in what it was given."""
    right = log_probabilities.argmax(dim=1) == targets
    result = mistakes(log_probabilities, targets, count)
    log_probabilities[right] = -math.inf
    return result


RIGHT = [
    *[("08.1", (statistics, undo)), ("08.1", (statistics_by_histogram, undo_by_normalize))],
    *[("08.2", SomeClasses), ("08.2", SubsetOfClasses)],
    *[("08.3", absorb), ("08.3", absorb_by_probing)],
    *[("08.4", mistakes), ("08.4", mistakes_by_loop)],
]
WRONG = [
    ("08.1", (statistics_of_all, undo), "100 pictures are held at once"),
    ("08.1", (statistics_of_batch_means, undo), "smaller than the others, but counts as much"),
    ("08.1", (statistics_of_batch_stds, undo), "batches' spreads are averaged"),
    ("08.1", (statistics_of_batch_variances, undo), "batches' spreads are averaged"),
    ("08.1", (statistics_of_levels, undo), "the mean: the pixels are not divided by 255"),
    ("08.1", (statistics_std_of_levels, undo), "the std: the pixels are not divided by 255"),
    ("08.1", (statistics_of_a_sample, undo), "one less than the number"),
    ("08.1", (statistics_variance, undo), "the variance"),
    ("08.1", (statistics_root_mean_square, undo), "not subtracted before squaring"),
    ("08.1", (statistics_by_picture, undo), "for each picture, not for each channel"),
    ("08.1", (statistics_by_column, undo), "for each column, not for each channel"),
    ("08.1", (statistics_by_pixel, undo), "has shape (5, 5, 5) where (5,) is needed"),
    ("08.1", (statistics_dividing_by_pictures, undo), "number of pictures, not of pixels"),
    ("08.1", (statistics_of_whole_batches, undo), "smaller batch is left out"),
    ("08.1", (statistics_of_last_batch, undo), "only the last batch"),
    ("08.1", (statistics_with_squared_bytes, undo), "uint8 wrap at 256"),
    ("08.1", (statistics_with_clamped_squared_bytes, undo), "uint8 wrap at 256"),
    ("08.1", (statistics_in_float32, undo), "lost its digits"),
    ("08.1", (statistics, undo_by_wrong_normalize), "the last step is undone first"),
    ("08.1", (statistics, undo_by_normalizing), "normalizes once more"),
    ("08.1", (statistics, undo_along_columns), "along the columns"),
    ("08.1", (statistics, undo_along_rows), "along the rows"),
    ("08.1", (statistics, undo_without_mean), "mean is not added"),
    ("08.1", (statistics, undo_without_std), "std is forgotten"),
    ("08.1", (statistics, undo_dividing), "divided by the std"),
    ("08.1", (statistics, undo_in_place), "changes its input"),
    ("08.2", GoneRound, "inherited `__getitems__`"),
    ("08.2", OtherBatches, "a loader would get other examples"),
    ("08.2", NotRenumbered, "not renumbered"),
    ("08.2", InOrderOfTheSet, "the order of `names` decides"),
    ("08.2", ReplacedInTurn, "one after the other"),
    ("08.2", ChangesTheTargets, "given set itself were changed"),
    ("08.2", NamesAsTargets, "not the name of a class"),
    ("08.2", IndexNotTranslated, "pictures of the whole set are served"),
    ("08.2", TargetNotTranslated, "do not belong together"),
    ("08.2", SortedByClass, "sorted by class"),
    ("08.2", AllClasses, "its length is 70, not 20"),
    ("08.2", TransformLost, "transform is lost"),
    ("08.2", TransformLostInFloats, "transform is lost"),
    ("08.2", MadeAtOnce, "when the set is made, and kept"),
    ("08.2", ReadsAllPictures, "`targets` tells their classes"),
    ("08.2", ServedTwice, "more than once to be served"),
    ("08.2", ClassesForgotten, "`.classes` is None"),
    ("08.3", absorb_pixel_by_pixel, "channel 0 holds the first H·W inputs"),
    ("08.3", absorb_mean_pixel_by_pixel, "the channels of the mean change"),
    ("08.3", absorb_multiplying, "where Normalize divides"),
    ("08.3", absorb_mean_only, "as if every std were 1"),
    ("08.3", absorb_bias_kept, "the mean was subtracted"),
    ("08.3", absorb_bias_lost, "old bias is lost"),
    ("08.3", absorb_bias_of_old_weights, "meets the old weights"),
    ("08.3", absorb_bias_added, "sign of the mean's share"),
    ("08.3", absorb_bias_averaged, "averaged over the inputs"),
    ("08.3", absorb_one_std, "one std for all channels"),
    ("08.3", absorb_in_place, "given layer was changed"),
    ("08.3", absorb_as_sequential, "not Sequential"),
    ("08.4", mistakes_and_right_ones, "right predictions are among them"),
    ("08.4", mistakes_filled_up, "right predictions are among them"),
    ("08.4", mistakes_among_mistakes, "places among the mistakes"),
    ("08.4", mistakes_backward, "least sure come first"),
    ("08.4", mistakes_last_first, "surest come last"),
    ("08.4", mistakes_by_target, "the *target* got least"),
    ("08.4", mistakes_unsorted, "first of the set"),
    ("08.4", mistakes_sorted_by_place, "sorted by place"),
    ("08.4", mistakes_all, "not the first `count`"),
    ("08.4", mistakes_with_log, "log-probabilities"),
    ("08.4", mistakes_with_p_of_target, "what the targets got"),
    ("08.4", mistakes_with_the_rest, "left for the other classes"),
    ("08.4", mistakes_in_percent, "percents"),
    ("08.4", mistakes_softmax_twice, "not those of the predictions"),
    ("08.4", mistakes_swapped, "the places come first"),
    ("08.4", mistakes_as_mask, "booleans"),
    ("08.4", mistakes_in_place, "was changed"),
]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 08.1."""
    return (function, function) if number == "08.1" else function


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    torch.zeros(7),
    (None,) * 2,
    ("a",) * 4,
    4 * [math.nan],
]
