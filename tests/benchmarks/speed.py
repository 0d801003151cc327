"""What the course's loop and data path cost: `python tests/benchmarks/speed.py`.

Each comparison runs both sides in turn, so that a busy machine slows both, and gives the median of
the pairs' ratios with their quartiles. Ratios can be compared between machines, seconds cannot;
neither is tested. `--part` chooses one part, `--scale 0.02` is a quick try.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
os.environ["COURSE_OFFLINE"] = "1"  # what is not here is not fetched meanwhile

import psutil
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

sys.path.insert(0, str(Path(__file__).parents[2]))
from course_utils import accuracy, get_device, make_loader, mnist, most_likely, set_seed, train

BATCH_SIZE = 32


def _convolutions(channels):
    """Three convolutions of a width after a number of channels, then pooling, as in lesson 11."""
    layers, (inputs, width) = [], channels
    for _ in range(3):
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.Tanh()]
        inputs = width
    return [*layers, nn.MaxPool2d(2)]


NETS = {  # name -> (function that makes it, training images of one timing)
    "784-256-10": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.Tanh(), nn.Linear(256, 10)),
        30_000,
    ),
    "one convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(16 * 28 * 28, 10)
        ),
        6_000,
    ),
    "six convolutions": (
        lambda: nn.Sequential(
            *_convolutions((1, 16)), *_convolutions((16, 32)), nn.Flatten(), nn.Linear(1568, 10)
        ),
        1_600,
    ),
}


def seconds_of(function, device):
    """Seconds of one call, the device's work included."""
    start = time.perf_counter()
    function()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter() - start


def compare(ours, other, pairs, device):
    """The pairs' ratios of `ours` to `other`, timed in turn after one try of each."""
    ratios = []
    for pair in range(pairs + 1):
        timed = seconds_of(ours, device), seconds_of(other, device)
        if pair:
            ratios.append(timed[0] / timed[1])
    return ratios


def spread(ratios):
    """Median and quartiles in words."""
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return f"{median:.2f} (quartiles {low:.2f} to {high:.2f}, {len(ratios)} pairs)"


def bare_epoch(model, optimizer, batches):
    """The six verbs and nothing else, over batches that lie ready."""
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    for inputs, targets in batches:
        outputs = model(inputs)
        loss = loss_fn(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def measure_loop(digits, pairs, scale, device):
    """`train` with a loader, metric and progress bar, against the bare loop; and bare to bare."""
    os.environ.pop("COURSE_NO_PROGRESS", None)
    for name, (make, size) in NETS.items():
        subset = Subset(digits, range(max(2 * BATCH_SIZE, int(size * scale))))
        loader = make_loader(subset, BATCH_SIZE, shuffle=True, generator=set_seed(0))
        batches = [(x.to(device), y.to(device)) for x, y in loader]
        models = [make().to(device) for _ in range(3)]
        optimizers = [torch.optim.SGD(model.parameters(), lr=0.01) for model in models]
        settings = {"epochs": 1, "metrics": {"accuracy": accuracy}, "decide": most_likely}

        def ours(model=models[0], optimizer=optimizers[0], loader=loader, settings=settings):
            train(model, nn.CrossEntropyLoss(), optimizer, loader, **settings)

        bare, again = (
            lambda i=i, m=models, o=optimizers, b=batches: bare_epoch(m[i], o[i], b) for i in (1, 2)
        )
        print(f"  {name:17} train to bare {spread(compare(ours, bare, pairs, device))}")
        print(f"  {'':17} bare to bare  {spread(compare(again, bare, pairs, device))}")


def measure_channels_last(digits, pairs, scale, device):
    """The six convolutions with a pixel's channels side by side in memory, and without."""
    size = max(2 * BATCH_SIZE, int(NETS["six convolutions"][1] * scale))
    inputs, targets = digits.__getitems__(range(size))
    batches = [
        (x.to(device), y.to(device))
        for x, y in zip(inputs.split(BATCH_SIZE), targets.split(BATCH_SIZE), strict=True)
    ]
    runs = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        model = NETS["six convolutions"][0]().to(device, memory_format=memory_format)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        runs.append(lambda m=model, o=optimizer: bare_epoch(m, o, batches))
    print(f"  usual to channels_last {spread(compare(*runs, pairs, device))}")


def measure_dataset(digits, pairs, scale, device):
    """Images a second by batches at once, to torchvision's one image at a time."""
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor

    one_by_one = MNIST.__new__(MNIST)  # the same images, also where only the sample is here
    one_by_one.data, one_by_one.targets = digits.images[:, 0], digits.targets
    one_by_one.transform, one_by_one.target_transform = ToTensor(), None
    size = max(BATCH_SIZE, int(5_000 * scale))

    def read(loader):
        for inputs, _ in islice(loader, size // BATCH_SIZE):
            inputs.to(device)

    slow = DataLoader(one_by_one, BATCH_SIZE, shuffle=True, generator=set_seed(0))
    fast = make_loader(digits, BATCH_SIZE, shuffle=True, generator=set_seed(0))
    ratios = compare(lambda: read(slow), lambda: read(fast), pairs, device)
    print(f"  images a second, to torchvision's: {spread(ratios)}")


def measure_memory(digits, pairs, scale, device):
    """Resident memory, in multiples of the data set's bytes, and seconds an example by size."""
    process, data = psutil.Process(), digits.images.numel() * digits.images.element_size()
    seen = []
    model = NETS["784-256-10"][0]().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def fit(size, epochs):
        part = Subset(digits, range(min(len(digits), size)))
        loader = make_loader(part, BATCH_SIZE, shuffle=True, generator=set_seed(0))
        scores = {"metrics": {"accuracy": accuracy}, "decide": most_likely}
        note = {"on_epoch_end": lambda row: seen.append(process.memory_info().rss)}
        return train(
            model, nn.CrossEntropyLoss(), optimizer, loader, epochs=epochs, **scores, **note
        )

    fit(2 * BATCH_SIZE, 1)  # the first optimizer and step import what PyTorch puts off until then
    before = process.memory_info().rss
    seen.clear()
    fit(int(60_000 * scale), 4)
    first, last = ((rss - before) / data for rss in (seen[0], seen[-1]))
    print(f"  {data / 1e6:.0f} MB of images, here before training; then beside them")
    print(f"  {first:+.2f} times their bytes after the first epoch, {last:+.2f} after the last")
    sizes = [max(BATCH_SIZE, int(7_500 * scale * times)) for times in (1, 2, 4, 8)]
    runs = [[fit(size, 1)["seconds"].iloc[-1] / size for size in sizes] for _ in range(pairs)]
    for size, times in zip(sizes, zip(*runs, strict=True), strict=True):
        ratios = [t / run[0] for t, run in zip(times, runs, strict=True)]
        print(f"  {size:6,} images: seconds an image, to the smallest {spread(ratios)}")


PARTS = {
    "memory": measure_memory,  # first: what others leave in memory would hide it
    "loop": measure_loop,
    "channels-last": measure_channels_last,
    "dataset": measure_dataset,
}


def main(argv=None):
    """Measure the parts asked for, and say on what."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", choices=PARTS, action="append", help="all, if not given")
    parser.add_argument("--pairs", type=int, default=15, help="timings of each side (15)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the images (1)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    wished = parser.parse_args(argv)
    if wished.pairs < 1 or not 0 < wished.scale <= 1:
        parser.error("pairs must be at least 1, and scale above 0 and at most 1")
    device, digits = get_device(wished.device), mnist(train=True)
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}, "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {device}; {digits!r}"
    )
    for name in wished.part or PARTS:
        print(f"{name}: {PARTS[name].__doc__.split(chr(10))[0]}", flush=True)
        PARTS[name](digits, wished.pairs, wished.scale, device)


if __name__ == "__main__":
    main()
