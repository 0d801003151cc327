"""Checks of the exercises of lesson 13, training with several devices; none starts a process."""

import math

import torch

from course_utils.checks import close, exercise, require, require_number, require_tensor


def _gradients(sizes, generator):
    """For each process the gradients of two parameters; NaN where it had no examples."""
    shapes = ((3, 2), (4,))
    found = [[torch.randn(shape, generator=generator) for shape in shapes] for _ in sizes]
    for parts, size in zip(found, sizes, strict=True):
        if size == 0:
            for part in parts:
                part.fill_(math.nan)
    return found


@exercise(
    "13.1",
    "Average the gradients of unequal parts",
    "What would each process send if it sent sums over its examples instead of means?",
    "An example must weigh the same in whatever process it was. How much does then a process "
    "weigh that had 2 of 10 examples?",
    "What is `0 * float('nan')`? A process that had nothing must not enter the sum at all.",
)
def check_average(average_gradients, generator):
    for sizes in ([5, 5], [2, 8], [7, 1, 4], [3, 0, 9], [0, 6]):
        gradients = _gradients(sizes, generator)
        given = [[part.clone() for part in parts] for parts in gradients]
        result = average_gradients(given, list(sizes))
        kind = type(result).__name__
        require(isinstance(result, list | tuple), f"a list of tensors is asked for, not {kind}")
        require(len(result) == 2, f"{len(result)} gradients for a model of 2 parameters")
        pairs = [
            torch.equal(a.nan_to_num(9.0), b.nan_to_num(9.0))
            for parts, before in zip(given, gradients, strict=True)
            for a, b in zip(parts, before, strict=True)
        ]
        require(all(pairs), "the gradients that were given have changed")
        case = f"sizes {sizes}"
        spoiled = any(isinstance(r, torch.Tensor) and bool(r.isnan().any()) for r in result)
        require(not spoiled, f"{case}: NaN in the result; 0 times NaN is NaN")
        filled = [i for i, size in enumerate(sizes) if size]
        stacked = [torch.stack([gradients[i][k] for i in filled]).double() for k in range(2)]
        weights = torch.tensor([sizes[i] for i in filled], dtype=torch.float64)
        for k, parts in enumerate(stacked):
            value = require_tensor(result[k], gradients[0][k], f"gradient {k}")
            scaled = (weights.view(-1, *[1] * (parts.ndim - 1)) * parts).sum(dim=0)
            right = scaled / weights.sum()
            if close(value, right):
                continue
            for wrong, mistake in (
                (parts.mean(dim=0), "each process weighs the same, however many examples it had"),
                (parts.sum(dim=0) / len(sizes), "that divides by the number of processes"),
                (parts.sum(dim=0), "the processes are added, without weights"),
                (scaled, "the gradient of the sum over examples: is a division missing?"),
                (scaled / len(sizes), "divided by the number of processes, not of examples"),
                (scaled / len(filled), "divided by the number of processes, not of examples"),
                (
                    (parts / weights.view(-1, *[1] * (parts.ndim - 1))).sum(dim=0),
                    "who had more examples weighs less: is it divided by the size?",
                ),
            ):
                require(not close(value, wrong), f"{case}: {mistake}")
            require(False, f"{case}: not the gradient of the mean over all examples")


def _places(value, case):
    """The places in a share, as a list of whole numbers."""
    require(value is not None, f"{case} gives None: is a `return` missing?")
    value = value.tolist() if isinstance(value, torch.Tensor) else value
    kind = type(value).__name__
    require(isinstance(value, list | tuple | range), f"{case} must give a list, not {kind}")
    whole = all(isinstance(place, int) and not isinstance(place, bool) for place in value)
    require(whole, f"{case} must give whole numbers, not such as {next(iter(value), None)!r}")
    return list(value)


@exercise(
    "13.2",
    "Deal out a data set, each example once",
    "Deal cards: who gets card 0, card 1, card 4, if there are four players?",
    "`range` takes a start, an end and a step. Which of the three is `num_examples`?",
    "`range` also takes a start of -1 or beyond the end without complaint. Who has to complain?",
)
def check_share(share, generator):
    for num_examples, world_size in ((8, 2), (7, 2), (10, 4), (11, 4), (2, 4), (5, 1), (0, 3)):
        shares = [
            _places(share(num_examples, world_size, rank), f"share{num_examples, world_size, rank}")
            for rank in range(world_size)
        ]
        case = f"{num_examples} examples, {world_size} processes"
        dealt = [place for places in shares for place in places]
        beyond = [place for place in dealt if not 0 <= place < num_examples]
        require(not beyond, f"{case}: there is no place {beyond[:1]}; places begin at 0")
        twice = sorted({place for place in dealt if dealt.count(place) > 1})
        require(not twice, f"{case}: place {twice[:1]} is dealt more than once")
        lost = sorted(set(range(num_examples)) - set(dealt))
        require(not lost, f"{case}: place {lost[:1]} is in no share")
        sizes = [len(places) for places in shares]
        require(max(sizes) - min(sizes) <= 1, f"{case}: sizes {sizes} differ by more than one")
    for rank in (-1, 4):
        try:
            share(10, 4, rank)
        except ValueError:
            continue
        except NotImplementedError:
            raise
        except Exception as error:
            require(False, f"rank {rank} of 4: {type(error).__name__}, ValueError is asked for")
        require(False, f"rank {rank} of 4 is not refused")


@exercise(
    "13.3",
    "Plan a run for more devices",
    "All devices together take one step. How many examples is that, and how many such portions "
    "has an epoch, the last and smaller one counted too?",
    "The linear scaling rule: what happens to the rate when the batch becomes k times as large?",
    "Count the steps of the warmup. If it has four and the full rate is 8, the rates are 2, 4, 6, "
    "8. Which formula of the step gives them, and what keeps it at 8 afterwards?",
)
def check_plan(plan, generator):
    for case in (
        (1000, 10, 0.1, 4, 2),
        (1050, 10, 0.02, 4, 1),
        (999, 32, 0.05, 1, 3),
        (90, 16, 0.01, 8, 2),
        (640, 8, 0.3, 2, 0),
    ):
        num_examples, batch_size, lr, devices, epochs = case
        planned = plan(*case)
        require(planned is not None, "what `plan` returns is None: is a `return` missing?")
        kind = type(planned).__name__
        require(isinstance(planned, dict), f"a dict is asked for, not {kind}")
        names = {"global_batch", "steps", "lr", "warmup"}
        require(names <= set(planned), f"the dict has no {sorted(names - set(planned))}")
        asked = f"plan{case}"
        batch = require_number(planned["global_batch"], "global_batch")
        require(batch != batch_size or devices == 1, f"{asked}: that is the batch of one device")
        require(batch == batch_size * devices, f"{asked}: a global batch of {batch:g} is wrong")
        steps, exact = require_number(planned["steps"], "steps"), num_examples / batch
        require(steps == int(steps), f"{asked}: {steps:g} steps; half a step cannot be taken")
        whole = math.ceil(exact)
        require(steps >= whole, f"{asked}: {steps:g} steps do not see all {num_examples} examples")
        require(steps == whole, f"{asked}: {steps:g} steps are more than an epoch has")
        rate, full = require_number(planned["lr"], "lr"), lr * devices
        require(devices == 1 or not close(rate, lr), f"{asked}: the rate is not scaled")
        root = lr * math.sqrt(devices)
        require(devices == 1 or not close(rate, root), f"{asked}: scaled by the root, not linearly")
        require(close(rate, full), f"{asked}: a rate of {rate:g} is not {devices} times {lr:g}")
        require(callable(planned["warmup"]), "warmup must be a function of the step")
        _check_warmup(planned["warmup"], whole, whole * epochs, full, lr, asked)


def _check_warmup(warmup, steps, rising, full, lr, asked):
    rates = [require_number(warmup(step), f"warmup({step})") for step in range(rising + steps)]
    right = [full * min(1, (i + 1) / rising) if rising else full for i in range(rising + steps)]
    if close(torch.tensor(rates), torch.tensor(right)):
        return
    require(rising or rates[0], f"{asked}: without warmup, step 0 has the full rate")
    constant = close(torch.tensor(rates), torch.full((len(rates),), full))
    require(not constant, f"{asked}: the rate does not rise, it is full from step 0")
    require(rates[0] != 0, f"{asked}: step 0 has rate 0, a step for nothing; steps count from 0")
    rises = rising > steps and close(rates[0], rates[steps - 1])
    require(not rises, f"{asked}: it rises once an epoch, not from step to step")
    require(max(rates) <= full * 1.0001, f"{asked}: it goes on rising beyond the full rate")
    if rising > 1:
        require(
            not close(rates[0], lr) or close(right[0], lr), f"{asked}: it starts at lr, not low"
        )
        late = not close(rates[rising - 1], full)
        require(not late, f"{asked}: the last step of the warmup has not the full rate")
    require(False, f"{asked}: warmup gives {rates[0]:g} in step 0, not {right[0]:g}")
