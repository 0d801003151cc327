"""Devices on any machine: where there is no accelerator, PyTorch's `meta` device stands in."""

import random
import subprocess
import sys
import time
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader

from course_utils.device import benchmark, get_device, set_seed, to_device


def machine(monkeypatch, cuda=0, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(2, True, "cuda:0"), (0, True, "mps:0"), (0, False, "cpu"), (1, False, "cuda:0")],
)
def test_auto_prefers_cuda_then_mps_then_cpu(monkeypatch, cuda, mps, expected):
    machine(monkeypatch, cuda, mps)
    assert get_device() == get_device("auto") == torch.device(expected)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps", torch.device("cuda", 1)])
def test_explicit_device_is_met(monkeypatch, name):
    machine(monkeypatch, cuda=2, mps=True)
    wished, device = torch.device(name), get_device(name)
    assert (device.type, device.index or 0) == (wished.type, wished.index or 0)


@pytest.mark.parametrize("name", ["gpu", "cuda", "cuda:0", "mps", "meta", "", None, 0])
def test_a_wish_that_cannot_be_met_names_what_is_there(monkeypatch, name):
    machine(monkeypatch)
    with pytest.raises(ValueError, match=r"\['cpu'\]"):
        get_device(name)


def test_third_of_two_gpus_is_refused(monkeypatch):
    machine(monkeypatch, cuda=2)
    with pytest.raises(ValueError, match=r"'cuda:0', 'cuda:1', 'cpu'"):
        get_device("cuda:2")


Pair = namedtuple("Pair", "left right")


class Typed(NamedTuple):
    image: torch.Tensor
    name: str = "x"


@dataclass
class Batch:
    inputs: torch.Tensor
    note: str
    extra: list = field(init=False, default_factory=list)


@dataclass(frozen=True)
class Frozen:
    inputs: torch.Tensor


def tensor():
    return torch.ones(2)


def test_a_tensor_moves():
    assert to_device(tensor(), "meta").device.type == "meta"


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_plain_containers_keep_their_kind(kind):
    original = kind([tensor(), 1, None])
    moved = to_device(original, "meta")
    assert type(moved) is kind
    assert {getattr(item, "device", torch.device("cpu")).type for item in moved} == {"meta", "cpu"}
    assert all(item.device.type == "cpu" for item in original if isinstance(item, torch.Tensor))


def test_named_tuples_stay_named():
    moved = to_device(Pair(tensor(), Typed(tensor())), "meta")
    assert type(moved) is Pair
    assert type(moved.right) is Typed
    assert moved.left.device.type == moved.right.image.device.type == "meta"
    assert moved.right.name == "x"


def test_dicts_keep_kind_order_and_factory():
    ordered = to_device(OrderedDict(b=tensor(), a=2), "meta")
    assert type(ordered) is OrderedDict
    assert list(ordered) == ["b", "a"]
    assert ordered["b"].device.type == "meta"
    default = to_device(defaultdict(list, a=[tensor()]), "meta")
    assert default["new"] == []
    assert default["a"][0].device.type == "meta"
    assert to_device(Counter("aab"), "meta") == Counter("aab")
    (key,) = to_device({tensor(): 1}, "meta")
    assert key.device.type == "meta"


def test_dataclasses_keep_kind_and_all_fields():
    original = Batch(tensor(), "note")
    original.extra = [tensor()]
    moved = to_device(original, "meta")
    assert type(moved) is Batch
    assert moved.inputs.device.type == moved.extra[0].device.type == "meta"
    assert moved.note == "note"
    assert original.inputs.device.type == original.extra[0].device.type == "cpu"
    assert to_device(Frozen(tensor()), "meta").inputs.device.type == "meta"
    assert to_device(Frozen, "meta") is Frozen  # the class, not an object of it


def test_nothing_is_mutated_at_any_depth():
    inner = {"x": tensor()}
    original = [(inner, {"y": [tensor()]})]
    moved = to_device(original, "meta")
    assert moved[0][1]["y"][0].device.type == "meta"
    assert original[0][0] is inner
    assert inner["x"].device.type == original[0][1]["y"][0].device.type == "cpu"


@pytest.mark.parametrize("item", [1, 2.5, "text", None, b"bytes", range(3), torch.nn.Linear(1, 1)])
def test_anything_else_is_the_same_object(item):
    assert to_device(item, "meta") is item
    if isinstance(item, torch.nn.Module):
        assert item.weight.device.type == "cpu"


def test_packed_sequences_stay_usable():
    packed = to_device(pack_sequence([torch.ones(3), torch.ones(1)]), "meta")
    assert packed.data.device.type == "meta"
    assert packed.batch_sizes.tolist() == [2, 1, 1]  # PyTorch needs these on the CPU


def test_a_tensor_already_there_is_not_copied():
    t = tensor()
    assert to_device([t], "cpu")[0] is t


def test_seed_repeats_every_source_and_the_loader():
    def draw():
        generator = set_seed(7)
        order = list(DataLoader(range(20), shuffle=True, generator=generator))
        return random.random(), np.random.rand(), torch.rand(3).tolist(), torch.cat(order).tolist()

    first = draw()
    assert draw() == first
    set_seed(8)
    assert torch.rand(3).tolist() != first[2]


def test_generator_is_its_own():
    generator = set_seed(0)
    before = generator.get_state()
    torch.rand(5)
    assert torch.equal(generator.get_state(), before)
    assert generator.initial_seed() == 0


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", None])
def test_seed_out_of_range_is_refused_and_nothing_is_seeded(seed):
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="seed must be an integer"):
        set_seed(seed)
    assert torch.equal(torch.get_rng_state(), before)


def test_seed_may_be_numpys():
    assert set_seed(np.int64(3)).initial_seed() == 3


def test_benchmark_measures_seconds_per_call():
    median, spread = benchmark(lambda: time.sleep(0.01), seconds=0.1)
    assert 0.01 <= median < 0.1
    assert spread >= 0


def test_benchmark_warms_up_and_repeats_what_is_slow():
    calls = []

    def slow_at_first():
        calls.append(None)
        time.sleep(0.3 if len(calls) == 1 else 0.02)

    assert benchmark(slow_at_first, "cpu", seconds=0.02).median < 0.2
    assert len(calls) >= 5  # once to warm up, then two rounds of an estimate and a measurement


def test_benchmark_keeps_the_number_of_threads():
    seen, threads = set(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        benchmark(lambda: seen.add(torch.get_num_threads()), seconds=0.001)
        assert seen == {2}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_benchmark_waits_for_an_accelerator_after_each_call(monkeypatch):
    events = []
    machine(monkeypatch, cuda=1)
    monkeypatch.setattr(
        torch.accelerator, "synchronize", lambda *device: events.append(device or "clock")
    )
    benchmark(lambda: events.append("call"), "cuda", seconds=0.001)
    calls = [i for i, event in enumerate(events) if event == "call"]
    assert len(calls) > 2
    assert all(events[i + 1] == (torch.device("cuda:0"),) for i in calls)


@pytest.mark.parametrize(("device", "seconds"), [("cpu", 0), ("cpu", float("nan")), ("gpu", 0.1)])
def test_benchmark_refuses(device, seconds):
    with pytest.raises(ValueError, match="must be"):
        benchmark(lambda: None, device, seconds=seconds)


def test_benchmark_prints_no_notice_and_is_imported_only_when_used():
    code = (
        "import sys; from course_utils.device import benchmark; "
        "assert 'torch.utils.benchmark' not in sys.modules; benchmark(int, seconds=0.01)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
