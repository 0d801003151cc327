"""Training: the loop of lesson 04, evaluation, and the history of both.

A batch is a pair `(inputs, targets)` of N examples each; the device is the model's. The loss of an
epoch is the mean over its examples: each batch counts for as many as it has.
"""

import os
import time
from pathlib import Path

import pandas as pd
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm.auto import tqdm

from course_utils.checkpoint import load_checkpoint, random_state, save_checkpoint, set_random_state
from course_utils.device import to_device
from course_utils.inspection import evaluating, mode
from course_utils.metrics import EpochRecord


def train_one_epoch(model, loss_fn, optimizer, train_loader, *, metrics=None, decide=None):
    """Train for one pass over the data (from IDL 2.1.2); arguments and errors as for `train`.

    Returns a dict of "loss" and the metrics, of outputs made while the weights were changing.

    Example:
        >>> model, batches = torch.nn.Linear(1, 1), [(torch.ones(4, 1), torch.ones(4, 1))]
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> list(train_one_epoch(model, torch.nn.MSELoss(), optimizer, batches))
        ['loss']
    """
    record = EpochRecord("training", metrics, decide)
    with mode(model, training=True):
        for inputs, targets in _batches(train_loader, model):
            outputs = model(inputs)
            loss = _one_mean(loss_fn, outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            record.add(loss, outputs, targets)
    return record.means()


def evaluate(model, loss_fn, loader, *, metrics=None, decide=None):
    """Measure a model and change nothing: no mode, no gradient, no random number to come.

    Arguments and errors are those of `train`. Returns a dict of "loss" and the metrics.

    Example:
        >>> batches = [(torch.zeros(3, 1), torch.ones(3, 1)), (torch.ones(1, 1), torch.ones(1, 1))]
        >>> evaluate(torch.nn.Identity(), torch.nn.MSELoss(), batches)
        {'loss': 0.75}

    From IDL 2.4.2, whose mean of the batches' means would be 0.5 here.
    """
    record = EpochRecord("validation", metrics, decide)
    with evaluating(model, loader):
        for inputs, targets in _batches(loader, model):
            outputs = model(inputs)
            record.add(_one_mean(loss_fn, outputs, targets), outputs, targets)
    return record.means()


def predict(model, loader):
    """Return the outputs for all inputs of a loader of pairs, (N, …), on the CPU; change nothing.

    Example:
        >>> predict(torch.nn.Identity(), [(torch.ones(4, 2), torch.ones(4))]).shape
        torch.Size([4, 2])
    """
    with evaluating(model, loader):
        return torch.cat([model(inputs) for inputs, _ in _batches(loader, model)]).cpu()


def train(
    model, loss_fn, optimizer, train_loader, val_loader=None, *, epochs, metrics=None, decide=None,
    scheduler=None, checkpoint=None, resume=None, on_epoch_end=None, progress=True,
):  # fmt: skip
    """Train a model, return its history (from IDL 2.4.4); no test loader, on purpose.

    Args:
        model: a module, on the device where to train it; its mode is left as found.
        loss_fn: function of (outputs, targets): the mean over the batch, not a sum, as one number.
        optimizer: an optimizer of the model's parameters.
        train_loader, val_loader: give the batches; without the second, nothing is validated.
        epochs: passes over the training set in all, those before `resume` included.
        metrics: dict of name -> function of (targets, predictions), called once an epoch, on CPU.
        decide: turns outputs into predictions; without it the metrics get the outputs.
        scheduler: stepped once an epoch; `ReduceLROnPlateau` by the validation loss.
        checkpoint: file to write after each epoch; never read.
        resume: such a file, to continue exactly as if nothing had interrupted it.
        on_epoch_end: function of the epoch's row, a dict; called last.
        progress: whether to show a bar; `COURSE_NO_PROGRESS=1` in the environment hides it too.

    Returns:
        DataFrame, one row an epoch: `epoch` from 1, `seconds` of training so far (validation not
        counted), `train_loss`, `train_<metric>`, …, `val_loss`, `val_<metric>`, ….

    Raises:
        ValueError: if an argument, a batch or a checkpoint is not as it must be; says which.
        FloatingPointError: at the end of an epoch with a loss that is NaN or infinite; says where.
        FileNotFoundError: if there is no checkpoint to resume, or no folder to write one to.

    Example:
        >>> model, batches = torch.nn.Linear(1, 1), [(torch.ones(4, 1), torch.ones(4, 1))]
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> list(train(model, torch.nn.MSELoss(), optimizer, batches, epochs=2))
        ['epoch', 'seconds', 'train_loss']
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if isinstance(scheduler, ReduceLROnPlateau) and val_loader is None:
        raise ValueError("ReduceLROnPlateau goes by the validation loss: it needs a val_loader")
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        raise FileNotFoundError(f"there is no folder for the checkpoint {checkpoint}")
    owned = {p for group in optimizer.param_groups for p in group["params"]}
    if owned.isdisjoint(model.parameters()):
        raise ValueError(
            "the optimizer must be made for this model, but has none of its parameters"
        )
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    scores = {"metrics": metrics, "decide": decide}
    settings = {"metrics": list(metrics or {}), "validation": val_loader is not None}
    settings["scheduler"] = type(scheduler).__name__
    rows = []
    if resume is not None:
        saved = load_checkpoint(resume, **parts)
        rows, was = saved.get("history", []), saved.get("settings")
        if was != settings or len(rows) > epochs:
            run = f"{len(rows)} epochs with {was}"
            raise ValueError(f"{resume} holds {run}, not up to {epochs} epochs with {settings}")
        set_random_state(saved["random"], train_loader)
    seconds = rows[-1]["seconds"] if rows else 0.0
    hidden = not progress or os.environ.get("COURSE_NO_PROGRESS") == "1"
    with tqdm(total=epochs, initial=len(rows), unit="epoch", leave=False, disable=hidden) as bar:
        for epoch in range(len(rows) + 1, epochs + 1):
            start = time.perf_counter()
            try:
                result = train_one_epoch(model, loss_fn, optimizer, train_loader, **scores)
                seconds += time.perf_counter() - start
                row = {"epoch": epoch, "seconds": seconds}
                row |= {f"train_{name}": value for name, value in result.items()}
                if val_loader is not None:
                    result = evaluate(model, loss_fn, val_loader, **scores)
                    row |= {f"val_{name}": value for name, value in result.items()}
            except FloatingPointError as error:
                raise FloatingPointError(f"epoch {epoch}: {error}") from None
            rows.append(row)
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(row["val_loss"])
            elif scheduler is not None:
                scheduler.step()
            if checkpoint is not None:
                run = {"history": rows, "settings": settings, "random": random_state(train_loader)}
                save_checkpoint(checkpoint, **parts, **run)
            if on_epoch_end is not None:
                on_epoch_end(dict(row))
            bar.update()
    return pd.DataFrame(rows)


def _batches(loader, model):
    """Yield the loader's batches on the model's device."""
    device = next(model.parameters(), torch.empty(0)).device
    batch = None
    for batch in loader:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(f"a batch must be a pair (inputs, targets), not a {type(batch)}")
        yield to_device(batch, device)
    if batch is None:
        raise ValueError("a loader must give at least one batch; this one, of no data, gave none")


def _one_mean(loss_fn, outputs, targets):
    """The loss, once it is sure that it is one number, and as far as can be seen a mean."""
    loss = loss_fn(outputs, targets)
    reduction = getattr(loss_fn, "reduction", "mean")
    if loss.ndim or reduction not in ("mean", "batchmean"):
        given = f"shape {tuple(loss.shape)}, reduction {reduction!r}"
        raise ValueError(f"loss_fn must give one number, the mean over the batch, not {given}")
    return loss
