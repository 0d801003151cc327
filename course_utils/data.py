"""Data: the two image sets of the course as datasets, and loaders that pass whole batches on.

Data flow one way: uint8 pixels in memory -> dataset -> `make_loader` -> batches. Where the pixels
come from (folder, download, sample) is decided in `course_utils.course.sources`. What goes to
worker processes is defined here: they import it, and may not find what a notebook defines.
Shapes: N examples, B in a batch, C channels, H × W pixels.
"""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from course_utils.course import sources


class ImageTensors(Dataset):
    """Images held as one uint8 tensor and served as float32 in [0, 1], singly or by whole batches.

    Args:
        images: uint8 (N, C, H, W).
        targets: int64 (N,), places in `classes`.
        classes: list of class names.
        is_sample: whether these are the course's samples instead of the full data set.

    Raises:
        TypeError: if `images` is not uint8 or `targets` is not int64.
        ValueError: if their shapes do not belong together, or a target is not a place in `classes`.

    Example:
        >>> pixels = torch.full((3, 1, 2, 2), 51, dtype=torch.uint8)
        >>> dataset = ImageTensors(pixels, torch.tensor([0, 1, 0]), ["a", "b"])
        >>> image, target = dataset[1]
        >>> image.shape, image.max(), target
        (torch.Size([1, 2, 2]), tensor(0.2000), 1)
    """

    def __init__(self, images, targets, classes, is_sample=False):
        if images.dtype != torch.uint8 or targets.dtype != torch.int64:
            raise TypeError(
                f"images must be uint8 and targets int64, not {images.dtype} and {targets.dtype}"
            )
        if images.ndim != 4 or targets.shape != (len(images),):
            raise ValueError(
                "images must be (N, C, H, W) and targets (N,),"
                f" not {tuple(images.shape)} and {tuple(targets.shape)}"
            )
        if len(targets) and not 0 <= targets.min() <= targets.max() < len(classes):
            raise ValueError(
                f"targets must be in 0..{len(classes) - 1} for {len(classes)} classes,"
                f" not in {targets.min()}..{targets.max()}"
            )
        self.images, self.targets = images, targets
        self.classes, self.is_sample = list(classes), is_sample

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        """Return one (image (C, H, W), target as an int)."""
        return self.images[index] / 255, int(self.targets[index])

    def __getitems__(self, indices):
        """Return a ready batch (images (B, C, H, W), targets (B,)), as loaders and subsets ask."""
        indices = np.asarray(indices)  # by NumPy: for a batch's little work it needs less time
        images = self.images.numpy()[indices] / np.float32(255)
        return torch.from_numpy(images), torch.from_numpy(self.targets.numpy()[indices])

    def __repr__(self):
        kind = "sample of " if self.is_sample else ""
        return f"{type(self).__name__}({kind}{len(self)} images, {len(self.classes)} classes)"


class TransformedImages(ImageTensors):
    """The same images one by one, as (transform(PIL image), target): slower, and free to vary.

    Args: those of `ImageTensors`, and
        transform: function of one PIL image.

    Raises:
        TypeError: as `ImageTensors`, and if `transform` cannot be called.

    Example:
        >>> pixels, targets = torch.zeros(1, 3, 4, 5, dtype=torch.uint8), torch.tensor([0])
        >>> picture, target = TransformedImages(pixels, targets, ["a"], transform=lambda x: x)[0]
        >>> picture.mode, picture.size
        ('RGB', (5, 4))
    """

    __getitems__ = None  # the loader then asks for the examples one by one

    def __init__(self, images, targets, classes, is_sample=False, *, transform):
        super().__init__(images, targets, classes, is_sample)
        if not callable(transform):
            raise TypeError(f"transform must be a function of one PIL image, not {transform!r}")
        self.transform = transform

    def __getitem__(self, index):
        """Return one (transform(PIL image), target as an int)."""
        from torchvision.transforms.functional import to_pil_image  # it takes seconds to import

        return self.transform(to_pil_image(self.images[index])), int(self.targets[index])


def mnist(train, transform=None, source="auto"):
    """Return the handwritten digits: 60,000 for training, 10,000 for testing, 28 × 28, one channel.

    Args:
        train: the training images if true, else the test images.
        transform: function of one PIL image. Without it, the dataset serves float32 tensors in
            [0, 1], whole batches at once; `transform=lambda image: image` gives the pictures.
        source: "real", "sample" (5,000 and 1,000 images), or "auto": the real ones from the data
            folder or a download, else the sample with a line that says so.

    Returns:
        A dataset with `.images` (N, 1, 28, 28) uint8, `.targets` (N,), `.classes`, `.is_sample`.

    Raises:
        ValueError: for another `source`, and for a file that is there but damaged.
        FileNotFoundError: if `source` is "real" and the files are not there.

    Example:
        >>> digits = mnist(train=False, source="sample")
        >>> digits.images.shape, digits.classes[:3], digits[0][1]
        (torch.Size([1000, 1, 28, 28]), ['0', '1', '2'], 7)
    """
    return _dataset(sources.load("mnist", train, None, source), transform)


def cifar10(train, classes=None, transform=None, source="auto"):
    """Return color pictures of ten classes: 50,000 for training, 10,000 for testing, 32 × 32.

    Args:
        train: the training images if true, else the test images.
        classes: names of the classes wanted, all ten by default; targets count in the order given.
        transform: as for `mnist`.
        source: as for `mnist`; the sample is drawn by a program, 1,000 and 200 pictures a class.

    Returns:
        A dataset as from `mnist`, with `.images` (N, 3, 32, 32).

    Raises:
        ValueError, FileNotFoundError: as `mnist`, and for classes that there are not.

    Example:
        >>> pictures = cifar10(train=False, classes=["bird", "airplane"], source="sample")
        >>> pictures.images.shape, pictures.classes
        (torch.Size([400, 3, 32, 32]), ['bird', 'airplane'])
    """
    return _dataset(sources.load("cifar10", train, classes, source), transform)


def _dataset(loaded, transform):
    given = {} if transform is None else {"transform": transform}
    return (TransformedImages if given else ImageTensors)(*loaded, **given)


def make_loader(dataset, batch_size, shuffle=False, generator=None, **options):
    """Return an ordinary `DataLoader` that also takes ready batches from a dataset.

    Args:
        dataset: any dataset; one whose `__getitems__` returns a tuple of batched tensors is not
            asked for its examples one by one.
        batch_size: examples in a batch, at least 1.
        shuffle: whether each pass takes a new order.
        generator: `torch.Generator` that decides the order; PyTorch's own state by default.
        options: passed on to `DataLoader`, such as `drop_last` and `num_workers`.

    Raises:
        ValueError: if `batch_size` is not an integer of at least 1, or there would be no batch.

    Example:
        >>> loader = make_loader(mnist(train=False, source="sample"), batch_size=32)
        >>> images, targets = next(iter(loader))
        >>> images.shape, images.dtype, len(loader)
        (torch.Size([32, 1, 28, 28]), torch.float32, 32)
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be an integer of at least 1, not {batch_size!r}")
    size = len(dataset) if hasattr(dataset, "__len__") else None
    if size == 0:
        raise ValueError("the dataset is empty: a loader needs at least one example")
    if options.get("drop_last") and size is not None and size < batch_size:
        raise ValueError(f"drop_last would drop all {size} examples: batch_size is {batch_size}")
    options.setdefault("collate_fn", collate)
    return DataLoader(dataset, batch_size, shuffle, generator=generator, **options)


def collate(batch):
    """Return a ready batch (a tuple) as it is, and put a list of examples together as PyTorch does.

    Example:
        >>> collate([(1.5, 0), (2.5, 1)])
        [tensor([1.5000, 2.5000], dtype=torch.float64), tensor([0, 1])]
    """
    return batch if isinstance(batch, tuple) else default_collate(batch)
