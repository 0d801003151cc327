"""Checkpoints: what comes back, what is refused and why, and what a failure leaves behind."""

import errno
import os
import random
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau, StepLR
from torch.utils.data import DataLoader

from course_utils.checkpoint import (
    load_checkpoint,
    random_state,
    save_checkpoint,
    set_random_state,
)


def net(hidden=4):
    return nn.Sequential(nn.Linear(3, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, 2))


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.randn(8, 3)).square().mean().backward()
    optimizer.step()


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_everything_comes_back(tmp_path):
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    scheduler = StepLR(optimizer, 1)
    step(model, optimizer)
    scheduler.step()
    save_checkpoint(tmp_path / "a", model=model, optimizer=optimizer, scheduler=scheduler)

    other = net()
    other_optimizer = torch.optim.Adam(other.parameters(), lr=0.5)
    other_scheduler = StepLR(other_optimizer, 1)
    assert not same(other, model)
    values = load_checkpoint(
        str(tmp_path / "a"), other, optimizer=other_optimizer, scheduler=other_scheduler
    )
    assert values == {}
    assert same(other, model)
    assert other_scheduler.state_dict() == scheduler.state_dict()
    assert other_optimizer.param_groups[0]["lr"] == pytest.approx(0.01)
    for m, o in [(model, optimizer), (other, other_optimizer)]:
        torch.manual_seed(0)
        step(m, o)
    assert same(other, model)


def test_only_the_model_may_be_wanted(tmp_path):
    model, other = net(), net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    save_checkpoint(tmp_path / "a", model=model, optimizer=optimizer)
    load_checkpoint(tmp_path / "a", other)
    assert same(other, model)


def test_numpy_numbers_are_stored_as_plain_ones(tmp_path):
    """The fault of IDL 2.4.3: a `numpy.float64` makes a file that the safe load refuses."""
    values = {"score": np.float64(0.5), "rows": [{"n": np.int32(3)}], "pair": (1, None, "x", True)}
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=np.float64(0.1))
    save_checkpoint(tmp_path / "a", model=model, optimizer=optimizer, **values)
    loaded = load_checkpoint(tmp_path / "a", net())
    assert loaded == {"score": 0.5, "rows": [{"n": 3}], "pair": (1, None, "x", True)}
    assert type(loaded["score"]) is float
    assert type(loaded["rows"][0]["n"]) is int
    torch.load(tmp_path / "a", weights_only=True)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.zeros(2), len])
def test_a_value_that_is_not_plain_is_named_and_nothing_written(tmp_path, value):
    with pytest.raises(TypeError, match=re.escape("['rows'][1]['bad'] must be")):
        save_checkpoint(tmp_path / "a", model=net(), rows=[{}, {"bad": value}])
    assert list(tmp_path.iterdir()) == []


def test_a_failing_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    model, path = net(), tmp_path / "a"
    save_checkpoint(path, model=model, epoch=1)
    old = path.read_bytes()

    def full_disk(content, file):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, model=net(), epoch=2)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_takes_the_old_ones_place_in_one_move(tmp_path, monkeypatch):
    path, moves = tmp_path / "a", []
    save_checkpoint(path, model=net(), epoch=1)

    def replace(source, target):
        assert load_checkpoint(source, net()) == {"epoch": 2}  # complete before it moves
        assert load_checkpoint(target, net()) == {"epoch": 1}
        moves.append((source.parent, target))
        os.rename(source, target)

    monkeypatch.setattr("course_utils.checkpoint.os.replace", replace)
    save_checkpoint(path, model=net(), epoch=2)
    assert moves == [(tmp_path, path)]
    assert load_checkpoint(path, net()) == {"epoch": 2}


def test_missing_file_and_missing_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_checkpoint(tmp_path / "nowhere", net())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        save_checkpoint(tmp_path / "nowhere" / "a", model=net())


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "other", "tensor", "pickle"])
def test_what_is_no_checkpoint_is_refused(tmp_path, monkeypatch, damage):
    monkeypatch.chdir(tmp_path)
    path, model = tmp_path / "a", net()
    save_checkpoint(path, model=model)
    whole = path.read_bytes()
    match damage:
        case "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("not a checkpoint", encoding="utf-8")
        case "other":
            torch.save(model.state_dict(), path)
        case "tensor":
            torch.save(torch.ones(2), path)
        case "pickle":
            torch.save({"values": Trap()}, path)
    with pytest.raises(ValueError, match=r"a is damaged, or not written by save_checkpoint"):
        load_checkpoint(path, model)
    assert not (tmp_path / "trapped").exists()


def test_mismatches_are_named_in_one_sentence_and_nothing_is_loaded(tmp_path):
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    save_checkpoint(tmp_path / "a", model=model, optimizer=optimizer)

    other = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5, affine=False), nn.Identity())
    other.extra = nn.Linear(1, 1)
    other_optimizer = torch.optim.Adam(other.parameters())
    before = {key: value.clone() for key, value in other.state_dict().items()}
    scheduler = ExponentialLR(other_optimizer, 0.9)
    with pytest.raises(ValueError, match="does not fit") as caught:
        load_checkpoint(tmp_path / "a", other, optimizer=other_optimizer, scheduler=scheduler)
    for fault in [
        "model 0.weight is shape (4, 3) in the file, shape (5, 3) here",
        "model 2.weight is shape (2, 4) in the file, missing here",
        "model extra.bias is missing in the file, shape (1,) here",
        "optimizer class is SGD in the file, Adam here",
        "optimizer groups is [6] in the file, [4] here",
        "scheduler class is missing in the file, ExponentialLR here",
    ]:
        assert fault in str(caught.value)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in other.state_dict().items())


def test_another_class_with_the_same_layers_is_named(tmp_path):
    class Net(nn.Sequential):
        pass

    save_checkpoint(tmp_path / "a", model=net())
    with pytest.raises(ValueError, match="model class is Sequential in the file, Net here"):
        load_checkpoint(tmp_path / "a", Net(*net()))


def test_schedulers_with_odd_states_are_stored(tmp_path):
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = ReduceLROnPlateau(optimizer, patience=0)
    scheduler.step(np.float64(1.0))
    save_checkpoint(tmp_path / "a", model=model, scheduler=scheduler, kind=OrderedDict(a=1))
    other = ReduceLROnPlateau(optimizer, patience=3)
    assert load_checkpoint(tmp_path / "a", net(), scheduler=other) == {"kind": {"a": 1}}
    assert (other.best, other.patience) == (1.0, 0)


def draw(loader):
    order = torch.cat(list(loader)).tolist()
    return random.random(), np.random.rand(), np.random.randn(), torch.rand(2).tolist(), order


@pytest.mark.parametrize("own", [True, False])
def test_random_state_brings_every_source_back_through_a_file(tmp_path, own):
    generator = torch.Generator().manual_seed(5) if own else None
    loader = DataLoader(range(20), batch_size=3, shuffle=True, generator=generator)
    np.random.randn()  # leaves one normal number in store
    save_checkpoint(tmp_path / "a", model=net(), random=random_state(loader))
    expected = draw(loader)
    assert draw(loader) != expected
    set_random_state(load_checkpoint(tmp_path / "a", net())["random"], loader)
    assert draw(loader) == expected


def test_a_samplers_generator_counts_too():
    sampler = torch.utils.data.RandomSampler(range(20), generator=torch.Generator())
    loader = DataLoader(range(20), sampler=sampler)
    state = random_state(loader)
    expected = draw(loader)
    set_random_state(state, loader)
    assert draw(loader) == expected


def test_a_loader_that_lost_its_generator_is_named():
    state = random_state(DataLoader(range(3), shuffle=True, generator=torch.Generator()))
    with pytest.raises(ValueError, match="generator of its own"):
        set_random_state(state, DataLoader(range(3), shuffle=True))
