"""Metrics: what is reported to people, as opposed to the loss, which is what training minimizes.

A metric is a function of (targets, predictions) that returns one number, as in scikit-learn.
"""

from math import isfinite

import torch


def accuracy(targets, predictions):
    """Return the fraction of predictions that equal their targets, in [0, 1] (from IDL 2.4.1).

    Args:
        targets: integer classes, a tensor, array or list of shape (N, …), N ≥ 1.
        predictions: decisions, not scores, of the same shape; else a ValueError.

    Example:
        >>> accuracy([0, 1, 2, 2], torch.tensor([0, 1, 2, 0]))
        0.75
    """
    targets, predictions = torch.as_tensor(targets).cpu(), torch.as_tensor(predictions).cpu()
    if targets.shape != predictions.shape or targets.numel() == 0:
        raise ValueError(
            "accuracy needs targets and predictions of the same shape, not empty, not "
            f"{tuple(targets.shape)} and {tuple(predictions.shape)}; decide=most_likely turns "
            "scores (N, C) into predictions (N,)"
        )
    return (targets == predictions).sum().item() / targets.numel()


def most_likely(outputs):
    """Return the class with the highest score, int64 of shape (N, …): the usual `decide`.

    Softmax keeps the order of the scores, so it is not needed here (from IDL 2.3.2).

    Args:
        outputs: scores of any kind, (N, C, …) with C ≥ 2 classes; else a ValueError.

    Example:
        >>> most_likely(torch.tensor([[0.1, 2.0, -1.0], [3.0, 0.0, 0.5]]))
        tensor([1, 0])
    """
    if outputs.ndim < 2 or outputs.shape[1] < 2:
        raise ValueError(
            f"most_likely needs outputs (N, C, …) with C ≥ 2, not {tuple(outputs.shape)}; one "
            "logit an example is decided by its sign, as in decide=lambda outputs: outputs > 0"
        )
    return outputs.argmax(dim=1)


class EpochRecord:
    """One epoch's losses, outputs and targets, which stay on the device until it ends."""

    def __init__(self, part, metrics, decide):
        self.part, self.metrics, self.decide = part, metrics or {}, decide
        self.losses, self.counts, self.outputs, self.targets = [], [], [], []
        if "loss" in self.metrics or not all(map(callable, dict(self.metrics).values())):
            raise ValueError(f"metrics must be a dict of name, not 'loss', -> function: {metrics}")
        if decide and not metrics:
            raise ValueError("decide makes predictions for metrics, so it needs metrics")

    def add(self, loss, outputs, targets):
        self.losses.append(loss.detach())
        self.counts.append(len(targets))
        if self.metrics:
            self.outputs.append(outputs.detach())
            self.targets.append(targets)

    def means(self):
        """Return a dict of "loss" and the metrics, each over all examples."""
        losses = torch.stack(self.losses).tolist()  # the one wait for the device
        for i, loss in enumerate(losses, start=1):
            if not isfinite(loss):
                bad = f"the {self.part} loss is {loss} in batch {i} of {len(losses)}"
                raise FloatingPointError(f"{bad}, for the first time")
        weighted = sum(loss * n for loss, n in zip(losses, self.counts, strict=True))
        result = {"loss": weighted / sum(self.counts)}
        if self.metrics:
            targets, outputs = torch.cat(self.targets).cpu(), torch.cat(self.outputs)
            predictions = (self.decide(outputs) if self.decide else outputs).cpu()
            result |= {name: float(f(targets, predictions)) for name, f in self.metrics.items()}
        return result
