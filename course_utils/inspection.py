"""Inspection: look at a model, and leave it as it was."""

from contextlib import contextmanager
from functools import partial

import pandas as pd
import torch

from course_utils.checkpoint import random_state, set_random_state


def count_parameters(model, trainable_only=False):
    """Return how many numbers a model has to learn, shared ones counted once (from L18).

    Args:
        model: a module.
        trainable_only: leave out frozen parameters (`requires_grad=False`).

    Example:
        >>> count_parameters(torch.nn.Linear(784, 256))  # 784 * 256 weights, 256 biases
        200960
    """
    chosen = (p for p in model.parameters() if p.requires_grad or not trainable_only)
    return sum(parameter.numel() for parameter in chosen)


def summarize(model, input_shape):
    """Return a table of a model's layers, in the order in which an input passes them.

    Args:
        model: a module; it is run once on zeros and left as it was.
        input_shape: shape of a whole batch, N first, such as (1, 1, 28, 28); a ValueError if the
            model does not take it.

    Returns:
        DataFrame of `layer`, `output_shape` (None: the input did not pass there) and `parameters`,
        each counted in the first row that uses it: they add up to `count_parameters(model)`.

    Example:
        >>> print(summarize(torch.nn.Sequential(torch.nn.Linear(784, 10)), (1, 784)))
               layer output_shape  parameters
        0  0: Linear      (1, 10)        7850
    """
    rows, counted = [], set()

    def add_row(name, module, inputs, output):
        new = set(module.parameters(recurse=False)) - counted
        counted.update(new)
        layer = f"{name}: {type(module).__name__}".removeprefix(": ")
        rows.append((layer, _shape(output), sum(parameter.numel() for parameter in new)))

    layers, handles = {}, []
    for name, module in model.named_modules():
        if not list(module.children()) or list(module.parameters(recurse=False)):
            layers[name] = module
            handles.append(module.register_forward_hook(partial(add_row, name)))
    example = next(model.parameters(), torch.empty(0))
    try:
        with evaluating(model):
            model(torch.zeros(input_shape, dtype=example.dtype, device=example.device))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"the model takes no inputs of shape {input_shape}: {error}") from error
    finally:
        for handle in handles:
            handle.remove()
    for name, module in layers.items():  # learned numbers that the input did not pass
        if set(module.parameters(recurse=False)) - counted:
            add_row(name, module, None, None)
    return pd.DataFrame(rows, columns=["layer", "output_shape", "parameters"])


@contextmanager
def mode(model, training):
    """Training or evaluation mode; afterwards each module is again in the mode it was in."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


@contextmanager
def evaluating(model, loader=None):
    """Evaluation mode, no gradients; afterwards mode and random numbers are as before."""
    before = random_state(loader)
    try:
        with mode(model, training=False), torch.no_grad():
            yield
    finally:
        set_random_state(before, loader)


def _shape(output):
    """The shape of a tensor; of several outputs, as a recurrent layer has, a list of shapes."""
    if isinstance(output, tuple | list):
        return [_shape(item) for item in output]
    return tuple(output.shape) if isinstance(output, torch.Tensor) else None
