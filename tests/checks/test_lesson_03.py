"""The checks of lesson 03 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import numpy as np
import pytest
import torch
from every_lesson import *
from sklearn.datasets import load_svmlight_file
from torch.utils.data import Dataset, random_split

from course_utils.checks.lesson_03 import libsvm_text

# --- 03.1 ----------------------------------------------------------------------------------------


class Libsvm(Dataset):
    def __init__(self, path, num_features=None):
        self.labels, self.pairs = [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                pieces = line.split("#")[0].split()
                if pieces:
                    self.labels.append(float(pieces[0]))
                    split = (piece.split(":") for piece in pieces[1:])
                    self.pairs.append([(int(i), float(value)) for i, value in split])
        widest = max((i for pairs in self.pairs for i, _ in pairs), default=0)
        self.num_features = num_features or widest

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        features = torch.zeros(self.num_features)
        for i, value in self.pairs[index]:
            features[i - 1] = value
        return features, self.labels[index]


class LibsvmDense:
    """One matrix, filled at once; labels as tensors."""

    def __init__(self, path, num_features=None):
        text = [line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines()]
        lines = [line.split() for line in text if line.strip()]
        self.labels = torch.tensor([float(line[0]) for line in lines], dtype=torch.float64)
        cells = [(r, *cell.split(":")) for r, line in enumerate(lines) for cell in line[1:]]
        width = num_features or max(int(column) for _, column, _ in cells)
        matrix = np.zeros((len(lines), width), dtype=np.float32)
        for row, column, value in cells:
            matrix[row, int(column) - 1] = value
        self.features = torch.from_numpy(matrix)

    def __len__(self):
        return len(self.features)

    def __getitem__(self, index):
        return self.features[index], self.labels[index]


class ZeroBased(Libsvm):
    """Takes index 1 for place 1."""

    def __init__(self, path, num_features=None):
        super().__init__(path, num_features)
        self.pairs = [[(i + 1, value) for i, value in pairs] for pairs in self.pairs]
        self.num_features += 1


class WidthOfEachRow(Libsvm):
    """Makes each row as wide as its own last index."""

    def __getitem__(self, index):
        features, label = super().__getitem__(index)
        return features[: max((i for i, _ in self.pairs[index]), default=0)], label


class WidthIgnored(Libsvm):
    """Ignores `num_features`."""

    def __init__(self, path, num_features=None):
        super().__init__(path)


class ZeroRowsDropped(Libsvm):
    """Takes a line without features for an empty one."""

    def __init__(self, path, num_features=None):
        super().__init__(path, num_features)
        kept = [i for i, pairs in enumerate(self.pairs) if pairs]
        self.labels = [self.labels[i] for i in kept]
        self.pairs = [self.pairs[i] for i in kept]


class WholeLabels(Libsvm):
    """Turns labels into ints."""

    def __getitem__(self, index):
        features, label = super().__getitem__(index)
        return features, int(label)


class Packed(Libsvm):
    """Puts the values in a row, whatever their indices are."""

    def __getitem__(self, index):
        features = torch.zeros(self.num_features)
        for place, (_, value) in enumerate(self.pairs[index]):
            features[place] = value
        return features, self.labels[index]


class MissingIsNan(Libsvm):
    """Fills with NaN what is not in the file."""

    def __getitem__(self, index):
        features, label = super().__getitem__(index)
        return torch.where(features == 0, torch.nan, features), label


class InDouble(Libsvm):
    """Leaves the features in float64."""

    def __getitem__(self, index):
        features, label = super().__getitem__(index)
        return features.double(), label


class LabelLast(Libsvm):
    """Returns label and features in the other order."""

    def __getitem__(self, index):
        return super().__getitem__(index)[::-1]


class BlankLinesCounted(Libsvm):
    """Counts the lines of the file for its length."""

    def __init__(self, path, num_features=None):
        super().__init__(path, num_features)
        self.length = len(path.read_text(encoding="utf-8").splitlines())

    def __len__(self):
        return self.length


# --- 03.2 ----------------------------------------------------------------------------------------


def write_images(images, path):
    pixels = np.memmap(path, dtype=np.uint8, mode="w+", shape=tuple(images.shape))
    pixels[:] = images.numpy()
    pixels.flush()


def write_in_parts(images, path):
    shape = tuple(images.shape)
    for start in range(0, shape[0], 300):
        mode = "r+" if start else "w+"
        pixels = np.memmap(path, dtype="uint8", mode=mode, shape=shape)
        pixels[start : start + 300] = images[start : start + 300]
        del pixels


class Memmapped(Dataset):
    def __init__(self, path, shape, targets):
        self.path, self.shape, self.targets = path, shape, targets

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        pixels = np.memmap(self.path, dtype=np.uint8, mode="r", shape=self.shape)
        image = torch.from_numpy(np.array(pixels[index]))
        return image.float() / 255, int(self.targets[index])


class MemmappedKeptOpen(Memmapped):
    """Opens the file once in each process, and sends workers all but the open file."""

    pixels = None

    def __getstate__(self):
        return self.__dict__ | {"pixels": None}

    def __getitem__(self, index):
        if self.pixels is None:
            self.pixels = np.memmap(self.path, np.uint8, "r", shape=self.shape)
        return torch.tensor(self.pixels[index]) / 255, self.targets[index]


def writes_floats(images, path):
    """Writes the pixels as float32, four bytes each."""
    pixels = np.memmap(path, dtype=np.float32, mode="w+", shape=tuple(images.shape))
    pixels[:] = images.numpy()


def saves(images, path):
    """Uses `np.save`, which writes a header before the pixels."""
    with open(path, "wb") as file:
        np.save(file, images.numpy())


def forgets_to_assign(images, path):
    """Makes the file, and binds the name to the images instead of filling it."""
    pixels = np.memmap(path, dtype=np.uint8, mode="w+", shape=tuple(images.shape))
    pixels = images.numpy()
    return pixels


def writes_turned(images, path):
    """Exchanges rows and columns."""
    write_images(images.transpose(2, 3), path)


class OpenedInInit(Memmapped):
    """Keeps the open memmap, which is sent to each worker as a whole."""

    def __init__(self, path, shape, targets):
        self.pixels, self.targets = np.memmap(path, np.uint8, "r", shape=shape), targets

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return torch.tensor(self.pixels[index]) / 255, int(self.targets[index])


class LoadedInInit(OpenedInInit):
    """Copies the whole file into memory when it is made."""

    def __init__(self, path, shape, targets):
        super().__init__(path, shape, targets)
        self.pixels = np.array(self.pixels)


class TensorInInit(OpenedInInit):
    """Makes one tensor of the whole file when it is made."""

    def __init__(self, path, shape, targets):
        super().__init__(path, shape, targets)
        self.pixels = torch.tensor(self.pixels)

    def __getitem__(self, index):
        return self.pixels[index] / 255, int(self.targets[index])


class ReadAgainAndAgain(Memmapped):
    """Reads the whole file for each image."""

    def __getitem__(self, index):
        pixels = np.fromfile(self.path, dtype=np.uint8).reshape(self.shape)
        return torch.tensor(pixels[index]) / 255, int(self.targets[index])


class Erases(OpenedInInit):
    """Opens the file with mode "w+", which makes it anew."""

    def __init__(self, path, shape, targets):
        self.pixels, self.targets = np.memmap(path, np.uint8, "w+", shape=shape), targets


class Remembers(Memmapped):
    """Keeps each image that was read once."""

    def __init__(self, path, shape, targets):
        super().__init__(path, shape, targets)
        self.known = {}

    def __getitem__(self, index):
        if index not in self.known:
            self.known[index] = super().__getitem__(index)
        image, target = self.known[index]
        return image.clone(), target


class NotCopied(Memmapped):
    """Makes a tensor of memory that may only be read."""

    def __getitem__(self, index):
        pixels = np.memmap(self.path, dtype=np.uint8, mode="r", shape=self.shape)
        return torch.from_numpy(pixels[index]) / 255, int(self.targets[index])


class NotScaled(Memmapped):
    """Forgets to divide by 255."""

    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return image * 255, target


class LeftAsBytes(Memmapped):
    """Returns the image as uint8."""

    def __getitem__(self, index):
        image, target = super().__getitem__(index)
        return (image * 255).round().to(torch.uint8), target


class NextRow(Memmapped):
    """Computes where in the file the image begins, and is one pixel off."""

    def __getitem__(self, index):
        size = int(np.prod(self.shape[1:]))
        flat = np.memmap(self.path, dtype=np.uint8, mode="r")
        start = max(index * size - 1, 1)
        image = np.array(flat[start : start + size]).reshape(self.shape[1:])
        return torch.from_numpy(image) / 255, int(self.targets[index])


# --- 03.3 ----------------------------------------------------------------------------------------


def stratified(targets, share, generator):
    first, second = [], []
    for label in targets.unique():
        members = torch.nonzero(targets == label).flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        cut = round(share * len(members))
        first.append(members[:cut])
        second.append(members[cut:])
    return torch.cat(first), torch.cat(second)


def stratified_by_shuffling_all(targets, share, generator):
    """Shuffles once, then deals each class out, as lists of plain integers."""
    parts, dealt = ([], []), {}
    members = torch.bincount(targets).tolist()
    for i in torch.randperm(len(targets), generator=generator).tolist():
        label = int(targets[i])
        dealt[label] = dealt.get(label, 0) + 1
        parts[dealt[label] > int(share * members[label])].append(i)
    return parts


def not_stratified(targets, share, generator):
    """Splits without looking at the classes."""
    parts = random_split(range(len(targets)), [share, 1 - share], generator=generator)
    return [list(part.indices) for part in parts]


def same_number_of_each(targets, share, generator):
    """Takes as many of each class, as many as the smallest has to give."""
    count = round(share * min(int((targets == label).sum()) for label in targets.unique()))
    order = torch.randperm(len(targets), generator=generator)
    chosen = torch.cat([order[targets[order] == label][:count] for label in targets.unique()])
    rest = order[~torch.isin(order, chosen)]
    return chosen, rest


def positions(targets, share, generator):
    """Returns the positions within each class instead of the indices that stand there."""
    first, second = [], []
    for label in targets.unique():
        order = torch.randperm(int((targets == label).sum()), generator=generator)
        cut = round(share * len(order))
        first.append(order[:cut])
        second.append(order[cut:])
    return torch.cat(first), torch.cat(second)


def drawn_twice(targets, share, generator):
    """Draws the two parts one after the other, without regard for each other."""
    return stratified(targets, share, generator)[0], stratified(targets, share, generator)[1]


def some_lost(targets, share, generator):
    """Rounds both parts down, so that some examples are in neither."""
    first, second = [], []
    for label in targets.unique():
        members = torch.nonzero(targets == label).flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        first.append(members[: int(share * len(members))])
        rest = int((1 - share) * len(members))
        second.append(members[len(members) - rest :])
    return torch.cat(first), torch.cat(second)


def not_shuffled(targets, share, generator):
    """Takes the first of each class."""
    first, second = [], []
    for label in targets.unique():
        members = torch.nonzero(targets == label).flatten()
        cut = round(share * len(members))
        first.append(members[:cut])
        second.append(members[cut:])
    return torch.cat(first), torch.cat(second)


def generator_unused(targets, share, generator):
    """Draws from PyTorch's own random state."""
    return stratified(targets, share, None)


def seeded_anew(targets, share, generator):
    """Seeds the generator again before use."""
    return stratified(targets, share, generator.manual_seed(generator.initial_seed()))


def exchanged(targets, share, generator):
    """Returns the two parts in the other order."""
    return stratified(targets, share, generator)[::-1]


def digits_only(targets, share, generator):
    """Goes through the labels 0 to C - 1, C being how many there are."""
    first, second = [], []
    for label in range(len(targets.unique())):
        members = torch.nonzero(targets == label).flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        cut = round(share * len(members))
        first.append(members[:cut])
        second.append(members[cut:])
    return torch.cat(first), torch.cat(second)


def labels_instead(targets, share, generator):
    """Returns the targets of the two parts instead of their indices."""
    first, second = stratified(targets, share, generator)
    return targets[first], targets[second]


# --- 03.4 ----------------------------------------------------------------------------------------


class Windows(Dataset):
    def __init__(self, series, width):
        self.series, self.width = series, width

    def __len__(self):
        return len(self.series) - self.width

    def __getitem__(self, index):
        return self.series[index : index + self.width], self.series[index + self.width]

    def __getitems__(self, indices):
        starts = torch.as_tensor(indices)
        return (
            self.series[starts[:, None] + torch.arange(self.width)],
            self.series[starts + self.width],
        )


class WindowsUnfolded:
    """Views of all windows at once, of which rows are picked."""

    def __init__(self, series, width):
        self.windows = series.unfold(0, width + 1, 1)

    def __len__(self):
        return len(self.windows)

    def __getitem__(self, index):
        return self.windows[index, :-1], self.windows[index, -1].item()

    def __getitems__(self, indices):
        rows = self.windows[indices]
        return rows[:, :-1], rows[:, -1]


class OneTooMany(Windows):
    """Counts the last window too, which has no number after it."""

    def __len__(self):
        return len(self.series) - self.width + 1


class OneTooFew(Windows):
    """Ends one window too early."""

    def __len__(self):
        return len(self.series) - self.width - 1


class LastOfWindow(Windows):
    """Takes the last number of the window for the target."""

    def __getitem__(self, index):
        inputs, _ = super().__getitem__(index)
        return inputs, inputs[-1]


class NoBatches(Windows):
    """Has no `__getitems__`."""

    __getitems__ = None


class ListOfExamples(Windows):
    """Returns a list of examples, as PyTorch's own datasets do."""

    def __getitems__(self, indices):
        return [self[i] for i in indices]


class ListOfTwo(Windows):
    """Returns the two tensors as a list, which `make_loader` takes for two examples."""

    def __getitems__(self, indices):
        return list(super().__getitems__(indices))


class Looped(Windows):
    """Stacks the examples one by one."""

    def __getitems__(self, indices):
        inputs, targets = zip(*[self[i] for i in indices], strict=True)
        return torch.stack(inputs), torch.stack(targets)


class InARow(Windows):
    """Takes the batch for neighbors, from the first index on."""

    def __getitems__(self, indices):
        start = min(indices)
        return super().__getitems__(range(start, start + len(indices)))


class Sorted(Windows):
    """Sorts the indices."""

    def __getitems__(self, indices):
        return super().__getitems__(sorted(indices))


class Turned(Windows):
    """Adds starts of shape (B,) to steps of shape (width, 1)."""

    def __getitems__(self, indices):
        inputs, targets = super().__getitems__(indices)
        return inputs.T, targets


class TargetColumn(Windows):
    """Returns the targets with an axis too many."""

    def __getitems__(self, indices):
        inputs, targets = super().__getitems__(indices)
        return inputs, targets[:, None]


class BatchTargetsEarly(Windows):
    """Is one place off for the targets of a batch."""

    def __getitems__(self, indices):
        inputs, _ = super().__getitems__(indices)
        return inputs, inputs[:, -1]


RIGHT = [
    *[("03.1", Libsvm), ("03.1", LibsvmDense)],
    *[("03.2", (write_images, Memmapped)), ("03.2", (write_in_parts, MemmappedKeptOpen))],
    *[("03.3", stratified), ("03.3", stratified_by_shuffling_all)],
    *[("03.4", Windows), ("03.4", WindowsUnfolded)],
]
WRONG = [
    ("03.1", ZeroBased, "index 1 is the first feature"),
    ("03.1", WidthOfEachRow, "as wide as the widest"),
    ("03.1", WidthIgnored, "`num_features` is ignored"),
    ("03.1", ZeroRowsDropped, "all zero is left out"),
    ("03.1", WholeLabels, "labels are not all whole"),
    ("03.1", Packed, "whatever their indices are"),
    ("03.1", MissingIsNan, "what is not in the file is 0"),
    ("03.1", InDouble, "float32 is asked for"),
    ("03.1", LabelLast, "must be a tensor, not float"),
    ("03.1", BlankLinesCounted, "the length is 9 for 3 examples"),
    ("03.2", writes_floats, "is the dtype uint8?"),
    ("03.2", saves, "as if from `np.save`"),
    ("03.2", forgets_to_assign, "zeros only"),
    ("03.2", writes_turned, "in their order"),
    ("03.2", OpenedInInit, "each worker would be sent all images"),
    ("03.2", LoadedInInit, "is everything loaded?"),
    ("03.2", TensorInInit, "each worker would be sent all images"),
    ("03.2", ReadAgainAndAgain, "is the whole file read for one row?"),
    ("03.2", Erases, "which mode only reads?"),
    ("03.2", Remembers, "it is not read when asked"),
    ("03.2", NotCopied, "copy the row first"),
    ("03.2", NotScaled, "goes to 255, not to 1"),
    ("03.2", LeftAsBytes, "is uint8"),
    ("03.2", NextRow, "another than was written there"),
    ("03.3", not_stratified, "the classes' shares are not"),
    ("03.3", same_number_of_each, "wrong sizes"),
    ("03.3", positions, "positions within a class?"),
    ("03.3", drawn_twice, "are in both parts"),
    ("03.3", some_lost, "are in neither part"),
    ("03.3", digits_only, "are in neither part"),
    ("03.3", not_shuffled, "nothing is drawn from `generator`"),
    ("03.3", generator_unused, "the same seed gives another split"),
    ("03.3", seeded_anew, "seeded anew"),
    ("03.3", exchanged, "exchanged"),
    ("03.3", labels_instead, "more than once"),
    ("03.4", OneTooMany, "has no number after it"),
    ("03.4", OneTooFew, "there are 25 windows"),
    ("03.4", LastOfWindow, "not the one after it"),
    ("03.4", NoBatches, "no method `__getitems__`"),
    ("03.4", ListOfExamples, "is a list of examples"),
    ("03.4", ListOfTwo, "needs a tuple"),
    ("03.4", Looped, "looped over?"),
    ("03.4", InARow, "not those of the windows asked for"),
    ("03.4", Sorted, "another order than the indices"),
    ("03.4", Turned, "(B, width) is asked for"),
    ("03.4", TargetColumn, "has shape (1, 1) where (1,) is needed"),
    ("03.4", BatchTargetsEarly, "not the one after it"),
]


def as_answer(number, answer):
    """The answer as it is handed over: in 03.2 the other of the two functions is a right one."""
    if number != "03.2" or isinstance(answer, tuple):
        return answer
    return (write_images, answer) if isinstance(answer, type) else (answer, Memmapped)


class Stub:
    def __init__(self, *arguments):
        raise NotImplementedError


KINDS = [None, "1.0", [1.0], True, float("nan"), torch.zeros(7)]
WRONG = [(number, as_answer(number, answer), said) for number, answer, said in WRONG]


@pytest.mark.parametrize("number", ["03.1", "03.2", "03.3", "03.4"])
def test_class_with_stubs_is_to_do(capsys, number):
    assert verdict(capsys, number, as_answer(number, Stub)).startswith("to do")


@pytest.mark.parametrize("value", KINDS, ids=str)
def test_memmap_whose_second_answer_is_of_the_wrong_kind(capsys, value):
    def answer(*arguments):
        return value

    for first in (answer, write_images):
        line = verdict(capsys, "03.2", (first, answer))
        assert line.startswith("✗") and "your code raised" not in line


def test_memmap_needs_both_answers(capsys):
    assert "the answer is a pair" in verdict(capsys, "03.2", write_images)


def test_dataset_that_cannot_be_sent_to_a_worker(capsys):
    class Local(Memmapped):
        """Pickle finds no class that was made inside a function."""

    assert "cannot be pickled" in verdict(capsys, "03.2", (write_images, Local))


def test_checks_leave_pytorchs_warnings_as_they_were(capsys):
    assert not torch.is_warn_always_enabled()
    verdict(capsys, "03.2", (write_images, NotCopied))
    assert not torch.is_warn_always_enabled()


@pytest.mark.parametrize(
    "options", [{}, {"blank": True}, {"comments": True}, {"blank": True, "comments": True}]
)
def test_the_files_of_the_check_are_libsvm(tmp_path, options):
    """scikit-learn reads what the check writes as the check means it."""
    features = np.array([[0, 0, 1.5], [-2.5, 0, 0], [0, 0, 0], [1e-5, 3, 0]], dtype=np.float32)
    labels = [1, -1, 0.25, 2]
    path = tmp_path / "rows.txt"
    path.write_text(libsvm_text(features, labels, **options), encoding="utf-8")
    found, found_labels = load_svmlight_file(path, n_features=3)
    assert np.allclose(found.toarray(), features) and found_labels.tolist() == labels
    for dataset in (Libsvm(path, 3), LibsvmDense(path, 3)):
        assert np.allclose(torch.stack([row for row, _ in dataset]), found.toarray())
        assert [float(label) for _, label in dataset] == labels
