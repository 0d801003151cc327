"""The checks of lesson 06 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import copy
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from every_lesson import *
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import (
    accuracy,
    evaluate,
    load_checkpoint,
    most_likely,
    save_checkpoint,
    set_seed,
    train,
    train_one_epoch,
)

# --- 06.1 ----------------------------------------------------------------------------------------


def auc(targets, outputs):
    return roc_auc_score(targets, torch.softmax(outputs, dim=1)[:, 1])


def auc_by_pairs(targets, outputs):
    margin = outputs[:, 1] - outputs[:, 0]
    ahead = margin[targets == 1][:, None] - margin[targets == 0]
    return ((ahead > 0).float() + 0.5 * (ahead == 0)).mean()


def auc_of_one_output(targets, outputs):
    """Takes the output of class 1 for its score."""
    return roc_auc_score(targets, outputs[:, 1])


def auc_of_the_other_output(targets, outputs):
    """Takes the output of class 0 for the score."""
    return roc_auc_score(targets, outputs[:, 0])


def auc_upside_down(targets, outputs):
    """Takes the probability of class 0."""
    return roc_auc_score(targets, torch.softmax(outputs, dim=1)[:, 0])


def auc_of_decisions(targets, outputs):
    """Decides first, as for accuracy."""
    return roc_auc_score(targets, most_likely(outputs))


def auc_along_examples(targets, outputs):
    """Lets softmax run along the examples."""
    return roc_auc_score(targets, torch.softmax(outputs, dim=0)[:, 1])


def auc_of_the_surest(targets, outputs):
    """Takes the larger probability, whichever class it is of."""
    return roc_auc_score(targets, torch.softmax(outputs, dim=1).amax(dim=1))


def auc_is_accuracy(targets, outputs):
    """Computes the accuracy."""
    return accuracy(targets, most_likely(outputs))


# --- 06.2 ----------------------------------------------------------------------------------------


def resume(
    path, model, loss_fn, optimizer, train_loader, epochs, more=0, zero=True, parts=("m", "o")
):
    """Right unless told to make a mistake."""
    loaded_model = model if "m" in parts else copy.deepcopy(model)
    loaded_optimizer = optimizer if "o" in parts else None
    done = load_checkpoint(path, loaded_model, optimizer=loaded_optimizer)["epoch"]
    for _ in range(epochs - done + more):
        for inputs, targets in train_loader:
            loss = loss_fn(model(inputs), targets)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [*range(done + 1, epochs + 1)]


def resume_with_helpers(path, model, loss_fn, optimizer, train_loader, epochs):
    content = torch.load(path, weights_only=True)
    model.load_state_dict(content["model"]["state"])
    optimizer.load_state_dict(content["optimizer"]["state"])
    epoch, ran = content["values"]["epoch"], []
    while epoch < epochs:
        epoch += 1
        train_one_epoch(model, loss_fn, optimizer, train_loader)
        ran.append(torch.tensor(epoch))
    return tuple(ran)


def resume_without_optimizer(*arguments):
    """Loads the model only."""
    return resume(*arguments, parts=("m",))


def resume_without_model(*arguments):
    """Loads the optimizer only."""
    return resume(*arguments, parts=("o",))


def resume_with_nothing(*arguments):
    """Reads the epoch only."""
    return resume(*arguments, parts=())


def resume_one_more(*arguments):
    """Repeats the last epoch that was done."""
    return resume(*arguments, more=1)


def resume_one_less(*arguments):
    """Stops before the last epoch."""
    return resume(*arguments, more=-1)


def resume_all_again(path, model, loss_fn, optimizer, train_loader, epochs):
    """Runs as many epochs as are asked for in all."""
    done = load_checkpoint(path, model)["epoch"]
    return resume(path, model, loss_fn, optimizer, train_loader, epochs, more=done)


def resume_never_zeroing(*arguments):
    """Forgets `zero_grad`."""
    return resume(*arguments, zero=False)


def resume_never_stepping(path, model, loss_fn, optimizer, train_loader, epochs):
    """Forgets `optimizer.step()`."""
    optimizer.step = lambda: None
    return resume(path, model, loss_fn, optimizer, train_loader, epochs)


def resume_rounded(path, model, loss_fn, optimizer, train_loader, epochs):
    """Passes the weights on as text with six decimals."""
    ran = resume(path, model, loss_fn, optimizer, train_loader, epochs)
    for parameter in model.parameters():
        parameter.data = (parameter.data * 1e6).round() / 1e6
    return ran


def resume_with_own_optimizer(path, model, loss_fn, optimizer, train_loader, epochs):
    """Makes an optimizer of its own, with the lesson's learning rate."""
    own = torch.optim.SGD(model.parameters(), lr=0.001)
    load_checkpoint(path, model, optimizer=optimizer)
    return resume(path, model, loss_fn, own, train_loader, epochs, parts=("m",))


def resume_returns_history(*arguments):
    """Counts epochs from 0."""
    return [epoch - 1 for epoch in resume(*arguments)]


def resume_returns_all(*arguments):
    """Names the epochs done before, too."""
    ran = resume(*arguments)
    return list(range(1, ran[-1] + 1)) if ran else ran


def resume_first_batches(path, model, loss_fn, optimizer, train_loader, epochs):
    """Has a `break` at the end of the inner loop."""

    class First:
        def __iter__(self):
            yield next(iter(train_loader))

    return resume(path, model, loss_fn, optimizer, First(), epochs)


# --- 06.3 ----------------------------------------------------------------------------------------


def every(
    x, folder, model, optimizer, name="epoch_{:03d}.pt", due=lambda e, x: e % x == 0, **values
):
    """Right unless told to make a mistake."""

    def after_epoch(row):
        epoch = row["epoch"]
        if due(epoch, x):
            parts = {"model": model, "optimizer": optimizer, "epoch": epoch} | values
            save_checkpoint(folder / name.format(epoch), **parts)

    return after_epoch


class Every:
    def __init__(self, x, folder, model, optimizer):
        self.x, self.folder, self.parts = x, str(folder), {"model": model, "optimizer": optimizer}

    def __call__(self, row):
        number = str(int(row["epoch"])).zfill(3)
        if int(number) in range(0, 1000, self.x):
            save_checkpoint(f"{self.folder}/epoch_{number}.pt", **self.parts, epoch=int(number))


def every_into_one_file(x, folder, model, optimizer):
    """Gives all files the same name."""
    return every(x, folder, model, optimizer, name="epoch_000.pt")


def every_without_zeros(x, folder, model, optimizer):
    """Does not fill the number up."""
    return every(x, folder, model, optimizer, name="epoch_{}.pt")


def every_epoch(x, folder, model, optimizer):
    """Ignores `every`."""
    return every(x, folder, model, optimizer, due=lambda epoch, x: True)


def every_from_the_first(x, folder, model, optimizer):
    """Counts as if epochs began at 0."""
    return every(x, folder, model, optimizer, due=lambda epoch, x: (epoch - 1) % x == 0)


def every_numbered(x, folder, model, optimizer):
    """Numbers the files instead of naming their epoch."""
    count = []

    def after_epoch(row):
        if row["epoch"] % x == 0:
            count.append(row["epoch"])
            file = folder / f"epoch_{len(count):03d}.pt"
            save_checkpoint(file, model=model, optimizer=optimizer, epoch=row["epoch"])

    return after_epoch


def every_named_from_zero(x, folder, model, optimizer):
    """Names the files after epochs that count from 0."""

    def after_epoch(row):
        if row["epoch"] % x == 0:
            file = folder / f"epoch_{row['epoch'] - 1:03d}.pt"
            save_checkpoint(file, model=model, optimizer=optimizer, epoch=row["epoch"])

    return after_epoch


def every_without_optimizer(x, folder, model, optimizer):
    """Saves the model only."""
    return every(x, folder, model, None)


def every_without_epoch(x, folder, model, optimizer):
    """Does not save the epoch."""
    return every(x, folder, model, optimizer, epoch=None)


def every_with_another_epoch(x, folder, model, optimizer):
    """Saves how often it has saved."""
    return every(x, folder, model, optimizer, epoch=1)


def every_copied_too_soon(x, folder, model, optimizer):
    """Copies the model when the function is made."""
    return every(x, folder, copy.deepcopy(model), optimizer)


def every_never(x, folder, model, optimizer):
    """Saves nothing, since a row is no epoch."""
    return every(x, folder, model, optimizer, due=lambda epoch, x: False)


def every_at_once(x, folder, model, optimizer):
    """Saves by itself and returns nothing."""
    save_checkpoint(folder / "epoch_000.pt", model=model, optimizer=optimizer, epoch=0)


def every_by_torch(x, folder, model, optimizer):
    """Writes by `torch.save`, which `load_checkpoint` does not read."""

    def after_epoch(row):
        if row["epoch"] % x == 0:
            torch.save(model.state_dict(), folder / f"epoch_{row['epoch']:03d}.pt")

    return after_epoch


# --- 06.4 ----------------------------------------------------------------------------------------


def make_sets(features, labels, seed, by="train", split=0.8, shuffled=True, dtype=torch.float32):
    """Right unless told to make a mistake."""
    features, labels = torch.tensor(features), torch.tensor(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order if shuffled else torch.arange(len(labels))
    cut = round(split * len(labels))
    parts = [features[rows] for rows in (order[:cut], order[cut:])]
    used = {"train": [parts[0]] * 2, "all": [features] * 2, "own": parts, "test": [parts[1]] * 2}
    if by == "none":
        scaled = parts
    elif by == "center":
        scaled = [part - parts[0].mean(0) for part in parts]
    elif by == "whole":
        scaled = [(part - parts[0].mean()) / parts[0].std() for part in parts]
    elif by == "variance":
        scaled = [(part - parts[0].mean(0)) / parts[0].var(0) for part in parts]
    else:
        pairs = zip(parts, used[by], strict=True)
        scaled = [(part - base.mean(0)) / base.std(0) for part, base in pairs]
    rows = (order[:cut], order[cut:])
    return [TensorDataset(part.to(dtype), labels[r]) for part, r in zip(scaled, rows, strict=True)]


def make_sets_by_sklearn(features, labels, seed):
    parts = train_test_split(features, labels, test_size=0.2, random_state=seed, stratify=labels)
    scaler = StandardScaler().fit(parts[0])
    inputs = [torch.from_numpy(scaler.transform(part)).float() for part in parts[:2]]
    return tuple(
        TensorDataset(x, torch.from_numpy(y)) for x, y in zip(inputs, parts[2:], strict=True)
    )


def fit(train_set, epochs=15, lr=0.05, last=()):
    width = train_set.tensors[0].shape[1]
    model = nn.Sequential(nn.Linear(width, 16), nn.Tanh(), nn.Linear(16, 2), *last)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loader = DataLoader(train_set, 32, shuffle=True)
    train(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=epochs, progress=False)
    return model


def fit_with_dropout(train_set):
    inputs, targets = train_set[:]
    layers = [nn.Linear(inputs.shape[1], 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 2)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def sets_leaking(features, labels, seed):
    """Standardizes before the split."""
    return make_sets(features, labels, seed, by="all")


def sets_each_by_itself(features, labels, seed):
    """Standardizes the test set by its own statistics."""
    return make_sets(features, labels, seed, by="own")


def sets_by_the_test_set(features, labels, seed):
    """Confuses the two sets."""
    return make_sets(features, labels, seed, by="test")


def sets_raw(features, labels, seed):
    """Forgets to standardize."""
    return make_sets(features, labels, seed, by="none")


def sets_centered(features, labels, seed):
    """Forgets to divide."""
    return make_sets(features, labels, seed, by="center")


def sets_by_variance(features, labels, seed):
    """Divides by the variance."""
    return make_sets(features, labels, seed, by="variance")


def sets_by_one_mean(features, labels, seed):
    """Forgets the axis."""
    return make_sets(features, labels, seed, by="whole")


def sets_by_rows(features, labels, seed):
    """Takes the wrong axis, and standardizes each row."""
    mean, std = features.mean(axis=1, keepdims=True), features.std(axis=1, keepdims=True)
    return make_sets((features - mean) / std, labels, seed)


def sets_in_order(features, labels, seed):
    """Cuts the rows as they come."""
    return make_sets(features, labels, seed, shuffled=False)


def sets_the_other_way_round(features, labels, seed):
    """Returns the test set first."""
    return make_sets(features, labels, seed)[::-1]


def sets_halved(features, labels, seed):
    """Splits in halves."""
    return make_sets(features, labels, seed, split=0.5)


def sets_in_double(features, labels, seed):
    """Keeps NumPy's float64."""
    return make_sets(features, labels, seed, dtype=torch.float64)


def sets_with_float_labels(features, labels, seed):
    """Makes the labels float."""
    return make_sets(features, labels.astype(np.float32), seed)


def sets_with_a_column_of_labels(features, labels, seed):
    """Gives the labels an axis of their own."""
    return make_sets(features, labels[:, None], seed)


def sets_overlapping(features, labels, seed):
    """Draws the test rows from all rows."""
    first, _ = make_sets(features, labels, seed)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed + 1))
    rows = order[: len(labels) - len(first)]
    features = torch.tensor(features)
    used = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[: len(first)]
    scaled = (features[rows] - features[used].mean(0)) / features[used].std(0)
    return first, TensorDataset(scaled.float(), torch.tensor(labels)[rows])


def sets_shuffled_apart(features, labels, seed):
    """Shuffles features and labels with two orders."""
    first, second = make_sets(features, labels, seed)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed + 1))
    labels = torch.tensor(labels)[order]
    cut = len(first)
    return (
        TensorDataset(first.tensors[0], labels[:cut]),
        TensorDataset(second.tensors[0], labels[cut:]),
    )


def sets_of_one_seed(features, labels, seed):
    """Ignores the seed."""
    return make_sets(features, labels, 0)


def sets_without_seed(features, labels, seed):
    """Takes another order each time."""
    return make_sets(features, labels, int(torch.randint(1_000_000, (1,))))


def sets_in_place(features, labels, seed):
    """Standardizes the array that it was given."""
    features -= features.mean(axis=0)
    return make_sets(features, labels, seed)


def fit_not(train_set):
    """Returns a model that is not trained."""
    model = nn.Linear(train_set.tensors[0].shape[1], 2)
    nn.init.zeros_(model.weight)
    return model


def fit_with_softmax(train_set):
    """Ends the model in softmax."""
    return fit(train_set, last=[nn.Softmax(dim=1)])


def fit_with_one_output(train_set):
    """Gives the model one output."""
    return nn.Linear(train_set.tensors[0].shape[1], 1)


def fit_returning_history(train_set):
    """Returns the history."""
    model = nn.Linear(train_set.tensors[0].shape[1], 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(train_set, 64)
    return train(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=1, progress=False)


def fit_poorly(train_set):
    """Looks at one measurement only."""
    model = nn.Linear(train_set.tensors[0].shape[1], 2)
    with torch.no_grad():
        model.weight.zero_()
        model.weight[:, 1] = torch.tensor([1.0, -1.0])
        model.bias.zero_()
    return model


# --- 06.5 ----------------------------------------------------------------------------------------


def powers_of_two(below, start=2):
    sizes = [start]
    while 2 * sizes[-1] < below:
        sizes.append(2 * sizes[-1])
    return sizes


def batch_table(
    make_model, train_set, val_set, epochs, lr, seed=0, sizes=None, measured_on=None, **mistakes
):
    """Right unless told to make a mistake."""
    rows, model = [], None
    began = time.perf_counter()
    for size in sizes or powers_of_two(len(train_set)):
        if mistakes.get("seeded", True):
            set_seed(seed)
        if model is None or not mistakes.get("one_model"):
            model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=mistakes.get("lr", lr))
        options = {"shuffle": mistakes.get("shuffle", True), "drop_last": "drop_last" in mistakes}
        loader = DataLoader(train_set, mistakes.get("size", size), **options)
        run = (model, nn.CrossEntropyLoss(), optimizer, loader)
        history = train(*run, epochs=mistakes.get("epochs", epochs), progress=False)
        scoring = {"metrics": {"accuracy": accuracy}, "decide": most_likely}
        scores = evaluate(*run[:2], DataLoader(measured_on or val_set, 10), **scoring)
        seconds = history["seconds"].iloc[-1]
        seconds = time.perf_counter() - began if "cumulative" in mistakes else seconds
        seconds = history["seconds"].iloc[0] if "first_epoch" in mistakes else seconds
        row = {"batch_size": size, "seconds": seconds * mistakes.get("unit", 1)}
        rows.append(row | {"accuracy": scores["accuracy"] * mistakes.get("percent", 1)})
    return pd.DataFrame(rows)


def batch_table_by_hand(make_model, train_set, val_set, epochs, lr, seed=0):
    table = {"accuracy": [], "batch_size": [], "seconds": [], "epochs": []}
    for power in range(1, (len(train_set) - 1).bit_length()):
        torch.manual_seed(seed)
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        start = time.perf_counter()
        for _ in range(epochs):
            for rows in torch.randperm(len(train_set)).split(2**power):
                inputs, targets = train_set[rows]
                loss = nn.functional.cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        table["seconds"].append(time.perf_counter() - start)
        inputs, targets = val_set[:]
        with torch.no_grad():
            right = model(inputs).argmax(dim=1) == targets
        table["accuracy"].append(right.float().mean().item())
        table["batch_size"].append(2**power)
        table["epochs"].append(epochs)
    return pd.DataFrame(table)


def table_of_one_model(*arguments, **options):
    """Trains one model on and on."""
    return batch_table(*arguments, **options, one_model=True)


def table_not_seeded(*arguments, **options):
    """Sets the seed once only."""
    return batch_table(*arguments, **options, seeded=False)


def table_from_one(make_model, train_set, *rest, **options):
    """Begins with 1."""
    sizes = powers_of_two(len(train_set), 1)
    return batch_table(make_model, train_set, *rest, **options, sizes=sizes)


def table_to_all(make_model, train_set, *rest, **options):
    """Adds N itself."""
    sizes = [*powers_of_two(len(train_set)), len(train_set)]
    return batch_table(make_model, train_set, *rest, **options, sizes=sizes)


def table_too_short(make_model, train_set, *rest, **options):
    """Stops one too early."""
    sizes = powers_of_two(len(train_set))[:-1]
    return batch_table(make_model, train_set, *rest, **options, sizes=sizes)


def table_too_long(make_model, train_set, *rest, **options):
    """Goes one too far."""
    sizes = powers_of_two(2 * len(train_set))
    return batch_table(make_model, train_set, *rest, **options, sizes=sizes)


def table_even_sizes(make_model, train_set, *rest, **options):
    """Takes all even numbers."""
    sizes = list(range(2, len(train_set), 2))
    return batch_table(make_model, train_set, *rest, **options, sizes=sizes)


def table_reversed(*arguments, **options):
    """Begins with the largest."""
    return batch_table(*arguments, **options)[::-1]


def table_on_training_set(make_model, train_set, *rest, **options):
    """Measures accuracy on the training set."""
    return batch_table(make_model, train_set, *rest, **options, measured_on=train_set)


def table_in_percent(*arguments, **options):
    """Gives percents."""
    return batch_table(*arguments, **options, percent=100)


def table_cumulative(*arguments, **options):
    """Never restarts the clock."""
    return batch_table(*arguments, **options, cumulative=True)


def table_in_milliseconds(*arguments, **options):
    """Gives milliseconds."""
    return batch_table(*arguments, **options, unit=1000)


def table_of_first_epoch(*arguments, **options):
    """Reads the time in the history's first row."""
    return batch_table(*arguments, **options, first_epoch=True)


def table_not_shuffled(*arguments, **options):
    """Forgets to shuffle."""
    return batch_table(*arguments, **options, shuffle=False)


def table_dropping_last(*arguments, **options):
    """Leaves out the last batch."""
    return batch_table(*arguments, **options, drop_last=True)


def table_of_one_size(*arguments, **options):
    """Gives the loader another batch size than the table."""
    return batch_table(*arguments, **options, size=4)


def table_of_one_epoch(*arguments, **options):
    """Ignores `epochs`."""
    return batch_table(*arguments, **options | {"epochs": 1})


def table_of_own_rate(*arguments, **options):
    """Ignores `lr`."""
    return batch_table(*arguments, **options | {"lr": 0.1})


def table_not_trained(*arguments, **options):
    """Gives the optimizer another model's weights, here by a rate of 0."""
    return batch_table(*arguments, **options | {"lr": 0.0})


def table_with_other_columns(*arguments, **options):
    """Names the columns otherwise."""
    return batch_table(*arguments, **options).rename(columns={"accuracy": "val_accuracy"})


def table_as_list(*arguments, **options):
    """Returns a list of rows."""
    return batch_table(*arguments, **options).to_dict("records")


RIGHT = [
    *[("06.1", auc), ("06.1", auc_by_pairs)],
    *[("06.2", resume), ("06.2", resume_with_helpers)],
    *[("06.3", every), ("06.3", Every)],
    *[("06.4", (make_sets, fit)), ("06.4", (make_sets_by_sklearn, fit_with_dropout))],
    *[("06.5", batch_table), ("06.5", batch_table_by_hand)],
]
WRONG = [
    ("06.1", auc_of_one_output, "by class 1's output alone"),
    ("06.1", auc_of_the_other_output, "by class 0's output alone"),
    ("06.1", auc_upside_down, "upside down"),
    ("06.1", auc_of_decisions, "by decisions"),
    ("06.1", auc_along_examples, "so does a softmax along the examples"),
    ("06.1", auc_of_the_surest, "of whichever class"),
    ("06.1", auc_is_accuracy, "that is the accuracy"),
    ("06.2", resume_without_optimizer, "forgotten the earlier steps"),
    ("06.2", resume_without_model, "new model's weights"),
    ("06.2", resume_with_nothing, "neither model nor optimizer"),
    ("06.2", resume_one_more, "off by one: it trains for 5"),
    ("06.2", resume_one_less, "off by one: it trains for 3"),
    ("06.2", resume_all_again, "those done count too"),
    ("06.2", resume_never_zeroing, "add up"),
    ("06.2", resume_never_stepping, "no step is taken"),
    ("06.2", resume_first_batches, "not all batches"),
    ("06.2", resume_rounded, "but not the same"),
    ("06.2", resume_with_own_optimizer, "not those of a run"),
    ("06.2", resume_returns_history, "count from 1"),
    ("06.2", resume_returns_all, "it names the epochs"),
    ("06.3", every_into_one_file, "replaces the one before"),
    ("06.3", every_without_zeros, "three digits"),
    ("06.3", every_epoch, "for every epoch"),
    ("06.3", every_from_the_first, "due after epoch 2"),
    ("06.3", every_numbered, "name them by their epoch"),
    ("06.3", every_named_from_zero, "counted from 0"),
    ("06.3", every_without_optimizer, "lacks the optimizer"),
    ("06.3", every_without_epoch, "`epoch=` is missing"),
    ("06.3", every_with_another_epoch, "says epoch 1"),
    ("06.3", every_copied_too_soon, "copied too soon"),
    ("06.3", every_never, "no file is written"),
    ("06.3", every_at_once, "must return a function"),
    ("06.3", every_by_torch, "not what `save_checkpoint` writes"),
    ("06.4", (sets_leaking, fit), "leaks"),
    ("06.4", (sets_each_by_itself, fit), "its own mean"),
    ("06.4", (sets_by_the_test_set, fit), "by the test set's"),
    ("06.4", (sets_raw, fit), "not standardized"),
    ("06.4", (sets_centered, fit), "not divided by"),
    ("06.4", (sets_by_variance, fit), "by the variance"),
    ("06.4", (sets_by_one_mean, fit), "each column has its own"),
    ("06.4", (sets_by_rows, fit), "mixed"),
    ("06.4", (sets_in_order, fit), "in which they came"),
    ("06.4", (sets_the_other_way_round, fit), "the other way round"),
    ("06.4", (sets_halved, fit), "should be 80 %"),
    ("06.4", (sets_in_double, fit), "float64"),
    ("06.4", (sets_with_float_labels, fit), "not int64"),
    ("06.4", (sets_with_a_column_of_labels, fit), "one number a row"),
    ("06.4", (sets_overlapping, fit), "in both sets"),
    ("06.4", (sets_shuffled_apart, fit), "come apart"),
    ("06.4", (sets_of_one_seed, fit), "whatever the seed"),
    ("06.4", (sets_without_seed, fit), "another split each time"),
    ("06.4", (sets_in_place, fit), "changes the arrays"),
    ("06.4", (make_sets, fit_not), "always answering the same"),
    ("06.4", (make_sets, fit_with_softmax), "ends in softmax"),
    ("06.4", (make_sets, fit_with_one_output), "(114, 1) where (114, 2)"),
    ("06.4", (make_sets, fit_returning_history), "not a DataFrame"),
    ("06.4", (make_sets, fit_poorly), "well within reach"),
    ("06.5", table_of_one_model, "trained on and on"),
    ("06.5", table_not_seeded, "seed before each"),
    ("06.5", table_from_one, "begin with 2"),
    ("06.5", table_to_all, "less than the number"),
    ("06.5", table_too_short, "largest is missing"),
    ("06.5", table_too_long, "more than there are"),
    ("06.5", table_even_sizes, "every power of two"),
    ("06.5", table_reversed, "from small to large"),
    ("06.5", table_on_training_set, "on the training set"),
    ("06.5", table_in_percent, "in percent"),
    ("06.5", table_cumulative, "counted more than once"),
    ("06.5", table_in_milliseconds, "the whole call took"),
    ("06.5", table_of_first_epoch, "too few"),
    ("06.5", table_not_shuffled, "not shuffled"),
    ("06.5", table_dropping_last, "left out"),
    ("06.5", table_of_one_size, "gets batches of 4"),
    ("06.5", table_of_one_epoch, "trains for 1 epochs instead of 2"),
    ("06.5", table_of_own_rate, "lr=0"),
    ("06.5", table_not_trained, "not trained"),
    ("06.5", table_with_other_columns, "no column accuracy"),
    ("06.5", table_as_list, "must return a DataFrame"),
]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 06.4."""
    return (function, function) if number == "06.4" else function


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    torch.zeros(7),
    (None, None),
    Path("x"),
    pd.DataFrame(),
]


def test_a_fit_of_the_wrong_kind(capsys):
    for value in (None, "1.0", math.nan, (1, 2)):
        line = verdict(capsys, "06.4", (make_sets, lambda train_set, value=value: value))
        assert line.startswith("✗") and "your code raised" not in line
