"""Checks of the exercises of lesson 11, convolutional networks."""

import copy

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import (
    close,
    exercise,
    require,
    require_functions,
    require_number,
    require_tensor,
)


@exercise(
    "11.1",
    "Max pooling by loops",
    "How many squares fit? If the stride is the kernel size, `H // kernel_size` rows of them.",
    "In general the last square must still fit: `(H - kernel_size) // stride + 1` of them.",
    "Two loops, over the output's rows and columns, are enough: cut one square out of all images "
    "and channels at once, and keep its largest value over the last two dimensions.",
)
def check_max_pool(max_pool2d, generator):
    for kernel_size, stride in ((2, None), (3, None), (2, 1), (3, 2), (2, 3)):
        rows, columns = (int(n) for n in torch.randint(6, 12, (2,), generator=generator))
        images = torch.randn(2, 3, rows, columns + 6, generator=generator) - 3  # mostly negative
        expected = F.max_pool2d(images, kernel_size, stride)
        arguments = (kernel_size,) if stride is None else (kernel_size, stride)
        case = f"of {rows} × {columns + 6} pixels, kernel_size {kernel_size}, stride {stride}"
        before = images.clone()
        result = max_pool2d(images, *arguments)
        require(torch.equal(images, before), "the images themselves were changed")
        is_tensor = isinstance(result, torch.Tensor)
        if is_tensor and stride is None and result.shape[2:] != expected.shape[2:]:
            slid = result.shape == F.max_pool2d(images, kernel_size, 1).shape
            require(not slid, "without a stride, the step is the kernel size, not 1")
        if is_tensor and stride is not None:
            ignored = F.max_pool2d(images, kernel_size).shape
            require(
                result.shape != ignored or ignored == expected.shape,
                f"{case}: the stride makes no difference; how far apart are two squares?",
            )
        result = require_tensor(result, expected, f"the output ({case})")
        clipped = close(result, expected.clamp(min=0))
        require(not clipped, "all-negative squares give 0: begin with -inf, or with the square")
        mean = close(result, F.avg_pool2d(images, kernel_size, stride))
        require(not mean, "that is the mean of each square, not its largest value")
        require(close(result, expected), f"{case}: values are not those of `nn.MaxPool2d`")


@exercise(
    "11.2",
    "Accuracy under a shift",
    "`torch.roll` takes the shifts and their dimensions. Which of (N, C, H, W) counts the rows?",
    "The model gives one score for each class. Which class does it decide for?",
    "A tensor of booleans has a mean once it is `.float()`; `.item()` makes it a plain number.",
)
def check_accuracy_under_shift(accuracy_under_shift, generator):
    for down, right in ((0, 0), (1, 0), (0, 2), (-2, 1), (3, -3), (1, 2)):
        images = torch.rand(2000, 1, 9, 9, generator=generator)
        weight = torch.randn(4, 81, generator=generator)
        model = nn.Sequential(nn.Flatten(), nn.Linear(81, 4, bias=False), nn.Dropout(0.5))
        with torch.no_grad():
            model[1].weight.copy_(weight)
        model.eval()

        def score(down, right, images=images, weight=weight):
            moved = torch.roll(images, (down, right), dims=(2, 3))
            return (moved.flatten(1) @ weight.T).argmax(dim=1)

        # The targets are right for about two of three of the moved images, and for few others.
        targets = score(down, right)
        targets[::3] = (targets[::3] + 1) % 4
        expected = (score(down, right) == targets).float().mean().item()
        untouched = images.clone()
        result = accuracy_under_shift(model, images, targets, down, right)
        require(torch.equal(images, untouched), "the images themselves were moved: work on a copy")
        require(result is not None, "it returns None: is a `return` missing?")
        number = isinstance(result, int | float) or getattr(result, "numel", lambda: 0)() == 1
        require(number, f"it must return one number, not a {type(result).__name__}")
        value, case = float(result), f"moved by {down} down and {right} right"

        def equals(number, value=value):
            return abs(value - number) < 1e-6 * max(1, number)

        require(not equals(100 * expected), "return a fraction, not percent")
        require(not equals(2000 * expected), "that is how many were right; divide by how many")
        if not equals(expected):
            wrong = {
                "the images are not moved": score(0, 0),
                "rows and columns are exchanged": score(right, down),
                "the shift goes the other way": score(-down, -right),
                "only the rows are moved": score(down, 0),
                "only the columns are moved": score(0, right),
            }
            for words, predictions in wrong.items():
                likely = equals((predictions == targets).float().mean().item())
                require(not likely, f"{case}: {words}")
            require(False, f"{case}: {value:.3f} is not the fraction that the model gets right")


@exercise(
    "11.3",
    "Forty epochs: where to stop",
    "pandas has a method for the label of a column's smallest value. A label is not yet an epoch.",
    'What stands in the row of a label, and in a column, is `history.loc[label, "epoch"]`.',
    "The gap is validation minus training, both from the last row, whatever its label.",
)
def check_forty_epochs(answer, generator):
    require_functions(answer, "best_epoch", "gap")
    best_epoch, gap = answer
    for length in (40, 12, 40, 5):
        noise = torch.rand(4, length, generator=generator, dtype=torch.float64)
        table = pd.DataFrame({"epoch": range(1, length + 1)})
        table["train_loss"] = noise[0].sort(descending=True).values.numpy()
        bottom = int(torch.randint(1, length - 1, (1,), generator=generator))
        table["val_loss"] = 1.5 + (table["epoch"] - 1 - bottom).abs() / length + 0.2
        table["val_accuracy"] = noise[2].numpy() / 2
        best = int(torch.randint(0, length, (1,), generator=generator))
        best = best if best != bottom else (best + 1) % length
        table.loc[best, "val_accuracy"] = 0.9  # the most accurate epoch is another one
        if length == 12:
            table.index = range(100, 112)  # a table cut out of a longer one keeps its labels
        before = table.copy()

        found = require_number(best_epoch(table), "the best epoch")
        require(found != best + 1, "that epoch has the best accuracy; the lowest loss is asked for")
        zero_based = found == bottom
        require(not zero_based, "off by one: epochs count from 1, rows from 0; read the column")
        require(found != table.index[bottom] or length != 12, "that is the row's label")
        require(found != length, "that is the last epoch, not the best one")
        wrong = f"epoch {found:g} is not the one with the lowest validation loss"
        require(found == bottom + 1, wrong)

        last = table.iloc[-1]
        expected = last["val_loss"] - last["train_loss"]
        value = require_number(gap(table), "the gap")
        require(not close(value, -expected), "the sign: a positive gap means worse on validation")
        at_best = table.iloc[bottom]["val_loss"] - table.iloc[bottom]["train_loss"]
        require(not close(value, at_best), "the gap is taken in the last epoch, not in the best")
        mean = (table["val_loss"] - table["train_loss"]).mean()
        require(not close(value, mean), "that is the mean gap of all epochs; take the last one's")
        require(close(value, expected), "the gap is not val_loss minus train_loss at the end")
        require(table.equals(before), "the history itself was changed")


@exercise(
    "11.4",
    "Build a CNN of any depth",
    "Collect layers in a list, in a loop over convolutions; only the first takes `in_channels`.",
    "Where do the poolings go? For example after convolution i if i is one of `poolings` places "
    "that you choose beforehand.",
    "How many rows and columns are left after the poolings? The last layer gets all their numbers.",
)
def check_make_cnn(make_cnn, generator):
    for convolutions, poolings, options in (
        (2, 0, {}),
        (2, 2, {}),
        (3, 1, {"num_classes": 2}),
        (6, 2, {"in_channels": 1, "image_size": 28}),
        (10, 2, {"image_size": 20}),
        (5, 0, {"in_channels": 1, "image_size": 12, "num_classes": 3}),
    ):
        channels, size = options.get("in_channels", 3), options.get("image_size", 32)
        classes = options.get("num_classes", 10)
        call = ", ".join(
            [str(convolutions), str(poolings)] + [f"{k}={v}" for k, v in options.items()]
        )
        case = f"make_cnn({call})"
        model = make_cnn(convolutions, poolings, **options)
        kind = type(model).__name__
        require(isinstance(model, nn.Module), f"{case} must return a module, not a {kind}")
        layers = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
        count = len(layers)
        require(count == convolutions, f"{case} has {count} convolutions instead of {convolutions}")
        _try(model, case, poolings, (4, channels, size, size), classes, generator)


def _try(model, case, poolings, shape, classes, generator):
    """Run the model on random images and look at what each convolution and pooling does."""
    seen, pooled = [], []

    def convolved(module, inputs, output):
        seen.append((inputs[0].shape[2:], output.shape[2:]))

    def counted(module, inputs, output):
        pooled.append(output.shape)

    kinds = (nn.MaxPool2d, nn.AvgPool2d)
    handles = [
        module.register_forward_hook(convolved if isinstance(module, nn.Conv2d) else counted)
        for module in model.modules()
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)
    ]
    images = torch.randn(shape, generator=generator)
    try:
        outputs = model(images)
    except RuntimeError as error:
        shrinking = any(before != after for before, after in seen)
        require(
            not shrinking, f"{case}: a convolution shrinks the picture; which padding keeps it?"
        )
        require(False, f"{case} takes no images of shape {shape}: {error}")
    finally:
        for handle in handles:
            handle.remove()
    shrinking = any(before != after for before, after in seen)
    require(not shrinking, f"{case}: a convolution shrinks the picture; which padding keeps it?")
    names = " or ".join(kind.__name__ for kind in kinds)
    require(
        len(pooled) == poolings,
        f"{case} pools {len(pooled)} times instead of {poolings} ({names} are counted)",
    )
    require_tensor(outputs, torch.empty(shape[0], classes), f"the output of {case}")
    if poolings == 0:  # the largest of four is not linear either, and would hide what is missing
        require(not _is_affine(model, images), f"{case} has no activation: its layers are one")
    outputs.sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    require(not unused, f"{case}: {unused[:1]} takes no part in the output")


def _is_affine(model, images):
    """Whether outputs change in proportion to the inputs, for opposite inputs oppositely."""
    model, images = copy.deepcopy(model).eval().double(), 50 * images.double()
    with torch.no_grad():
        origin = model(torch.zeros_like(images))
        once, twice, opposite = (model(k * images) - origin for k in (1, 2, -1))
    slack = 1e-6 * once.norm()
    return bool((twice - 2 * once).norm() <= slack and (once + opposite).norm() <= slack)


@exercise(
    "11.5",
    "Other filter sizes",
    "Without padding, a filter of K takes K − 1 rows off. Half of them come back on each side.",
    "K // 2 rounds down, which for odd K is (K − 1) / 2.",
    "One filter has K · K weights for each channel that comes in, and one bias.",
)
def check_filter_sizes(answer, generator):
    require_functions(answer, "same_size_conv", "conv_parameters")
    same_size_conv, conv_parameters = answer
    for K in (3, 1, 5, 7, 9, 11):
        ins, outs, rows = (int(n) for n in torch.randint(2, 16, (3,), generator=generator))
        outs, rows = outs + (outs == ins), rows + 10
        images = torch.rand(2, ins, rows, rows + 3, generator=generator)
        layer = same_size_conv(ins, outs, K)
        kind = type(layer).__name__
        require(isinstance(layer, nn.Conv2d), f"the layer must be an nn.Conv2d, not a {kind}")
        require(layer.kernel_size == (K, K), f"K = {K}: the filter is {layer.kernel_size}")
        shape = tuple(layer(images).shape)
        wanted = (2, outs, rows, rows + 3)
        require(
            shape == wanted,
            f"K = {K}: {tuple(images.shape)} becomes {shape} where {wanted} is needed",
        )
        value, expected = conv_parameters(ins, outs, K), outs * (ins * K * K + 1)
        require(value is not None, "conv_parameters returns None: is a `return` missing?")
        value, case = float(value), f"{ins} to {outs} channels with K = {K}"
        require(value != outs * ins * K * K, f"{case}: the biases are missing")
        require(
            value != outs * (K * K + 1), f"{case}: a filter looks at every channel that comes in"
        )
        require(value != outs * ins * (K * K + 1), f"{case}: one bias a filter, not one a channel")
        require(value != outs * (ins * K + 1) or K == 1, f"{case}: a filter has K · K pixels")
        require(value == expected, f"{case}: {value:g} is not the number of parameters")
