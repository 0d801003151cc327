"""Checks of the exercises of lesson 06, classification and better training code."""

import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import TensorDataset

from course_utils.checkpoint import load_checkpoint, save_checkpoint
from course_utils.checks import (
    close,
    exercise,
    require,
    require_functions,
    require_number,
    require_tensor,
)
from course_utils.metrics import accuracy, most_likely
from course_utils.training import predict, train


@exercise(
    "06.1",
    "AUC as a metric",
    "`roc_auc_score(targets, scores)` wants one score an example, higher where class 1 is more "
    "likely. `outputs` has two numbers an example: which one number do they amount to?",
    "Add 5 to both outputs of an example. Its probabilities stay. Does your score stay too?",
    "What turns two outputs into probabilities that add up to 1, and along which axis? Print the "
    "shape of what you pass on: it must be (N,).",
)
def check_auc(auc, generator):
    from sklearn.metrics import roc_auc_score

    for num_samples, share in ((60, 0.5), (200, 0.2), (41, 0.7), (100, 0.4)):
        targets = (torch.rand(num_samples, generator=generator) < share).long()
        targets[:2] = torch.tensor([0, 1])
        noise = torch.randn(2, num_samples, generator=generator)
        margin = 1.5 * targets + 1.5 * noise[0] - 0.5
        common = 3 * noise[1]  # in both outputs alike, so it changes no probability
        outputs = torch.stack([common, common + margin], dim=1)
        given = targets.clone(), outputs.clone()
        value = require_number(auc(*given), "what `auc` returns")
        untouched = torch.equal(given[0], targets) and torch.equal(given[1], outputs)
        require(untouched, "the targets or the outputs themselves were changed")
        right = roc_auc_score(targets, margin)
        if close(value, right, 0, 5e-4):
            continue
        decisions = outputs.argmax(dim=1)
        surest = outputs.softmax(dim=1).amax(dim=1)
        for wrong, mistake in (
            (1 - right, "upside down: where class 1 is likely, the score must be high, not low"),
            (
                roc_auc_score(targets, outputs[:, 1]),
                "it goes by class 1's output alone; so does a softmax along the examples",
            ),
            (roc_auc_score(targets, outputs[:, 0]), "it goes by class 0's output alone"),
            (
                roc_auc_score(targets, decisions),
                "it goes by decisions: how sure the model is has been lost on the way",
            ),
            (
                roc_auc_score(targets, surest),
                "it goes by the larger probability, of whichever class",
            ),
            (accuracy(targets, decisions), "that is the accuracy"),
            (100 * right, "that is in percent"),
        ):
            require(not close(value, wrong, 0, 1e-6), mistake)
        case = f"{num_samples} examples, {int(targets.sum())} of class 1"
        require(False, f"{case}: {value:.4f} is not the area under the ROC curve")


class _Batches:
    """A loader of the same batches in the same order, which counts what it gives."""

    def __init__(self, batches):
        self.batches, self.passes, self.given = batches, 0, 0

    def __iter__(self):
        self.passes += 1
        for inputs, targets in self.batches:
            self.given += 1
            yield inputs.clone(), targets.clone()

    def __len__(self):
        return len(self.batches)


def _run(generator, make_optimizer):
    """A small model with its optimizer, and three batches of two classes."""
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    inputs = torch.randn(3, 8, 3, generator=generator)
    batches = [(x, (x.sum(dim=1) > 0).long()) for x in inputs]
    return model, make_optimizer(model.parameters()), batches


def _with_momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=0.05)


def _continue(model, optimizer, batches, epochs, zero=True):
    """Train copies of both; return the copies."""
    model, optimizer = copy.deepcopy((model, optimizer))  # together, so that they stay linked
    for _ in range(epochs):
        for inputs, targets in batches:
            loss = nn.functional.cross_entropy(model(inputs), targets)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model, optimizer


def _same(model, other, exactly=False):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    equal = torch.equal if exactly else close
    return all(equal(value, expected) for value, expected in pairs)


@exercise(
    "06.2",
    "Resume an interrupted training",
    "Ask `help(load_checkpoint)`. What must be handed to it besides the model, and which of the "
    "values that it returns do you need?",
    "Momentum, or Adam's averages: what an optimizer remembers of earlier steps is part of the "
    "training's state.",
    "If the epochs 1 to 20 are done and 30 are asked for, which is the next, and which the last? "
    "Write down the `range` for it. What does it give if nothing is missing?",
)
def check_resume(resume, generator):
    cases = ((_with_momentum, 3, 7), (_adam, 2, 6), (_with_momentum, 4, 5), (_adam, 3, 3))
    for make_optimizer, done, epochs in cases:
        saved = _run(generator, make_optimizer)
        batches = saved[2]
        saved_model, saved_optimizer = _continue(*saved, done)
        whole, _ = _continue(saved_model, saved_optimizer, batches, epochs - done)
        fresh_model, fresh_optimizer, _ = _run(generator, make_optimizer)
        model, optimizer = copy.deepcopy((fresh_model, fresh_optimizer))
        loader = _Batches(batches)
        case = f"{done} epochs done, {epochs} asked for"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "run.pt")
            parts = {"model": saved_model, "optimizer": saved_optimizer}
            save_checkpoint(path, **parts, epoch=done)
            loss_fn = nn.CrossEntropyLoss()
            result = resume(path, model, loss_fn, optimizer, loader, epochs)
        _require_passes(loader, done, epochs, case)
        if not _same(model, whole):
            half_loaded = _half_loaded(fresh_model, fresh_optimizer, saved_model, saved_optimizer)
            for words, start in half_loaded.items():
                wrong, _ = _continue(*start, batches, epochs - done)
                require(not _same(model, wrong), f"{case}: {words}")
            wrong, _ = _continue(saved_model, saved_optimizer, batches, epochs - done, zero=False)
            require(not _same(model, wrong), f"{case}: gradients of earlier batches add up")
            untrained = epochs > done and _same(model, saved_model)
            require(not untrained, f"{case}: the batches are asked for, but no step is taken")
            require(False, f"{case}: the weights are not those of a run without interruption")
        exact = _same(model, whole, exactly=True)
        require(exact, f"{case}: the weights are near those of the whole run, but not the same")
        _require_epochs(result, done, epochs, case)


def _require_passes(loader, done, epochs, case):
    passes, missing = loader.passes, epochs - done
    require(passes != epochs or done == 0, f"{case}: it trains {epochs} more; those done count too")
    told = f"it trains for {passes} epochs where {missing} are missing"
    require(abs(passes - missing) != 1, f"{case}: off by one: {told}")
    require(passes == missing, f"{case}: {told}")
    whole = loader.given == passes * len(loader)
    require(whole, f"{case}: not all batches of an epoch are used")


def _half_loaded(fresh_model, fresh_optimizer, saved_model, saved_optimizer):
    """Starts at which something saved is not loaded, by what the check says."""
    no_optimizer = copy.deepcopy((fresh_model, fresh_optimizer))
    no_optimizer[0].load_state_dict(saved_model.state_dict())
    no_model = copy.deepcopy((fresh_model, fresh_optimizer))
    no_model[1].load_state_dict(copy.deepcopy(saved_optimizer.state_dict()))
    nothing = fresh_model, fresh_optimizer
    memory = "the optimizer has forgotten the earlier steps: its state is not loaded"
    return {
        memory: no_optimizer,
        "it starts from the new model's weights, not from the saved ones": no_model,
        "it starts from the new weights: neither model nor optimizer is loaded": nothing,
    }


def _require_epochs(result, done, epochs, case):
    require(result is not None, "it returns None instead of a list: is a `return` missing?")
    listed = isinstance(result, list | tuple | range)
    require(listed, f"it must return the list of epochs that it ran, not {result!r}")
    ran, expected = (
        [require_number(epoch, "an epoch") for epoch in result],
        [*range(done + 1, epochs + 1)],
    )
    require(
        ran != [epoch - 1 for epoch in expected] or not expected,
        f"{case}: the first epoch that it names, {done}, was done before; they count from 1",
    )
    require(ran == expected, f"{case}: it names the epochs {list(result)}, but ran {expected}")


@exercise(
    "06.3",
    "A checkpoint every few epochs",
    "`checkpoint_every` runs once, before the training. What it returns is a function that runs "
    "after each epoch: define it inside, with `def`, and return it without calling it.",
    "`row['epoch']` tells which epoch has ended, from 1 on. For which epochs is the remainder of "
    "dividing it by `every` the one that you want?",
    "`f'{7:03d}'` is `007`. With `/`, a `Path` and a name make a path.",
    "To continue from a file, one needs more than the model: see the exercise before.",
)
def check_checkpoint_every(checkpoint_every, generator):
    for every, epochs in ((2, 7), (3, 9), (1, 3), (5, 4), (4, 12)):
        model, optimizer, batches = _run(generator, _with_momentum)
        states = {0: copy.deepcopy(model.state_dict())}
        with tempfile.TemporaryDirectory() as folder:
            after_epoch = checkpoint_every(every, Path(folder), model, optimizer)
            a_function = callable(after_epoch)
            require(a_function, f"it must return a function of one row, not {after_epoch!r}")

            def end_of_epoch(row, after_epoch=after_epoch, states=states, model=model):
                after_epoch(dict(row))
                states[row["epoch"]] = copy.deepcopy(model.state_dict())

            options = {"epochs": epochs, "on_epoch_end": end_of_epoch, "progress": False}
            train(model, nn.CrossEntropyLoss(), optimizer, batches, **options)
            case = f"every {every} of {epochs} epochs"
            _require_names(
                sorted(path.name for path in Path(folder).iterdir()), every, epochs, case
            )
            for path in sorted(Path(folder).iterdir()):
                _require_content(path, states, generator)


def _require_names(names, every, epochs, case):
    def named(epochs):
        return [f"epoch_{epoch:03d}.pt" for epoch in epochs]

    due = [*range(every, epochs + 1, every)]
    if names == named(due):
        return
    told = f"{case}: {len(names)} files, " + ", ".join(names[:3]) + (", …" if names[3:] else "")
    require(names, f"{case}: no file is written")
    one = len(names) == 1 and len(due) > 1
    require(not one, f"{case}: one file, {names[0]}: each checkpoint replaces the one before")
    unpadded = sorted(f"epoch_{epoch}.pt" for epoch in due)
    require(names != unpadded, f"{told}: the number must have three digits")
    from_zero = names == named([epoch - 1 for epoch in due])
    require(not from_zero, f"{told}: one too low; or are epochs counted from 0?")
    require(names != named(range(1, epochs + 1)), f"{told}: there is one for every epoch")
    shifted = names == named(range(1, epochs + 1, every))
    require(not shifted, f"{told}: the first one is due after epoch {every}")
    require(names != named([*due, epochs]), f"{told}: the last epoch is saved though it is not due")
    counted = names == named(range(1, len(due) + 1))
    require(not counted, f"{told}: the files are numbered; name them by their epoch")
    require(False, f"{told}, where {', '.join(named(due)) or 'none'} should be")


def _require_content(path, states, generator):
    epoch, name = int(path.stem.removeprefix("epoch_")), path.name
    model, optimizer, _ = _run(generator, _with_momentum)
    try:
        values = load_checkpoint(path, model)
    except ValueError:
        require(False, f"{name} is not what `save_checkpoint` writes for a model")
    same = [number for number, state in states.items() if _equal_states(state, model)]
    require(same, f"{name} holds weights that the model never had at the end of an epoch")
    early = same == [0]
    require(not early, f"{name} holds the weights from before the training: copied too soon")
    right = same == [epoch]
    require(right, f"{name} holds the weights after epoch {same[0]}")
    try:
        load_checkpoint(path, model, optimizer=optimizer)
    except ValueError:
        require(False, f"{name} lacks the optimizer's state, so it cannot be continued from")
    told = values.get("epoch")
    require(told is not None, f"{name} does not hold its epoch: `epoch=` is missing")
    require(told == epoch, f"{name} says epoch {told!r}")


def _equal_states(state, model):
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@exercise(
    "06.4",
    "Benign or malignant",
    "First the places: a random order of 0 … N - 1 from a generator with the given seed, cut in "
    "two. The same places pick features and labels.",
    "Mean and standard deviation of each column: whose rows may go into them? Which sets are "
    "standardized by them?",
    "NumPy's numbers are float64, and `nn.Linear` holds float32. Which type does "
    "`CrossEntropyLoss` want for labels that are class indices?",
    "Such data need no large network. If the accuracy stays near 0.63, is the loss falling at all? "
    "Print it: learning rate, epochs, and whether `zero_grad`, `backward` and `step` are there.",
)
def check_breast_cancer(answer, generator):
    require_functions(answer, "make_sets", "fit")
    make_sets, fit = answer
    for num_samples in (200, 123, 250):
        features, labels, codes = _coded_features(num_samples, generator)
        kept = features.copy(), labels.copy()
        sets = _sets(make_sets(features, labels, seed=5), num_samples)
        same = np.array_equal(features, kept[0]) and np.array_equal(labels, kept[1])
        require(same, "`make_sets` changes the arrays that it was given")
        rows = [_rows_of(part.tensors[0], codes) for part in sets]
        _require_split(rows, num_samples)
        for part, places, name in zip(sets, rows, ("training", "test"), strict=True):
            belong = part.tensors[1].tolist() == labels[places].tolist()
            require(belong, f"in the {name} set labels and features of one row have come apart")
        _require_standardized(sets, rows, torch.from_numpy(features))
        again, other = (_sets(make_sets(*kept, seed=s), num_samples) for s in (5, 6))
        repeated = torch.equal(sets[1].tensors[0], again[1].tensors[0])
        require(repeated, "the same seed gives another split each time")
        differs = not torch.equal(sets[1].tensors[0], other[1].tensors[0])
        require(differs, "the split is the same, whatever the seed")
    _require_fit(make_sets, fit)


def _coded_features(num_samples, generator):
    """Features whose first eight columns spell out, in two values each, which row it is."""
    codes = torch.randperm(256, generator=generator)[:num_samples]
    bits = (codes[:, None] >> torch.arange(8)) & 1
    scale = 10.0 ** (torch.arange(8) % 4 - 1)  # 0.1 to 100
    coded = scale * (bits + 3)
    drawn = torch.randn(num_samples, 4, generator=generator).exp() * torch.tensor([0.1, 1, 9, 500])
    labels = (torch.rand(num_samples, generator=generator) < 0.6).long()
    return torch.cat([coded, drawn], dim=1).double().numpy(), labels.numpy(), codes


def _rows_of(inputs, codes):
    """Return the places in the original of the rows of a set, by their code."""
    coded = inputs[:, :8].double()
    low, high = coded.amin(dim=0), coded.amax(dim=0)
    near = torch.minimum(coded - low, high - coded) < 0.05 * (high - low) + 1e-12
    require(near.all(), "numbers of different columns are mixed: each column is scaled by itself")
    bits = (coded > (low + high) / 2).long()
    found = (bits << torch.arange(8)).sum(dim=1)
    places = {code: place for place, code in enumerate(codes.tolist())}
    known = all(code in places for code in found.tolist())
    require(known, "some rows are not rows of the features: their columns do not belong together")
    return [places[code] for code in found.tolist()]


def _sets(result, num_samples):
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, "`make_sets` must return two things: the training set and the test set")
    for part in result:
        kind = type(part).__name__
        require(isinstance(part, TensorDataset), f"a set must be a TensorDataset, not a {kind}")
        require(len(part.tensors) == 2, "a set must hold two tensors: features and labels")
        inputs, labels = part.tensors
        what = f"{inputs.dtype}; a linear layer's weights are float32"
        require(inputs.dtype == torch.float32, f"the features are {what}")
        wide = inputs.ndim == 2
        require(wide, f"the features have shape {tuple(inputs.shape)}, not (rows, columns)")
        require(labels.dtype == torch.int64, f"the labels are {labels.dtype}, not int64")
        flat = labels.ndim == 1
        require(flat, f"the labels have shape {tuple(labels.shape)}; one number a row is needed")
        require(bool(inputs.isfinite().all()), "the features hold NaN or infinity")
    sizes, share = [len(part) for part in result], 0.8 * num_samples
    case = f"of {num_samples} rows {sizes[0]} are for training and {sizes[1]} for testing"
    require(abs(sizes[1] - share) > 1, f"{case}: the other way round")
    require(abs(sizes[0] - share) < 1, f"{case}: the training set should be 80 %")
    return result


def _require_split(rows, num_samples):
    train_rows, test_rows = rows
    both = len(set(train_rows) & set(test_rows))
    require(not both, f"{both} rows are in both sets: nothing tested on them can be believed")
    twice = len(set(train_rows)) < len(train_rows) or len(set(test_rows)) < len(test_rows)
    require(not twice, "some rows are drawn more than once, and others never")
    all_there = len(train_rows) + len(test_rows) == num_samples
    require(all_there, f"of {num_samples} rows {len(train_rows) + len(test_rows)} are used")
    in_order = max(train_rows) < min(test_rows) or max(test_rows) < min(train_rows)
    require(not in_order, "the rows are cut in the order in which they came; draw a random order")


def _require_standardized(sets, rows, features):
    def scaled(part, by, correction=0, power=1):
        return (part - by.mean(dim=0)) / by.std(dim=0, correction=correction) ** power

    train_part, test_part = (features[places] for places in rows)
    found = [part.tensors[0].double() for part in sets]

    def are(index, expected):
        return torch.allclose(found[index], expected, rtol=1e-3, atol=1e-3)

    for correction in (0, 1):
        if are(0, scaled(train_part, train_part, correction)):
            own = are(1, scaled(test_part, test_part, 0)) or are(1, scaled(test_part, test_part, 1))
            require(not own, "the test set is standardized by its own mean and spread")
            require(not are(1, test_part), "the test set is not standardized")
            right = are(1, scaled(test_part, train_part, correction))
            require(right, "the test set is not scaled by what the training set was scaled by")
            return
    for correction in (0, 1):
        leak = are(0, scaled(train_part, features, correction))
        require(not leak, "test rows have gone into the mean and spread: the test set leaks")
        leak = are(0, scaled(train_part, test_part, correction))
        require(not leak, "the training set is standardized by the test set's mean and spread")
        variance = are(0, scaled(train_part, train_part, correction, power=2))
        require(not variance, "divided by the variance, not by its root")
    require(not are(0, train_part), "the features are not standardized")
    centered = are(0, train_part - train_part.mean(dim=0))
    require(not centered, "the means are subtracted, the spreads not divided by")
    whole = are(0, (train_part - train_part.mean()) / train_part.std())
    require(not whole, "one mean and one spread for all columns; each column has its own")
    require(False, "the training columns do not have mean 0 and standard deviation 1")


def _require_fit(make_sets, fit):
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    for seed in (0, 1):
        train_set, test_set = _sets(make_sets(features, labels, seed=seed), len(labels))
        torch.manual_seed(seed)
        model = fit(train_set)
        kind = type(model).__name__
        require(isinstance(model, nn.Module), f"`fit` must return the trained model, not a {kind}")
        inputs, targets = test_set.tensors
        outputs = predict(model, [(inputs, targets)])
        outputs = require_tensor(outputs, torch.empty(len(targets), 2), "the model's output")
        probabilities = bool((outputs >= 0).all()) and close(
            outputs.sum(1), torch.ones(len(targets))
        )
        require(not probabilities, "the model ends in softmax, which CrossEntropyLoss has inside")
        score = accuracy(targets, most_likely(outputs))
        common = targets.bincount().max().item() / len(targets)
        case = f"with seed {seed} the accuracy on the test set is {score:.3f}"
        require(score > common + 0.02, f"{case}, about that of always answering the same class")
        require(score >= 0.9, f"{case}; 0.9 is well within reach")


class _Timed(nn.Module):
    """A linear model that takes a known time for each training batch, and notes what it is fed."""

    pause = 2e-3  # seconds

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 2)
        self.start = copy.deepcopy(self.line.state_dict())
        self.batches = []  # of the first column, which numbers the examples

    def forward(self, inputs):
        if self.training and torch.is_grad_enabled():
            self.batches.append(inputs[:, 0].tolist())
            time.sleep(self.pause)
        return self.line(inputs * torch.tensor([0.0, 1.0, 1.0]))


@exercise(
    "06.5",
    "Batch sizes, powers of two",
    "The sizes first: begin with 2 and double as long as it is less than `len(train_set)`. Print "
    "them for 9, 16 and 20.",
    "What must be made anew for each size, so that no run goes on where another ended? What must "
    "come right before, so that all begin with the same weights?",
    "`train` returns a history. Its column `seconds` is the time since the run began, validation "
    "left out. Which row do you need, of which columns?",
    "A list of dicts, one a size, becomes a table with `pd.DataFrame(rows)`.",
)
def check_batch_sizes(batch_size_table, generator):
    for num_samples, epochs, lr in ((20, 2, 0.1), (16, 1, 0.1), (9, 3, 0.2), (5, 2, 0.0)):
        train_set = _numbered(num_samples, generator)
        val_set = _numbered(53, generator)  # no fraction of 53 is one of the training set
        models = []

        def make_model(models=models):
            models.append(_Timed())
            return models[-1]

        began = time.perf_counter()
        table = batch_size_table(make_model, train_set, val_set, epochs=epochs, lr=lr, seed=3)
        wall = time.perf_counter() - began
        case = f"for {num_samples} examples"
        sizes = [2**k for k in range(1, 10) if 2**k < num_samples]
        _require_table(table, sizes, num_samples, case)
        count = len(models)
        require(count != 1 or len(sizes) == 1, f"{case}: one model is trained on and on, for all")
        made = f"{case}: {count} models are made for {len(sizes)} batch sizes"
        require(count == len(sizes), made)
        for model, size in zip(models, sizes, strict=True):
            run = f"{case}, batch size {size}"
            _require_batches(model.batches, size, num_samples, epochs, run)
            moved = any(
                not torch.equal(v, model.start[n]) for n, v in model.line.state_dict().items()
            )
            require(
                moved or lr == 0, f"{run}: the model is not trained: has the optimizer its weights?"
            )
            require(not moved or lr > 0, f"{run}: with lr=0 the weights still change")
        starts = [torch.cat([v.flatten() for v in model.start.values()]) for model in models]
        equal = all(torch.equal(start, starts[0]) for start in starts)
        require(equal, f"{case}: the models begin with different weights: seed before each one")
        _require_accuracy(table, models, train_set, val_set, case)
        _require_seconds(table, models, wall, case)


def _numbered(num_samples, generator):
    inputs = torch.randn(num_samples, 3, generator=generator)
    targets = (inputs[:, 1] + 0.8 * torch.randn(num_samples, generator=generator) > 0).long()
    inputs[:, 0] = torch.arange(num_samples)
    return TensorDataset(inputs, targets)


def _require_table(table, sizes, num_samples, case):
    require(table is not None, "it returns None: is a `return` missing?")
    kind = type(table).__name__
    require(isinstance(table, pd.DataFrame), f"it must return a DataFrame, not a {kind}")
    lacking = [name for name in ("batch_size", "seconds", "accuracy") if name not in table]
    require(not lacking, f"the table has no column {', '.join(lacking)}, but {list(table)}")
    found = table["batch_size"].tolist()
    told = f"{case} the batch sizes are {found}"
    require(found[::-1] != sizes or len(sizes) < 2, f"{told}: sort them from small to large")
    require(found != [1, *sizes], f"{told}: begin with 2")
    require(
        found != [*sizes, num_samples], f"{told}: each must be less than the number of examples"
    )
    require(found != sizes[:-1], f"{told}: the largest is missing")
    beyond = found and isinstance(found[-1], int) and found[-1] > num_samples
    require(not beyond, f"{told}: the last is more than there are examples")
    require(found == sizes, f"{told}: every power of two from 2 on, less than that number")


def _require_batches(batches, size, num_samples, epochs, run):
    lengths = [len(batch) for batch in batches]
    require(lengths, f"{run}: its model gets no batch in training mode")
    largest = max(lengths)
    require(largest == size, f"{run}: its model gets batches of {largest}")
    seen = sum(lengths)
    dropped = seen == epochs * (num_samples - num_samples % size) != epochs * num_samples
    require(not dropped, f"{run}: the last, smaller batch of an epoch is left out")
    passes = seen / num_samples
    require(passes == epochs, f"{run}: it trains for {passes:.3g} epochs instead of {epochs}")
    order = [number for batch in batches for number in batch][:num_samples]
    require(order != sorted(order), f"{run}: the examples are not shuffled")


def _require_accuracy(table, models, train_set, val_set, case):
    for model, value, size in zip(models, table["accuracy"], table["batch_size"], strict=True):
        run = f"{case}, batch size {size}"
        value = require_number(value, f"{run}: the accuracy")
        right, on_training = (
            accuracy(part.tensors[1], most_likely(predict(model, [part.tensors])))
            for part in (val_set, train_set)
        )
        if close(value, right):
            continue
        require(not close(value, on_training), f"{run}: that is the accuracy on the training set")
        require(
            not close(value, 100 * right), f"{run}: the accuracy is in percent; a fraction, please"
        )
        require(not close(value, 1 - right), f"{run}: that is the share of wrong answers")
        require(False, f"{run}: {value:.3f} is not its accuracy on the validation set at the end")


def _require_seconds(table, models, wall, case):
    seconds = [require_number(value, f"{case}: the seconds") for value in table["seconds"]]
    for value, model, size in zip(seconds, models, table["batch_size"], strict=True):
        least = 0.9 * model.pause * len(model.batches)
        enough = value >= least
        require(
            enough,
            f"{case}, batch size {size}: {value:.2g} seconds are too few for all its batches",
        )
    longest = max(seconds)
    require(longest <= wall, f"{case}: {longest:.2g} seconds, but the whole call took {wall:.2g}")
    total = sum(seconds)
    told = f"{case}: the seconds add up to {total:.2g}, the whole call took {wall:.2g}"
    require(total <= wall, f"{told}: is some time counted more than once?")
