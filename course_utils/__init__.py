"""Helpers of the course: what the lessons teach with, small enough to read in one sitting.

Data flow one way: dataset -> loader -> `train` -> history -> plot. What runs the course (runner,
record, downloads) is in `course_utils.course`, the exercises' checks in `course_utils.checks`.
"""

from course_utils.checkpoint import load_checkpoint, save_checkpoint
from course_utils.course.claims import claim
from course_utils.data import cifar10, make_loader, mnist
from course_utils.device import benchmark, get_device, set_seed, to_device
from course_utils.inspection import count_parameters, summarize
from course_utils.metrics import accuracy, most_likely
from course_utils.training import evaluate, predict, train, train_one_epoch

__all__ = [
    "COLORS",
    "accuracy",
    "benchmark",
    "cifar10",
    "claim",
    "count_parameters",
    "evaluate",
    "get_device",
    "load_checkpoint",
    "make_loader",
    "mnist",
    "most_likely",
    "plot_history",
    "plot_images",
    "predict",
    "save_checkpoint",
    "set_seed",
    "summarize",
    "to_device",
    "train",
    "train_one_epoch",
]


def __getattr__(name):
    """Import what draws when it is asked for: worker processes import this, and draw nothing."""
    if name not in ("COLORS", "plot_history", "plot_images"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from course_utils import plotting

    return getattr(plotting, name)
