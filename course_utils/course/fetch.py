"""Downloads of the image sets: mirrors tried in turn, nothing kept that was not verified.

A download goes to a temporary folder beside its destination, is compared with its checksum there,
unpacked there, and only then renamed to its place: what is interrupted leaves nothing.
"""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from course_utils.course import sources

TIMEOUT = (5, 15)  # seconds: to connect, and between two pieces that arrive
CHUNK = 64 * 1024  # bytes asked for at once
SLOWEST = 250_000  # bytes a second; below it a lesson's own download is given up after …
PATIENCE = 20  # … seconds
MNIST_MIRRORS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
]
# Address, MD5 and size of CIFAR-10's archives: as an image folder, then as torchvision reads it.
CIFAR10_ARCHIVES = [
    (
        "https://s3.amazonaws.com/fast-ai-sample/cifar10.tgz",
        "a5f8c31371b63a406b23368042812d3c",
        168_168_549,
    ),
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
        170_498_071,
    ),
]


class FetchError(OSError):
    """No mirror gave the right file, or there is no room for it; the message says which."""


class InsecureAddress(Exception):
    """An address is not https."""


def fetch(name, patient=True):
    """Download an image set into the data folder, if it is not there, verify it and unpack it.

    Args:
        name: "mnist" or "cifar10".
        patient: whether to wait for a slow mirror; a lesson does not.

    Returns:
        The folder that holds it.

    Raises:
        ValueError: for another name.
        FetchError: if no mirror gave the right file, the disk is full or may not be written, or
            something else is in the way. Nothing is left behind.
    """
    if name not in sources.NAMES:
        raise ValueError(f"name must be one of {sources.NAMES}, not {name!r}")
    folder = sources.data_folder()
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            if name == "mnist":
                _fetch_mnist(folder, Path(temporary), patient)
            else:
                _fetch_cifar10(folder, Path(temporary), patient)
    except FetchError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise FetchError(f"the disk is full: make room in {folder} for {name}") from error
        raise FetchError(f"{name} cannot be written to {folder}: {error}") from error
    finally:
        if is_new:
            with contextlib.suppress(OSError):  # it is not empty once the download is there
                folder.rmdir()
    return folder


def _fetch_mnist(folder, temporary, patient):
    """Get those of the four files that are missing or damaged, then put them in place."""
    raw = folder / "MNIST" / "raw"
    for file, (digest, packed_md5) in sources.MNIST_FILES.items():
        if (raw / file).is_file() and _digest(raw / file) == digest:
            continue
        _need_room(folder, 60_000_000)
        mirrors = [(f"{mirror}{file}.gz", packed_md5) for mirror in MNIST_MIRRORS]
        packed = _download(mirrors, temporary, patient)
        with gzip.open(packed) as source, open(temporary / file, "wb") as target:
            shutil.copyfileobj(source, target)
        if _digest(temporary / file) != digest:
            raise FetchError(f"{packed.name} did not unpack to the right file")
        raw.mkdir(parents=True, exist_ok=True)
        os.replace(temporary / file, raw / file)


def _fetch_cifar10(folder, temporary, patient):
    if sources.layout("cifar10", folder):
        try:
            sources.verify("cifar10")
        except (ValueError, FileNotFoundError) as error:
            raise FetchError(f"{error}; move what is there away first") from error
        return
    _need_room(folder, 3 * CIFAR10_ARCHIVES[0][2])
    packed = _download([archive[:2] for archive in CIFAR10_ARCHIVES], temporary, patient)
    unpacked = temporary / "unpacked"
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(unpacked, filter="data")
    except tarfile.TarError as error:
        raise FetchError(f"{packed.name} cannot be unpacked: {error}") from error
    for place in ("cifar10", "cifar-10-batches-py"):
        if (unpacked / place).is_dir():
            os.replace(unpacked / place, folder / place)
            return
    raise FetchError(f"{packed.name} holds neither cifar10 nor cifar-10-batches-py")


def _need_room(folder, size):
    free = shutil.disk_usage(folder).free
    if free < size:
        raise FetchError(
            f"{folder} has {free / 1e6:,.0f} MB free but needs {size / 1e6:,.0f} MB: make room"
        )


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(mirrors, temporary, patient):
    """The path of a file whose MD5 is right, from the first of (address, MD5) that gives it."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    said = []
    for url, md5 in mirrors:
        host, name = urlsplit(url).hostname, urlsplit(url).path.rsplit("/", 1)[-1]
        progress = _Progress(f"{name} from {host}", patient)
        downloader = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=CHUNK,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},  # the bytes that the checksum is of
            hooks={"response": _refuse_plain_http},
        )
        try:
            _refuse_plain_http(requests.Request(url=url))  # then wherever that leads
            path = pooch.retrieve(url, f"md5:{md5}", name, temporary, downloader=downloader)
            return Path(path)
        except requests.RequestException as error:
            said.append(f"{host}: {_shorten(error)}")
        except (TimeoutError, InsecureAddress) as error:
            said.append(f"{host}: {error}")
        except ValueError:  # pooch's word for a wrong checksum
            said.append(f"{host}: the file is not the right one (checksum)")
        finally:
            progress.close()
    raise FetchError("; ".join(said))


def _refuse_plain_http(response, **_):
    """Stop where an address is not https; only this machine itself may do without, as in tests."""
    address = urlsplit(response.url)
    if address.scheme != "https" and address.hostname != "127.0.0.1":
        raise InsecureAddress(f"{response.url} is not https")


def _shorten(error):
    """One line of what went wrong, without the layers that requests wraps around it."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was not accepted"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "sent only a part of the file"
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    if isinstance(error, requests.ConnectionError):
        timed_out = "timed out" in str(error)
        return "stopped sending" if timed_out else "could not be reached"
    return str(error) or type(error).__name__


class _Progress:
    """What pooch tells how much has come: shows it, and gives up where that is too slow."""

    def __init__(self, label, patient):
        self.label, self.patient, self.total, self.bar = label, patient, None, None

    def update(self, size):
        if self.bar is None:
            self.start, self.done = time.monotonic(), 0
            self.bar = tqdm(
                total=self.total or None,
                desc=self.label,
                unit="B",
                unit_scale=True,
                leave=False,
                disable=os.environ.get("COURSE_NO_PROGRESS") == "1",
            )
        self.done += size
        self.bar.update(size)
        seconds = time.monotonic() - self.start
        if not self.patient and seconds > PATIENCE and self.done < SLOWEST * seconds:
            raise TimeoutError(f"sends only {self.done / seconds / 1000:.0f} kB a second")

    def reset(self):
        """pooch begins its bar again at the end, to fill it."""
        if self.bar is not None:
            self.bar.reset()

    def close(self):
        if self.bar is not None:
            self.bar.close()
