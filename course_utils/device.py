"""Devices: choose one, move data to it, seed it, time work on it."""

import copy
import dataclasses
import logging
import operator
import random
from collections import namedtuple

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

Timing = namedtuple("Timing", ["median", "spread"])  # seconds per call; the quartiles' distance


def get_device(name="auto"):
    """Return the device to compute on, as its tensors name it: "cuda:0" (from IDL 1.2.1).

    Args:
        name: "auto" (CUDA, else MPS, else the CPU), a name such as "cpu" or "cuda:1", or a device;
            a ValueError says what there is if this machine has none such.

    Example:
        >>> get_device("cpu")
        device(type='cpu')
    """
    present = [f"cuda:{i}" for i in range(torch.cuda.device_count()) if torch.cuda.is_available()]
    present += ["mps:0"] if torch.backends.mps.is_available() else []
    present += ["cpu"]
    for device in present:
        if str(name) in ("auto", device, device.removesuffix(":0")):
            return torch.device(device)
    raise ValueError(f"device must be 'auto' or one of {present} on this machine, not {name!r}")


def to_device(obj, device):
    """Return `obj` with every tensor in it on `device`, whatever containers hold the tensors.

    Args:
        obj: a tensor, or dicts, lists, tuples, sets, named tuples and dataclasses of tensors, to
            any depth. Each is made anew and keeps its kind; anything else stays as it is.
        device: where to; a tensor that is there already is not copied.

    Example:
        >>> batch = {"images": torch.zeros(2, 1, 28, 28), "names": ["a", "b"]}
        >>> to_device(batch, "cpu")["names"]
        ['a', 'b']

    From IDL 1.2.1 (`moveTo`), where a named tuple comes back as a tuple.
    """

    def move(item):
        # The first case that fits is taken: special kinds stand before general ones.
        match item:
            case torch.Tensor() | PackedSequence():
                return item.to(device)
            case dict():
                moved = copy.copy(item)  # keeps the kind, and a defaultdict's factory
                moved.clear()
                for key, value in item.items():
                    moved[move(key)] = move(value)
                return moved
            case tuple() if hasattr(item, "_fields"):
                return item._make(map(move, item))
            case list() | tuple() | set() | frozenset():
                return type(item)(map(move, item))
            case _ if dataclasses.is_dataclass(item) and not isinstance(item, type):
                moved = copy.copy(item)
                for field in dataclasses.fields(item):
                    # unlike setattr, this reaches the fields of a frozen dataclass too
                    object.__setattr__(moved, field.name, move(getattr(item, field.name)))
                return moved
            case _:
                return item

    return move(obj)


def set_seed(seed):
    """Seed PyTorch, NumPy and Python, and return a generator for a loader, seeded alike.

    Args:
        seed: an integer in 0..2**32 - 1, the range that NumPy takes; else a ValueError.

    Example:
        >>> set_seed(0).initial_seed()
        0
    """
    try:
        seed = operator.index(seed)
        np.random.seed(seed)
    except (TypeError, ValueError):
        raise ValueError(f"seed must be an integer in 0..2**32 - 1, not {seed!r}") from None
    random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def benchmark(fn, device="cpu", *, seconds=0.2):
    """Time a function from its call until its result is there, not only asked for.

    Args:
        fn: function without arguments, called once to warm up, then again and again.
        device: where `fn` computes, as for `get_device`; it is waited for after each call.
        seconds: how long to measure, more than 0 (else a ValueError); two calls at least.

    Example:
        >>> benchmark(lambda: sum(range(100)), seconds=0.01).median > 0
        True

    From IDL 1.2.1, where `timeit` stops its clock before the GPU has finished.
    """
    device = get_device(device)
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, not {seconds}")
    # Importing it logs that a CUDA toolkit is there without a GPU, which is nobody's concern here.
    log = logging.getLogger("torch.utils.cpp_extension")
    log.addFilter(unimportant := lambda record: record.levelno >= logging.ERROR)
    from torch.utils.benchmark import Measurement, Timer

    log.removeFilter(unimportant)

    def call():
        fn()
        if device.type != "cpu":
            torch.accelerator.synchronize(device)

    call()  # the first call loads kernels and allocates memory
    threads = torch.get_num_threads()  # Timer's own default is 1
    timer = Timer("call()", globals={"call": call}, num_threads=threads)
    runs = [timer.blocked_autorange(min_run_time=seconds / 2) for _ in range(2)]
    measured = Measurement.merge(runs)[0]
    return Timing(measured.median, measured.iqr)
