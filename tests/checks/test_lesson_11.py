"""The checks of lesson 11 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from every_lesson import *
from torch import nn

# --- 11.1 ----------------------------------------------------------------------------------------


def pool(images, kernel_size, stride=None):
    stride = stride or kernel_size
    rows, columns = ((size - kernel_size) // stride + 1 for size in images.shape[2:])
    pooled = images.new_empty(*images.shape[:2], rows, columns)
    for r in range(rows):
        for c in range(columns):
            top, left = r * stride, c * stride
            square = images[:, :, top : top + kernel_size, left : left + kernel_size]
            pooled[:, :, r, c] = square.amax(dim=(2, 3))
    return pooled


def pool_by_unfolding(images, kernel_size, stride=None):
    step = kernel_size if stride is None else stride
    return images.unfold(2, kernel_size, step).unfold(3, kernel_size, step).amax(dim=(4, 5))


def pool_sliding(images, kernel_size, stride=None):
    """Takes a step of 1 where no stride is given, as a convolution does."""
    return pool(images, kernel_size, stride or 1)


def pool_always_touching(images, kernel_size, stride=None):
    """Accepts a stride and ignores it."""
    return pool(images, kernel_size)


def pool_from_zero(images, kernel_size, stride=None):
    """Begins the running maximum at 0."""
    return pool(images, kernel_size, stride).clamp(min=0)


def pool_by_mean(images, kernel_size, stride=None):
    """Averages each square."""
    return F.avg_pool2d(images, kernel_size, stride)


def pool_over_the_edge(images, kernel_size, stride=None):
    """Counts squares as size // stride, so that the last ones stick out."""
    stride = stride or kernel_size
    rows, columns = (size // stride for size in images.shape[2:])
    corners = [[(r * stride, c * stride) for c in range(columns)] for r in range(rows)]
    squares = [
        [images[:, :, r : r + kernel_size, c : c + kernel_size].amax(dim=(2, 3)) for r, c in row]
        for row in corners
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in squares], dim=-2)


def pool_transposed(images, kernel_size, stride=None):
    """Exchanges rows and columns of the output."""
    return pool(images, kernel_size, stride).transpose(2, 3)


# --- 11.2 ----------------------------------------------------------------------------------------


def shifted(model, images, targets, down, right):
    moved = torch.roll(images, (down, right), dims=(2, 3))
    with torch.no_grad():
        predictions = model(moved).argmax(dim=1)
    return (predictions == targets).float().mean().item()


def shifted_by_slices(model, images, targets, down, right):
    down, right = down % images.shape[2], right % images.shape[3]
    rows = torch.cat([images[:, :, -down:], images[:, :, :-down]], dim=2) if down else images
    both = torch.cat([rows[..., -right:], rows[..., :-right]], dim=3) if right else rows
    return torch.mean(model(both).max(dim=1).indices.eq(targets).double())


def shifted_not(model, images, targets, down, right):
    """Rolls, but gives the model the images as they were."""
    torch.roll(images, (down, right), dims=(2, 3))
    return shifted(model, images, targets, 0, 0)


def shifted_exchanged(model, images, targets, down, right):
    """Takes rows for columns."""
    return shifted(model, images, targets, right, down)


def shifted_backward(model, images, targets, down, right):
    """Moves up where down is asked for."""
    return shifted(model, images, targets, -down, -right)


def shifted_percent(model, images, targets, down, right):
    """Returns percent."""
    return 100 * shifted(model, images, targets, down, right)


def shifted_count(model, images, targets, down, right):
    """Returns how many are right."""
    return float(round(len(images) * shifted(model, images, targets, down, right)))


def shifted_in_place(model, images, targets, down, right):
    """Overwrites the caller's images."""
    images.copy_(torch.roll(images, (down, right), dims=(2, 3)))
    return shifted(model, images, targets, 0, 0)


# --- 11.3 ----------------------------------------------------------------------------------------


def best_epoch(history):
    return int(history.loc[history["val_loss"].idxmin(), "epoch"])


def gap(history):
    last = history.iloc[-1]
    return float(last["val_loss"] - last["train_loss"])


def best_epoch_by_loop(history):
    pairs = zip(history["val_loss"].tolist(), history["epoch"].tolist(), strict=True)
    return min(pairs)[1]


def gap_of_columns(history):
    return history["val_loss"].tolist()[-1] - history["train_loss"].tolist()[-1]


def best_row(history):
    """Returns the row's place, which counts from 0."""
    return int(history["val_loss"].to_numpy().argmin())


def best_by_accuracy(history):
    """Looks for the best accuracy instead of the lowest loss."""
    return int(history["epoch"].iloc[history["val_accuracy"].to_numpy().argmax()])


def best_label_plus_one(history):
    """Adds 1 to the row's label, which is not its place in a table cut out of another."""
    return int(history["val_loss"].idxmin()) + 1


def last_epoch(history):
    """Takes the last epoch for the best."""
    return int(history["epoch"].iloc[-1])


def gap_reversed(history):
    """Subtracts validation from training."""
    return -gap(history)


def gap_at_best(history):
    """Takes the gap in the best epoch."""
    row = history.iloc[history["val_loss"].to_numpy().argmin()]
    return float(row["val_loss"] - row["train_loss"])


def gap_mean(history):
    """Averages the gap over all epochs."""
    return float((history["val_loss"] - history["train_loss"]).mean())


# --- 11.4 ----------------------------------------------------------------------------------------


def make_cnn(convolutions, poolings, in_channels=3, image_size=32, num_classes=10, **mistakes):
    padding, activation = mistakes.get("padding", 1), mistakes.get("activation", nn.ReLU)
    layers, channels, size = [], in_channels, image_size
    for i in range(convolutions):
        layers += [nn.Conv2d(channels, 8, 3, padding=padding), activation()]
        channels = 8
        if i < poolings:
            layers.append(nn.MaxPool2d(2))
            size //= 2
    size = mistakes.get("size", size)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * size * size, num_classes))


class OwnCNN(nn.Module):
    def __init__(self, convolutions, poolings, in_channels, image_size, num_classes):
        super().__init__()
        widths = [in_channels] + [4 + i for i in range(convolutions)]
        pairs = pairwise(widths)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 5, padding="same") for a, b in pairs)
        self.pool, self.poolings = nn.MaxPool2d(2), poolings
        self.out = nn.LazyLinear(num_classes)
        self(torch.zeros(1, in_channels, image_size, image_size))

    def forward(self, images):
        for i, convolution in enumerate(self.convolutions):
            images = torch.tanh(convolution(images))
            if i >= len(self.convolutions) - self.poolings:
                images = self.pool(images)
        return self.out(images.flatten(1))


def make_own(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    return OwnCNN(convolutions, poolings, in_channels, image_size, num_classes)


def make_unpadded(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Forgets the padding, but reckons with it in the last layer."""
    return make_cnn(convolutions, poolings, in_channels, image_size, num_classes, padding=0)


def make_linear(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Leaves out the activations."""
    mistake = {"activation": nn.Identity}
    return make_cnn(convolutions, poolings, in_channels, image_size, num_classes, **mistake)


def make_fixed_size(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Writes the last layer's size for images of 32 pixels."""
    mistake = {"size": 32 // 2**poolings}
    return make_cnn(convolutions, poolings, in_channels, image_size, num_classes, **mistake)


def make_one_more(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Builds a first convolution and then as many as were asked for."""
    return make_cnn(convolutions + 1, poolings, in_channels, image_size, num_classes)


def make_always_pooling(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Pools twice, whatever was asked for."""
    return make_cnn(convolutions, 2, in_channels, image_size, num_classes)


def make_ten_classes(convolutions, poolings, in_channels=3, image_size=32, num_classes=10):
    """Ignores the number of classes."""
    return make_cnn(convolutions, poolings, in_channels, image_size)


# --- 11.5 ----------------------------------------------------------------------------------------


def same_size(in_channels, out_channels, K):
    return nn.Conv2d(in_channels, out_channels, kernel_size=K, padding=K // 2)


def parameters(in_channels, out_channels, K):
    return out_channels * (in_channels * K * K + 1)


def same_size_by_name(in_channels, out_channels, K):
    return nn.Conv2d(in_channels, out_channels, (K, K), padding="same")


def parameters_in_a_loop(in_channels, out_channels, K):
    return sum(1 + in_channels * K**2 for _ in range(out_channels))


def padded_by_one(in_channels, out_channels, K):
    """Keeps the padding of K = 3."""
    return nn.Conv2d(in_channels, out_channels, K, padding=1)


def padded_by_ceiling(in_channels, out_channels, K):
    """Rounds half of K up, as IDL writes it."""
    return nn.Conv2d(in_channels, out_channels, K, padding=(K + 1) // 2)


def channels_exchanged(in_channels, out_channels, K):
    """Exchanges the channels that come in and go out."""
    return nn.Conv2d(out_channels, in_channels, K, padding=K // 2)


def without_biases(in_channels, out_channels, K):
    """Forgets the biases."""
    return out_channels * in_channels * K * K


def one_channel_in(in_channels, out_channels, K):
    """Lets each filter look at one channel only."""
    return out_channels * (K * K + 1)


def bias_for_each_channel(in_channels, out_channels, K):
    """Gives a filter a bias for every channel that comes in."""
    return out_channels * in_channels * (K * K + 1)


RIGHT = [
    ("11.1", pool),
    ("11.1", pool_by_unfolding),
    ("11.2", shifted),
    ("11.2", shifted_by_slices),
    ("11.3", (best_epoch, gap)),
    ("11.3", (best_epoch_by_loop, gap_of_columns)),
    ("11.4", make_cnn),
    ("11.4", make_own),
    ("11.5", (same_size, parameters)),
    ("11.5", (same_size_by_name, parameters_in_a_loop)),
]
WRONG = [
    ("11.1", pool_sliding, "not 1"),
    ("11.1", pool_always_touching, "stride"),
    ("11.1", pool_from_zero, "-inf"),
    ("11.1", pool_by_mean, "mean"),
    ("11.1", pool_over_the_edge, "shape"),
    ("11.1", pool_transposed, "shape"),
    ("11.2", shifted_not, "not moved"),
    ("11.2", shifted_exchanged, "exchanged"),
    ("11.2", shifted_backward, "other way"),
    ("11.2", shifted_percent, "percent"),
    ("11.2", shifted_count, "divide"),
    ("11.2", shifted_in_place, "copy"),
    ("11.3", (best_row, gap), "count from 1"),
    ("11.3", (best_by_accuracy, gap), "accuracy"),
    ("11.3", (best_label_plus_one, gap), "not the one"),
    ("11.3", (last_epoch, gap), "last epoch"),
    ("11.3", (best_epoch, gap_reversed), "sign"),
    ("11.3", (best_epoch, gap_at_best), "not in the best"),
    ("11.3", (best_epoch, gap_mean), "mean"),
    ("11.4", make_unpadded, "shrinks"),
    ("11.4", make_linear, "activation"),
    ("11.4", make_fixed_size, "takes no images"),
    ("11.4", make_one_more, "3 convolutions instead of 2"),
    ("11.4", make_always_pooling, "pools 2 times instead of 0"),
    ("11.4", make_ten_classes, "shape"),
    ("11.5", (padded_by_one, parameters), "K = 1: "),
    ("11.5", (padded_by_ceiling, parameters), "becomes"),
    ("11.5", (same_size, without_biases), "biases are missing"),
    ("11.5", (same_size, one_channel_in), "every channel"),
    ("11.5", (same_size, bias_for_each_channel), "one bias a filter"),
]
KINDS = [None, "1.0", [1.0], True, float("nan"), torch.zeros(7)]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 11.3 and 11.5."""
    return (function, function) if number in ("11.3", "11.5") else function


def unwritten(*arguments, **options):
    """Written with `...` in the place of the solution."""
    return ...


def nothing(*arguments, **options):
    """Without a return."""


@pytest.mark.parametrize("number", ["11.1", "11.2", "11.4"])
def test_stubs_do_not_pass(capsys, number):
    for answer in (..., unwritten, nothing):
        assert not verdict(capsys, number, answer).startswith("✓")


@pytest.mark.parametrize("number", ["11.3", "11.5"])
def test_pairs_of_stubs_do_not_pass(capsys, number):
    for answer in (..., (..., ...), (unwritten, unwritten), (nothing, nothing)):
        assert not verdict(capsys, number, answer).startswith("✓")


def test_one_function_is_no_pair(capsys):
    assert "pair" in verdict(capsys, "11.3", best_epoch)


def test_exchanged_channels_fit_no_layer(capsys):
    assert "raised" in verdict(capsys, "11.5", (channels_exchanged, parameters))
