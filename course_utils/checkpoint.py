"""Checkpoints: a training run in a file of tensors and plain values, which runs no code."""

import os
import random
from pathlib import Path

import numpy as np
import torch


def save_checkpoint(path, *, model, optimizer=None, scheduler=None, **values):
    """Write a model, what trains it, and further values to a file, whole or not at all.

    Args:
        path: the file; an older one is replaced only once the new one is complete.
        model, optimizer, scheduler: their states are stored, of those that are given.
        **values: numbers, texts, tensors, None; dicts, lists and tuples of these. Any other is
            a TypeError that names it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/line.pt", model=torch.nn.Linear(2, 1), epoch=3)
        ...     load_checkpoint(f"{folder}/line.pt", torch.nn.Linear(2, 1))
        {'epoch': 3}

    From IDL 2.4.3, where a `numpy.float64` makes a file that a safe `torch.load` refuses.
    """
    path, content = Path(path), {"values": values}
    for name, part in {"model": model, "optimizer": optimizer, "scheduler": scheduler}.items():
        if part is not None:
            content[name] = {"class": type(part).__name__, "state": part.state_dict()}
    content = _plain(content, "checkpoint")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(unfinished, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())  # on the disk before it takes the old one's place
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_checkpoint(path, model, *, optimizer=None, scheduler=None):
    """Load a file of `save_checkpoint`; return its further values, a dict (from IDL 2.4.4).

    Args:
        path: the file.
        model, optimizer, scheduler: like those saved; those given get the saved states, and
            keep their device. A ValueError names all that does not fit; then nothing is changed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/line.pt", model=torch.nn.Linear(2, 1), epoch=3)
        ...     load_checkpoint(f"{folder}/line.pt", torch.nn.Linear(2, 1))
        {'epoch': 3}
    """
    try:
        content = dict(torch.load(path, map_location="cpu", weights_only=True))
        values = content["values"]
    except OSError:  # no such file, for one; the error names it
        raise
    except Exception as error:  # which one a damaged file raises depends on where the damage is
        raise ValueError(f"{path} is damaged, or not written by save_checkpoint") from error
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    parts = {name: part for name, part in parts.items() if part is not None}
    faults = []
    for name, part in parts.items():
        ours = _layout({"class": type(part).__name__, "state": part.state_dict()})
        saved = _layout(content.get(name, {"class": "missing", "state": {}}))
        for key in sorted(ours | saved):
            there, here = saved.get(key, "missing"), ours.get(key, "missing")
            if there != here:
                faults.append(f"{name} {key} is {there} in the file, {here} here")
    if faults:
        raise ValueError(f"{path} does not fit: {'; '.join(faults)}")
    for name, part in parts.items():
        part.load_state_dict(content[name]["state"])
    return values


def random_state(loader=None):
    """Return the state of all random number generators, a loader's own too, as plain values."""
    kind, keys, *rest = np.random.get_state()
    state = {"python": random.getstate(), "numpy": (kind, keys.tolist(), *rest)}
    state["cpu"] = torch.get_rng_state()
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state | {"loader": [generator.get_state() for generator in _generators(loader)]}


def set_random_state(state, loader=None):
    """Set the generators to what `random_state` returned, as far as this machine has them."""
    generators = _generators(loader)
    if len(generators) != len(state["loader"]):
        raise ValueError("the loader must have a generator of its own if the saved one had, only")
    for generator, saved in zip(generators, state["loader"], strict=True):
        generator.set_state(saved)
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_initialized():
        torch.cuda.set_rng_state_all(state["cuda"][: torch.cuda.device_count()])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def _generators(loader):
    """A loader draws its workers' seeds from one generator, its sampler the order from another."""
    owners = (loader, getattr(loader, "sampler", None))
    found = [getattr(owner, "generator", None) for owner in owners]
    return [generator for generator in found if generator is not None]


def _layout(part):
    """What must agree before a state is loaded: the class, the shapes, the groups' sizes."""
    state, layout = part["state"], {"class": part["class"]}
    if "param_groups" in state:
        layout["groups"] = [len(group["params"]) for group in state["param_groups"]]
    tensors = {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}
    return layout | {key: f"shape {tuple(value.shape)}" for key, value in tensors.items()}


def _plain(obj, where):
    """`obj` with NumPy's numbers as Python's, once it is sure that all else in it is plain."""
    if isinstance(obj, dict):
        return {key: _plain(value, f"{where}[{key!r}]") for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        items = [_plain(item, f"{where}[{i}]") for i, item in enumerate(obj)]
        return items if isinstance(obj, list) else tuple(items)
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, torch.Tensor | str | int | float | None):
        return obj
    raise TypeError(f"{where} must be a number, text or tensor, not a {type(obj).__name__}")
