"""Checks of the exercises of lesson 03, datasets and loaders."""

import contextlib
import gc
import operator
import pickle
import tempfile
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import torch

from course_utils.checks import (
    close,
    exercise,
    require,
    require_number,
    require_tensor,
    with_calls,
)


@exercise(
    "03.1",
    "A reader for libsvm files",
    "Take a line apart in this order: cut off what follows a `#`, then `split()`. What is left of "
    "an empty line, and what of a line that has a label only?",
    "`piece.split(':')` gives an index and a value, both still text. Which place in a tensor, "
    "which counts from 0, belongs to index 1?",
    "How wide the rows are is known once all lines are read. Keep the pairs of each line first, "
    "and make the tensors afterwards, all of one width, full of zeros.",
)
def check_libsvm(dataset_class, generator):
    simple = np.array([[0.5, 0, 2], [0, 1.5, 0]], dtype=np.float32)
    late = np.array([[1, 0, 0, 0], [0, 0, 0, -2.5], [0, 3, 0, 0]], dtype=np.float32)
    drawn = torch.rand(9, 7, generator=generator).numpy().round(3)
    drawn[drawn < 0.6] = 0
    drawn[4], drawn[0], drawn[0, 2] = 0, 0, 1e-5
    drawn[2, 6] = 4.25
    cases = [
        ("a file of two plain lines", simple, [1, -1], {}, None),
        ("a file whose first line ends early", late, [2, 0, 1], {}, None),
        ("a file with blank lines", late, [1, -1, 1], {"blank": True}, None),
        ("a file with comments", simple, [3, 4], {"comments": True}, None),
        ("a file of labels that are not whole", late, [0.25, -1.5, 2], {}, None),
        ("a file with a line of zeros", drawn, list(range(9)), {}, None),
        ("num_features=6, which the file does not reach", late, [1, 1, -1], {}, 6),
    ]
    with _folder() as folder:
        for number, (case, features, labels, options, width) in enumerate(cases):
            path = folder / f"{number}.txt"
            path.write_text(libsvm_text(features, labels, **options), encoding="utf-8")
            dataset = dataset_class(path) if width is None else dataset_class(path, width)
            _compare_rows(dataset, features, labels, width or features.shape[1], case)


def libsvm_text(features, labels, blank=False, comments=False):
    """Return the text of a libsvm file; zeros are left out, indices begin at 1."""
    lines = ["# made by the check"] if comments else []
    for row, label in zip(features, labels, strict=True):
        pairs = [f"{i}:{value:g}" for i, value in enumerate(row.tolist(), start=1) if value]
        lines.append(" ".join([f"{label:+g}", *pairs]) + ("  # seen: 2 3:1" if comments else ""))
        lines += ["", "  "] if blank else []
    return "\n".join(lines) + "\n"


def _compare_rows(dataset, features, labels, width, case):
    size = _size(dataset)
    if size != len(labels):
        zeros = len(labels) - int((features == 0).all(axis=1).sum())
        require(size != zeros, f"{case}: an example whose features are all zero is left out")
        require(False, f"{case}: the length is {size} for {len(labels)} examples")
    padded = torch.zeros(len(labels), width, dtype=torch.float64)
    padded[:, : features.shape[1]] = torch.from_numpy(features)
    for i, expected in enumerate(padded):
        values, label = _pair(dataset[i], f"{case}: dataset[{i}]")
        what = f"the features of example {i} ({case})"
        if isinstance(values, torch.Tensor) and values.ndim == 1 and len(values) != width:
            more = len(values) == width + 1
            require(not more, f"{what} are one too many: index 1 is the first feature, place 0")
            given = width > features.shape[1] and len(values) == features.shape[1]
            require(not given, f"{what} are as wide as the file; `num_features` is ignored")
            require(False, f"{what} are {len(values)}; all rows are as wide as the widest, {width}")
        if isinstance(values, torch.Tensor) and values.is_floating_point():
            require(not values.isnan().any(), f"{what} hold NaN; what is not in the file is 0")
        found = require_tensor(values, expected, what)
        require(values.dtype == torch.float32, f"{what} are {values.dtype}; float32 is asked for")
        if not close(found, expected):
            shifted = close(found, expected.roll(1)) or close(found[1:], expected[:-1])
            require(not shifted, f"{what} are one place too far right: index 1 is place 0")
            stored = expected[expected != 0]
            packed = close(found[: len(stored)], stored)
            require(not packed, f"{what} stand in a row from the left, whatever their indices are")
            require(False, f"{what} are {_short(found)} where the file has {_short(expected)}")
        label = require_number(label, f"the label of example {i} ({case})")
        cut = label == int(labels[i]) != labels[i]
        require(
            not cut, f"{case}: label {labels[i]} has become {label:g}: labels are not all whole"
        )
        right = close(label, labels[i])
        require(right, f"{case}: example {i} has the label {label:g} where {labels[i]} is written")


@exercise(
    "03.2",
    "Images that stay on disk",
    "Writing: `np.memmap(path, dtype=…, mode='w+', shape=…)` makes the file and behaves like an "
    "array. Assign all pixels to it at once, then `flush()`.",
    "Reading: which `mode` opens a file that is there, and changes nothing in it? The file knows "
    "neither its shape nor its dtype, so both must be told.",
    "`pickle.dumps` sends along all that `self` holds, an open memmap as a whole. What is small, "
    "and enough to open the file where an image is asked for?",
    "The row that was read belongs to a file that may only be read. `np.array(row)` is a copy in "
    "memory of your own, of which a tensor can be made without a warning.",
)
def check_memmap(answer, generator):
    pair = isinstance(answer, tuple | list) and len(answer) == 2 and all(map(callable, answer))
    require(pair, "the answer is a pair: (write_images, MemmappedDataset)")
    write_images, dataset_class = answer
    images = torch.randint(0, 256, (1000, 1, 20, 25), generator=generator, dtype=torch.uint8)
    targets = torch.randint(0, 10, (1000,), generator=generator)
    with _folder() as folder:
        path = folder / "images.bin"
        before = images.clone()
        write_images(images, path)
        require(torch.equal(images, before), "the images handed over were changed")
        _compare_file(path, images)
        with _warnings_of_torch() as warned:
            _compare_dataset(dataset_class, path, images, targets)
        unsafe = any("not writable" in str(warning.message) for warning in warned)
        words = "a tensor is made of memory that may not be written to; copy the row first"
        require(not unsafe, words)
        gc.collect()  # an open memmap would keep Windows from removing the folder


def _compare_dataset(dataset_class, path, images, targets):
    stored, most = path.read_bytes(), images.numel() // 2
    dataset, made = _allocated(lambda: dataset_class(path, tuple(images.shape), targets))
    erased = path.read_bytes() != stored
    require(not erased, "making the dataset has changed the file: which mode only reads?")
    size, right = _size(dataset), len(images)
    require(size == right, f"the length is {size} for {right} images")
    for i in (0, 3, right - 1, 3):
        case = f"dataset[{i}]"
        example, read = _allocated(lambda i=i: dataset[i])
        image, target = _pair(example, case)
        _compare_image(image, images[i], case)
        target = require_number(target, f"the target of {case}")
        require(target == targets[i].item(), f"the target of {case} is another than was given")
        require(read < most, f"{case} takes {read:,} bytes: is the whole file read for one row?")
    require(made < most, f"making the dataset takes {made:,} bytes: is everything loaded?")
    _compare_pickled(dataset, images.numel())
    _compare_when_changed(dataset, path, images)


def _compare_file(path, images):
    require(path.is_file(), "`write_images` has not made the file that it was told to make")
    size, right = path.stat().st_size, images.numel()
    header = right < size < right + 1000
    require(not header, f"the file has {size - right} bytes too many, as if from `np.save`")
    times = size / right
    more = f"{times:g} times as many: is the dtype uint8?" if times > 1 else "too few"
    require(size == right, f"the file has {size:,} bytes for {right:,} pixels, {more}")
    content = torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)
    require(bool(content.any()), "the file holds zeros only: were the pixels assigned to it?")
    same = torch.equal(content, images.flatten())
    require(same, "the file does not hold the pixels in their order, image after image")


def _compare_image(image, pixels, case):
    is_tensor = isinstance(image, torch.Tensor)
    kind = type(image).__name__
    require(is_tensor, f"the image of {case} must be a tensor, not {kind}")
    whole = image.dtype == torch.uint8
    require(not whole, f"the image of {case} is uint8; float32 between 0 and 1 is asked for")
    value = require_tensor(image, pixels, f"the image of {case}")
    require(image.dtype == torch.float32, f"the image of {case} is {image.dtype}, not float32")
    expected = pixels.double() / 255
    require(not close(value, 255 * expected), f"the image of {case} goes to 255, not to 1")
    require(close(value, expected), f"the image of {case} is another than was written there")


def _compare_pickled(dataset, size):
    try:
        pickled = len(pickle.dumps(dataset))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        require(False, f"the dataset cannot be pickled, so no worker process gets it: {error}")
    small = pickled < size / 2
    words = f"pickled, the dataset has {pickled:,} bytes for a file of {size:,}"
    require(small, f"{words}: each worker would be sent all images; what need `self` keep?")


def _compare_when_changed(dataset, path, images):
    """Reading gives an image of one's own, of what is in the file at that moment."""
    dataset[5][0].zero_()
    _compare_image(dataset[5][0], images[5], "dataset[5], read again after a change of the first,")

    content = np.memmap(path, dtype=np.uint8, mode="r+", shape=tuple(images.shape))
    content[5] = 255 - content[5]
    content.flush()
    del content
    now = close(dataset[5][0], 1 - images[5].double() / 255)
    require(now, "the file was changed, and dataset[5] has not noticed: it is not read when asked")


@contextlib.contextmanager
def _warnings_of_torch():
    """Gather all warnings, those too that PyTorch would give only once."""
    was = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        torch.set_warn_always(was)


def _allocated(function):
    """Return the function's result and the most bytes that Python and NumPy held meanwhile."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        result = function()
        return result, tracemalloc.get_traced_memory()[1] - start
    finally:
        if not running:
            tracemalloc.stop()


@exercise(
    "03.3",
    "A split that keeps each class's share",
    "Split the indices of one class first. Which are they? `torch.nonzero(targets == label)` finds "
    "them; `targets.unique()` lists the labels there are.",
    "`torch.randperm(count, generator=generator)` shuffles *positions* 0 … count - 1 within the "
    "class. Which indices of the data set stand there?",
    "Cut each shuffled class in two, collect the first parts and the second parts of all classes, "
    "and join each collection with `torch.cat`.",
)
def check_stratified(stratified_split, generator):
    for counts, share in (
        ({0: 60, 1: 60}, 0.5),
        ({0: 200, 1: 20, 2: 5}, 0.8),
        ({3: 90, 7: 10, 8: 40}, 0.7),
        ({0: 31, 1: 17, 2: 11, 4: 1}, 0.75),
    ):
        targets = torch.cat([torch.full((n,), label) for label, n in counts.items()])
        targets = targets[torch.randperm(len(targets), generator=generator)]
        case = f"share {share} of classes {counts}"

        def split(seed, targets=targets, share=share):
            return stratified_split(targets.clone(), share, torch.Generator().manual_seed(seed))

        first, second = _two_parts(split(1), case)
        both, size = first + second, len(targets)
        outside = [i for i in both if not 0 <= i < size]
        require(not outside, f"{case}: {outside[:1]} is no index of {size} examples")
        repeated = len(set(first)) < len(first) or len(set(second)) < len(second)
        words = "are they positions within a class?"
        require(not repeated, f"{case}: one part has an index more than once; {words}")
        shared = len(set(first) & set(second))
        require(not shared, f"{case}: {shared} examples are in both parts")
        missing = size - len(both)
        require(not missing, f"{case}: {missing} examples are in neither part")
        away = {k: n * share - int((targets[first] == k).sum()) for k, n in counts.items()}
        if any(abs(difference) >= 1 for difference in away.values()):
            # The first part of a class should have n · share; the second then has n - n · share.
            other = all(abs(away[k] - n * (2 * share - 1)) < 1 for k, n in counts.items())
            require(not other, f"{case}: the two parts are exchanged")
            total = abs(size * share - len(first)) < len(counts)
            words = "the sizes are right, the classes' shares are not" if total else "wrong sizes"
            got = {k: int((targets[first] == k).sum()) for k in counts}
            require(False, f"{case}: {words}: the first part has {got}")

        again = _two_parts(split(1), case)
        same = [sorted(part) for part in again] == [sorted(first), sorted(second)]
        require(same, f"{case}: the same seed gives another split; is the generator used for all?")
        others = [sorted(_two_parts(split(seed), case)[0]) for seed in (2, 3)]
        differ = any(other != sorted(first) for other in others)
        require(
            differ, f"{case}: each seed gives the same split; nothing is drawn from `generator`"
        )
        alone = torch.Generator().manual_seed(1)
        torch.randn(3, generator=alone)
        moved = _two_parts(stratified_split(targets.clone(), share, alone), case)
        words = "the generator is seeded anew instead of being used as it is"
        require(sorted(moved[0]) != sorted(first), f"{case}: {words}")


def _two_parts(result, case):
    require(result is not None, f"{case}: it returns None: is a `return` missing?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, f"{case}: it must return two parts")
    return [_indices(part, case) for part in result]


def _indices(part, case):
    kind = type(part).__name__
    if isinstance(part, torch.Tensor | np.ndarray):
        flat = part.ndim == 1
        require(flat, f"{case}: a part has the shape {tuple(part.shape)}; one axis is needed")
        part = part.tolist()
    require(isinstance(part, list | tuple), f"{case}: a part must hold indices, not be a {kind}")
    try:
        if any(isinstance(i, bool) for i in part):
            raise TypeError
        return [operator.index(i) for i in part]
    except TypeError:
        require(False, f"{case}: a part must hold whole numbers, the indices of examples")


@exercise(
    "03.4",
    "Ready batches of windows",
    "How many windows of `width` numbers have a number after them? Write down the last one.",
    "`__getitems__` gets a list of indices in any order. Broadcasting adds starts of shape (B, 1) "
    "to steps of shape (width,): what does `series[…]` give for that?",
    "What `make_loader` passes on untouched is a *tuple* of two tensors, of shapes (B, width) and "
    "(B,).",
)
def check_windows(dataset_class, generator):
    for length, width in ((30, 5), (10, 3), (6, 5), (40, 1)):
        series = torch.randn(length, generator=generator)
        dataset = dataset_class(series.clone(), width)
        case = f"a series of {length}, width {width}"
        size, right = _size(dataset), length - width
        require(size != right + 1, f"{case}: the last of {size} windows has no number after it")
        require(size == right, f"{case}: there are {right} windows with a number after, not {size}")
        for i in {0, right // 2, right - 1}:
            _compare_window(dataset[i], series[i : i + width], series[i + width], f"dataset[{i}]")
        several = hasattr(dataset, "__getitems__") and callable(dataset.__getitems__)
        require(several, "there is no method `__getitems__`")
        shuffled = torch.randperm(right, generator=generator)
        some = shuffled[: right // 2 + 1]
        for indices in ([0], list(range(right)), some.tolist(), shuffled.tolist()):
            batch = dataset.__getitems__(list(indices))
            what = f"a batch of {len(indices)} ({case})"
            listed = isinstance(batch, list) and len(batch) == len(indices)
            require(
                not listed or isinstance(batch[0], torch.Tensor),
                f"{what} is a list of examples; a ready batch is a tuple of two tensors",
            )
            starts = torch.tensor(indices)
            inputs = torch.stack([series[i : i + width] for i in indices])
            _compare_window(batch, inputs, series[starts + width], what, indices)
            require(isinstance(batch, tuple), f"{what} is a list; `make_loader` needs a tuple")
    series = torch.randn(900, generator=generator)
    dataset = dataset_class(series, 4)
    _, names = with_calls(dataset.__getitems__, list(range(800)))
    few = len(names) <= 100
    require(few, f"{len(names)} calls of PyTorch for a batch of 800: are the examples looped over?")


def _compare_window(found, inputs, target, what, indices=None):
    found_inputs, found_target = _pair(found, what)
    shape = tuple(getattr(found_inputs, "shape", ()))
    turned = inputs.ndim == 2 and shape == tuple(inputs.shape)[::-1] != tuple(inputs.shape)
    require(not turned, f"{what}: the inputs are (width, B); (B, width) is asked for")
    value = require_tensor(found_inputs, inputs, f"the inputs of {what}")
    require(found_inputs.dtype == inputs.dtype, f"the inputs of {what} are {found_inputs.dtype}")
    if not close(value, inputs):
        ordered = indices and close(value, inputs[torch.tensor(indices).argsort()])
        require(not ordered, f"{what}: the examples are in another order than the indices")
        require(False, f"{what}: the inputs are not those of the windows asked for")
    if indices is None and isinstance(found_target, int | float):
        found_target = torch.tensor(float(found_target))
    value = require_tensor(found_target, target, f"the target of {what}")
    last = close(value, inputs[..., -1])
    require(not last, f"{what}: the target is the window's last number, not the one after it")
    require(close(value, target), f"{what}: the target is not the number after the window")


def _size(dataset):
    kind = type(dataset).__name__
    sized = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    require(sized, f"a dataset has `__len__` and `__getitem__`; a {kind} has not both")
    return len(dataset)


def _pair(example, what):
    kind = type(example).__name__
    pair = isinstance(example, tuple | list) and len(example) == 2
    require(pair, f"{what} must give two things, inputs and target, not a {kind}")
    return example


def _short(row):
    return "[" + ", ".join(f"{value:g}" for value in row.tolist()) + "]"


@contextlib.contextmanager
def _folder():
    """A folder that is removed again, even if an answer has left a file of it open."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        yield Path(name)
