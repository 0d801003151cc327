"""Helpers of the course: what the lessons teach with, small enough to read in one sitting.

Data flow one way: dataset -> loader -> `train` -> history -> plot. What runs the course (runner,
record, downloads) is in `course_utils.course`, the exercises' checks in `course_utils.checks`.

Each helper is imported when it is first asked for, so that worker processes load no Matplotlib and
`python -m course_utils doctor` runs, and tells what is missing, where PyTorch is not installed.
"""

from importlib import import_module

_FILES = {
    "checkpoint": ("load_checkpoint", "save_checkpoint"),
    "course.claims": ("claim",),
    "data": ("cifar10", "make_loader", "mnist"),
    "device": ("benchmark", "get_device", "set_seed", "to_device"),
    "inspection": ("count_parameters", "summarize"),
    "metrics": ("accuracy", "most_likely"),
    "plotting": ("COLORS", "plot_history", "plot_images"),
    "training": ("evaluate", "predict", "train", "train_one_epoch"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}
__all__ = sorted(_FILE_OF)


def __getattr__(name):
    """Python calls this for a name that is not here yet."""
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    helper = getattr(import_module(f"{__name__}.{_FILE_OF[name]}"), name)
    globals()[name] = helper
    return helper


def __dir__():
    """What `dir` lists and completion offers."""
    return sorted({*globals(), *__all__})
