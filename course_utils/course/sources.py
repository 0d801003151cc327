"""Where the course's data come from: the data folder, a download, the sample.

Everything that is read is verified first: MNIST and CIFAR-10's batches by the checksum of each
file, an image folder by its number of images. `fetch` downloads, `drawn` draws the sample, and
`course_utils.data` makes datasets of what is loaded here.
"""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from course_utils.course import drawn

NAMES = ("mnist", "cifar10")
SOURCES = ("auto", "real", "sample")
DIGITS = [str(digit) for digit in range(10)]
CIFAR10_CLASSES = drawn.CLASSES
CIFAR10_COUNTS = {"train": 5000, "test": 1000}  # images a class

# The SHA-256 of MNIST's unpacked files, and the MD5 that torchvision gives for the packed ones.
MNIST_FILES = {
    "train-images-idx3-ubyte": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    ),
    "train-labels-idx1-ubyte": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "d53e105ee54ea40749a09fcbcd1e9432",
    ),
    "t10k-images-idx3-ubyte": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "9fb629c4189551a2d022fa330f9573f3",
    ),
    "t10k-labels-idx1-ubyte": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
}


def data_folder():
    """Return the folder where the data are looked for, which need not exist yet.

    `COURSE_DATA` if it is set, else the checkout's `data/`, else a folder in the user's cache.

    Raises:
        NotADirectoryError: if `COURSE_DATA` names a file.
        PermissionError: if the folder may not be read.

    Example:
        >>> data_folder().is_absolute()
        True
    """
    checkout = Path(__file__).resolve().parents[2]
    if wished := os.environ.get("COURSE_DATA"):
        folder = Path(wished).expanduser().absolute()
    elif (checkout / "pyproject.toml").is_file():
        folder = checkout / "data"
    else:
        folder = _user_cache() / "course_utils"
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"the data folder {folder} is a file; set COURSE_DATA to a folder")
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(f"the data folder {folder} may not be read by this user")
    return folder


def _user_cache():
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def load(name, train, classes=None, source="auto"):
    """Return a data set's verified pixels and targets, from the real files or from the sample.

    Args:
        name: "mnist" or "cifar10".
        train: the training images if true, else the test images.
        classes: names of the classes wanted, all by default; targets count in their order.
        source: "real" (files in the data folder), "sample", or "auto": the real files, else a
            download (one try a process, none where `COURSE_OFFLINE=1`), else the sample.

    Returns:
        (images uint8 (N, C, H, W), targets int64 (N,), list of class names, whether a sample).

    Raises:
        ValueError: for an unknown class or source, and for a file that is there but damaged.
        FileNotFoundError: if `source` is "real" and there are no real files.

    Example:
        >>> images, targets, names, is_sample = load("cifar10", False, ["cat"], "sample")
        >>> images.shape, is_sample
        (torch.Size([200, 3, 32, 32]), True)
    """
    if source not in SOURCES:
        raise ValueError(f"source must be one of {SOURCES}, not {source!r}")
    classes = _check_classes(DIGITS if name == "mnist" else CIFAR10_CLASSES, classes)
    if source != "sample":
        folder = data_folder()
        if source == "auto" and not layout(name, folder):
            _fetch_once(name)
        if layout(name, folder):
            return *_read(name, folder, train, classes), classes, False
        if source == "real":
            raise FileNotFoundError(f"no {name} in {folder}: {_how_to_get(name)}")
        _announce_sample(name, folder)
    if name == "mnist":
        return *_read_mnist_sample(train), classes, True
    return *drawn.draw(train, classes), classes, True


_failures = {}  # image set -> why its download failed in this process
_announced = set()  # image sets whose sample took their place in this process


def _fetch_once(name):
    """Try a download, unless it is forbidden or failed before."""
    if os.environ.get("COURSE_OFFLINE") == "1" or name in _failures:
        return
    from course_utils.course import fetch

    try:
        fetch.fetch(name, patient=False)
    except (OSError, ImportError) as error:
        _failures[name] = str(error)


def _announce_sample(name, folder):
    if name in _announced:
        return
    _announced.add(name)
    why = f" and no download ({_failures[name]})" if name in _failures else ""
    print(
        f"*** SAMPLE DATA: no {name} in {folder}{why}, so the small sample takes its place;"
        f" {_how_to_get(name)}. ***"
    )


def _check_classes(known, classes):
    if classes is None:
        return list(known)
    listed = not isinstance(classes, str) and list(classes)
    if not listed or len(set(listed)) < len(listed) or not set(listed) <= set(known):
        raise ValueError(
            f"classes must be a list of different names out of {', '.join(known)}; not {classes!r}"
        )
    return listed


def layout(name, folder):
    """Return how the data set lies in `folder`: "raw", "batches", "images", or None if it does not.

    Example:
        >>> layout("mnist", Path("no such folder")) is None
        True
    """
    if name == "mnist":
        raw = folder / "MNIST" / "raw"
        return "raw" if any((raw / file).exists() for file in MNIST_FILES) else None
    if (folder / "cifar-10-batches-py").is_dir():
        return "batches"
    return "images" if (folder / "cifar10").is_dir() else None


def _how_to_get(name):
    return f"run `python -m course_utils data fetch {name}` to get it"


def _read(name, folder, train, classes):
    if name == "mnist":
        return _read_mnist(folder, train)
    if layout(name, folder) == "batches":
        return _read_batches(folder, train, classes)
    return _read_image_folder(folder / "cifar10", train, classes)


def _read_mnist(folder, train):
    part = "train" if train else "t10k"
    images = _read_verified(folder, f"{part}-images-idx3-ubyte")[16:]
    targets = _read_verified(folder, f"{part}-labels-idx1-ubyte")[8:]
    return images.reshape(-1, 1, 28, 28).clone(), targets.long()


def _read_verified(folder, file):
    """All bytes of one of MNIST's files, whose checksum is right."""
    path = folder / "MNIST" / "raw" / file
    if not path.is_file():
        raise FileNotFoundError(f"MNIST is there without {path}: {_how_to_get('mnist')}")
    content = bytearray(path.read_bytes())
    if hashlib.sha256(content).hexdigest() != MNIST_FILES[file][0]:
        raise ValueError(
            f"{path} is damaged ({len(content):,} bytes, wrong checksum): {_how_to_get('mnist')}"
            " again"
        )
    return torch.frombuffer(content, dtype=torch.uint8)


def _read_batches(folder, train, classes):
    """CIFAR-10 by torchvision, which verifies each file before it unpickles anything."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    try:
        whole = CIFAR10(folder, train=train)
    except RuntimeError as error:
        files = [*CIFAR10.train_list, *CIFAR10.test_list, ["batches.meta", CIFAR10.meta["md5"]]]
        paths = [(folder / "cifar-10-batches-py" / file, md5) for file, md5 in files]
        bad = next((path for path, md5 in paths if not check_integrity(path, md5)), paths[0][0])
        raise ValueError(
            f"{bad} is missing or damaged: delete {bad.parent} and {_how_to_get('cifar10')} again"
        ) from error
    images = torch.from_numpy(whole.data).permute(0, 3, 1, 2).contiguous()
    return _select(images, torch.tensor(whole.targets), [whole.class_to_idx[c] for c in classes])


def _select(images, targets, wanted):
    """The images whose target is in `wanted`, in their order; targets become places in it."""
    if wanted == list(range(10)):
        return images, targets
    place = torch.full((10,), -1)
    place[wanted] = torch.arange(len(wanted))
    targets = place[targets]
    return images[targets >= 0], targets[targets >= 0]


def _image_files(folder, train, classes):
    """(path, place of its class) of each image, in the data set's original order."""
    split = "train" if train else "test"
    found = []
    for target, name in enumerate(classes):
        class_folder = folder / split / name
        if not class_folder.is_dir():
            raise FileNotFoundError(
                f"{class_folder} is not there: {folder} must hold {{train,test}}/<class>/"
            )
        files = [p for p in class_folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")]
        if len(files) != CIFAR10_COUNTS[split]:
            raise ValueError(
                f"{class_folder} holds {len(files):,} images instead of {CIFAR10_COUNTS[split]:,}:"
                f" delete {folder} and {_how_to_get('cifar10')} again"
            )
        found += [(path, target) for path in files]
    return sorted(found, key=lambda item: (_index(item[0].name), item[0].name))


def _index(name):
    """The number before the first underscore; names without one come last, in sorted order."""
    number = re.match(r"(\d+)_", name)
    return int(number[1]) if number else sys.maxsize


def _read_image_folder(folder, train, classes):
    files = _image_files(folder, train, classes)
    targets = np.array([target for _, target in files])
    images = np.empty((len(files), 3, 32, 32), dtype=np.uint8)
    for target, name in enumerate(tqdm(classes, "reading", leave=False, disable=_is_quiet(files))):
        rows = np.flatnonzero(targets == target)
        kept = folder / ".decoded" / f"{'train' if train else 'test'}-{name}.npz"
        images[rows] = _pixels([files[row][0] for row in rows], kept).transpose(0, 3, 1, 2)
    return torch.from_numpy(images), torch.from_numpy(targets)


def _pixels(paths, kept):
    """The files' pixels; kept as one array while the files stay, since decoding takes far longer.

    `kept` counts only with the key it was written with: the files' names, sizes and times.
    """
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    key = hashlib.sha256(repr(stats).encode()).hexdigest()
    not_kept = contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
    with not_kept, np.load(kept, allow_pickle=False) as arrays:
        if str(arrays["key"]) == key:
            return arrays["pixels"]
    pixels = np.stack([_decode(path) for path in paths])
    with contextlib.suppress(OSError):  # a full or read-only disk: decoded again next time
        kept.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as temporary:
            np.savez(Path(temporary) / kept.name, key=key, pixels=pixels)
            os.replace(Path(temporary) / kept.name, kept)
    return pixels


def _decode(path):
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            size, pixels = image.size, np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # what PIL raises for damaged files
        raise ValueError(f"{path} cannot be read as an image: replace or fetch it") from error
    if size != (32, 32):
        raise ValueError(f"{path} has {size[0]} × {size[1]} pixels instead of 32 × 32")
    return pixels


def _is_quiet(files=()):
    return os.environ.get("COURSE_NO_PROGRESS") == "1" or len(files) <= 20_000


def _read_mnist_sample(train):
    """The first images of MNIST, from the installed package or the checkout."""
    package = Path(__file__).resolve().parents[1]
    folders = [package / "samples", package.parent / "data" / "samples"]
    path = next((f / "mnist.npz" for f in folders if (f / "mnist.npz").is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"no sample mnist.npz in {folders[0]} or {folders[1]}: install the course again"
        )
    part = "train" if train else "test"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, targets = arrays[f"{part}_images"], arrays[f"{part}_targets"]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"the sample {path} is damaged: install the course again") from error
    return torch.from_numpy(images)[:, None], torch.from_numpy(targets).long()


def fingerprint(name):
    """Return which real data are here, to be compared with `results/data.json`.

    MNIST: the SHA-256 of the tensors' bytes. CIFAR-10: the SHA-256 of the files in reading order,
    each as its name, its size and its bytes, since reading 60,000 files is faster than decoding
    them, and does not depend on the decoder.

    Returns:
        {"train": …, "test": …}, or {} if the real data are not here.

    Raises:
        ValueError, FileNotFoundError: if they are here but damaged or incomplete.

    Example:
        >>> sorted(fingerprint("mnist")) in ([], ["test", "train"])
        True
    """
    folder = data_folder()
    kind = layout(name, folder)
    if kind is None:
        return {}
    return {split: _fingerprint(kind, folder, split == "train") for split in ("train", "test")}


def _fingerprint(kind, folder, train):
    digest = hashlib.sha256()
    if kind == "images":
        for path, _ in _image_files(folder / "cifar10", train, CIFAR10_CLASSES):
            content = path.read_bytes()
            digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode())
            digest.update(content)
    else:
        name = "mnist" if kind == "raw" else "cifar10"
        images, targets = _read(name, folder, train, CIFAR10_CLASSES)
        digest.update(images.numpy().tobytes())
        digest.update(targets.numpy().tobytes())
    return digest.hexdigest()


def verify(name):
    """Return in words how the real files here were verified, without decoding single images.

    Raises:
        ValueError, FileNotFoundError: for what is damaged, incomplete or missing.
    """
    folder = data_folder()
    kind = layout(name, folder)
    if kind is None:
        raise FileNotFoundError(f"no {name} in {folder}: {_how_to_get(name)}")
    for train in (True, False):
        if kind == "images":
            _image_files(folder / "cifar10", train, CIFAR10_CLASSES)
        else:
            _read(name, folder, train, CIFAR10_CLASSES)
    return "files counted" if kind == "images" else "checksums right"
