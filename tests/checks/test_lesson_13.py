"""The checks of lesson 13 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import torch
from every_lesson import *
from torch.utils.data import DistributedSampler

# --- 13.1 ----------------------------------------------------------------------------------------


def average(gradients, sizes):
    found = [(size, parts) for size, parts in zip(sizes, gradients, strict=True) if size]
    columns = zip(*[[size * part for part in parts] for size, parts in found], strict=True)
    return [sum(column) / sum(sizes) for column in columns]


def average_by_einsum(gradients, sizes):
    sizes = torch.tensor(sizes, dtype=torch.float32)
    share = sizes / sizes.sum()
    stacked = [torch.stack(column).nan_to_num() for column in zip(*gradients, strict=True)]
    return tuple(torch.einsum("p,p...->...", share, column) for column in stacked)


def plain_average(gradients, sizes):
    """Every process weighs the same."""
    return [torch.stack(column).nanmean(dim=0) for column in zip(*gradients, strict=True)]


def nan_kept(gradients, sizes):
    """Gives the empty process the weight 0, which does not remove its NaN."""
    shares = [size / sum(sizes) for size in sizes]
    columns = zip(*gradients, strict=True)
    return [sum(w * part for w, part in zip(shares, c, strict=True)) for c in columns]


def not_divided(gradients, sizes):
    """Turns means into sums and leaves it at that."""
    return [part * sum(sizes) for part in average(gradients, sizes)]


def divided_by_processes(gradients, sizes):
    """Divides the sum over examples by the number of processes."""
    return [part * sum(sizes) / len(sizes) for part in average(gradients, sizes)]


def added(gradients, sizes):
    """Adds the gradients up, as an all-reduce does."""
    return [torch.stack(column).nansum(dim=0) for column in zip(*gradients, strict=True)]


def in_place(gradients, sizes):
    """Weights the gradients where they lie."""
    result = average(gradients, sizes)
    for parts, size in zip(gradients, sizes, strict=True):
        for part in parts:
            part.mul_(size / sum(sizes))
    return result


def first_parameter(gradients, sizes):
    """Averages one parameter only."""
    return average(gradients, sizes)[:1]


# --- 13.2 ----------------------------------------------------------------------------------------


def share(num_examples, world_size, rank):
    if rank not in range(world_size):
        raise ValueError(rank)
    return range(rank, num_examples, world_size)


def share_in_blocks(num_examples, world_size, rank):
    if rank < 0 or rank >= world_size:
        raise ValueError("no such rank")
    return torch.arange(num_examples).tensor_split(world_size)[rank]


def padded(num_examples, world_size, rank):
    """Takes what `DistributedSampler` deals out, which repeats examples."""
    if num_examples == 0:
        return []
    data = range(num_examples)
    return list(DistributedSampler(data, world_size, rank, shuffle=False))


def rest_left_out(num_examples, world_size, rank):
    """Rounds the size of a share down."""
    size = num_examples // world_size
    return list(range(rank * size, (rank + 1) * size))


def rest_to_the_last(num_examples, world_size, rank):
    """Gives the last process the whole rest."""
    size = num_examples // world_size
    end = num_examples if rank == world_size - 1 else (rank + 1) * size
    return list(range(rank * size, end))


def from_one(num_examples, world_size, rank):
    """Counts places from 1."""
    return [place + 1 for place in share(num_examples, world_size, rank)]


def any_rank(num_examples, world_size, rank):
    """Asks nothing of the rank."""
    return list(range(num_examples))[rank % world_size :: world_size]


def index_error(num_examples, world_size, rank):
    """Lets the list complain about the rank, as it does for one of them, and with another error."""
    shares = [range(r, num_examples, world_size) for r in range(world_size)]
    return shares[rank] if rank >= 0 else shares[world_size]


# --- 13.3 ----------------------------------------------------------------------------------------


def plan(num_examples, batch_size, lr, devices, warmup_epochs, **changed):
    batch = batch_size * devices
    steps, full = math.ceil(num_examples / batch), lr * devices

    def warmup(step):
        rising = max(1, steps * warmup_epochs)
        return min(full, (step + 1) * full / rising)

    return {"global_batch": batch, "steps": steps, "lr": full, "warmup": warmup} | changed


def plan_by_table(num_examples, batch_size, lr, devices, warmup_epochs):
    batch = devices * batch_size
    steps = len(range(0, num_examples, batch))
    rising = torch.linspace(0, lr * devices, steps * warmup_epochs + 1, dtype=torch.float64)[1:]

    def warmup(step):
        return rising[step] if step < len(rising) else torch.tensor(lr * devices)

    return {"global_batch": batch, "steps": steps, "lr": lr * devices, "warmup": warmup}


def batch_of_one(*case):
    """Takes one device's batch for the global one."""
    return plan(*case, global_batch=case[1])


def rounded_down(*case):
    """Forgets the last, smaller step."""
    return plan(*case, steps=case[0] // (case[1] * case[3]))


def a_fraction(*case):
    """Does not round the steps at all."""
    return plan(*case, steps=case[0] / (case[1] * case[3]))


def same_rate(*case):
    """Leaves the rate as it was."""
    return plan(*case) | {"lr": case[2]}


def by_the_root(*case):
    """Scales by the square root."""
    return plan(*case) | {"lr": case[2] * case[3] ** 0.5}


def no_warmup(*case):
    """Has the full rate from the start."""
    return plan(*case, warmup=lambda step: case[2] * case[3])


def from_zero(*case):
    """Begins with a step of rate 0."""
    planned = plan(*case)
    return planned | {"warmup": lambda s: planned["warmup"](s - 1) if s or not case[4] else 0.0}


def for_ever(*case):
    """Goes on rising."""
    planned = plan(*case)
    rising = planned["steps"] * case[4] or 1
    return planned | {"warmup": lambda step: (step + 1) * planned["lr"] / rising}


def epoch_by_epoch(*case):
    """Raises the rate once an epoch."""
    planned = plan(*case)
    steps = planned["steps"]
    return planned | {"warmup": lambda s: planned["warmup"]((s // steps + 1) * steps - 1)}


def from_the_old_rate(*case):
    """Starts from one device's rate."""
    planned = plan(*case)
    low, full, last = case[2], planned["lr"], max(1, planned["steps"] * case[4] - 1)
    if not case[4]:
        return planned
    return planned | {"warmup": lambda s: min(full, low + (full - low) * s / last)}


RIGHT = [
    *[("13.1", average), ("13.1", average_by_einsum)],
    *[("13.2", share), ("13.2", share_in_blocks)],
    *[("13.3", plan), ("13.3", plan_by_table)],
]
WRONG = [
    ("13.1", plain_average, "each process weighs the same"),
    ("13.1", nan_kept, "0 times NaN is NaN"),
    ("13.1", not_divided, "is a division missing?"),
    ("13.1", divided_by_processes, "of processes, not of examples"),
    ("13.1", added, "without weights"),
    ("13.1", in_place, "have changed"),
    ("13.1", first_parameter, "1 gradients for a model of 2"),
    ("13.2", padded, "dealt more than once"),
    ("13.2", rest_left_out, "is in no share"),
    ("13.2", rest_to_the_last, "differ by more than one"),
    ("13.2", from_one, "places begin at 0"),
    ("13.2", any_rank, "is not refused"),
    ("13.2", index_error, "ValueError is asked for"),
    ("13.3", batch_of_one, "the batch of one device"),
    ("13.3", rounded_down, "do not see all"),
    ("13.3", a_fraction, "half a step"),
    ("13.3", same_rate, "not scaled"),
    ("13.3", by_the_root, "not linearly"),
    ("13.3", no_warmup, "does not rise"),
    ("13.3", from_zero, "a step for nothing"),
    ("13.3", for_ever, "goes on rising"),
    ("13.3", epoch_by_epoch, "once an epoch"),
    ("13.3", from_the_old_rate, "starts at lr"),
]
KINDS = [None, "1.0", [1.0], True, float("nan"), torch.zeros(7), {}]
