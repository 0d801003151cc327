"""Sweeps: the loop that trains a network for each setting and seed, and what their checks share.

A table has one row a run: the setting's columns, `seed`, and what was measured, at least `accuracy`
(a fraction, on images or points that were not trained on) and `seconds`. Two groups of runs are
*apart* if the lowest accuracy of one lies above the highest of the other. The checks recompute a
conclusion from the student's own table; no number of ours is compared with.
"""

import itertools
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from tqdm.auto import tqdm

from course_utils.checks import require

TRENDS = ("rises", "falls", "peaks", "flat")
FEWEST_SEEDS = 3


# --- for the notebooks ---------------------------------------------------------------------------


def sweep(run_one, settings, seeds, file):
    """Run what is not yet in the table, keep each finished row at once, return the whole table.

    Args:
        run_one: function called as `run_one(**setting, seed=seed)`; returns a dict of what it
            measured.
        settings: list of dicts, each of one setting.
        seeds: the seeds to run each setting with; all settings with the first one come first.
        file: the CSV file of the table, made where there is none. Rows in it are not run again.

    Raises:
        ValueError: if a new row has not the columns of the rows in the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "double.csv")
        ...     sweep(lambda x, seed: {"twice": 2 * x}, [{"x": 1}, {"x": 5}], [0], file)
           x  seed  twice
        0  1     0      2
        1  5     0     10
    """
    file = Path(file)
    known = pd.read_csv(file) if file.exists() else pd.DataFrame()
    rows = known.to_dict("records")
    wanted = [setting | {"seed": seed} for seed in seeds for setting in settings]
    missing = [run for run in wanted if not any(run.items() <= row.items() for row in rows)]
    hidden = os.environ.get("COURSE_NO_PROGRESS") == "1"
    for run in tqdm(missing, unit="run", leave=False, disable=hidden):
        row = run | run_one(**run)
        columns = list(known.columns) or list(row)
        if set(columns) != set(row):
            raise ValueError(
                f"{file.name} has the columns {columns}, the new row has {list(row)}: delete the "
                "file, or name another one"
            )
        known = pd.DataFrame([row], columns=columns)
        known.to_csv(file, mode="a", header=not file.exists(), index=False)
    return pd.read_csv(file)


def draw_sweep(table, x, y="accuracy", **options):
    """Draw a sweep: the mean over the seeds, and a band from the lowest seed to the highest.

    Args:
        table: the sweep's rows.
        x: column of the horizontal axis.
        y: column of the vertical axis.
        options: passed on to `seaborn.lineplot`, such as `hue`, `style`, `ax`.

    Returns:
        The axes.
    """
    options = {"marker": "o"} | options
    ax = sns.lineplot(table, x=x, y=y, errorbar=("pi", 100), **options)
    ax.set_xticks(sorted(table[x].unique()))
    return ax


def recorded_sweep(name):
    """Return the rows of a larger sweep that was recorded once, such as "06_layers".

    Raises:
        FileNotFoundError: if there is no such record; names those that there are.
    """
    package = Path(__file__).parents[1]
    folder = package / "results" if (package / "results").is_dir() else package.parent / "results"
    file = folder / f"sweep_{name}.csv"
    if not file.is_file():
        known = sorted(path.stem.removeprefix("sweep_") for path in folder.glob("sweep_*.csv"))
        raise FileNotFoundError(f"no sweep {name!r} was recorded; there are {', '.join(known)}")
    return pd.read_csv(file)


# --- for the checks ------------------------------------------------------------------------------


def read_sweep(answer, settings, fixed, chance, measured=()):
    """Return a student's table and conclusion once the table is one that can be concluded from.

    Args:
        answer: the pair (file of the table, function of the table that returns a dict).
        settings: dict of column -> values that must be among those tried.
        fixed: columns that must have one value in all rows.
        chance: the accuracy of guessing.
        measured: further columns of numbers.
    """
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    pair = pair and isinstance(answer[0], str | Path) and callable(answer[1])
    require(pair, "the answer is a pair: the table's file, and your function of the table")
    file, conclude = Path(answer[0]), answer[1]
    if not file.is_file():
        with suppress(AttributeError, LookupError, TypeError, ValueError):
            conclude(pd.DataFrame())  # a stub says that all is still to do
        require(False, f"there is no table {file.name} beside the notebook: run the sweep first")
    table = _read(file)
    varied, columns = list(settings), [*settings, *fixed, "seed", "accuracy", "seconds", *measured]
    lacking = [name for name in columns if name not in table.columns]
    require(not lacking, f"the table has no column {', '.join(lacking)}; what does a row hold?")
    gap = table[columns].isna().any()
    require(not gap.any(), f"the column {gap.idxmax()} has a row without a value")
    _require_measured(table, measured)
    _require_runs(table, varied, settings, fixed)
    _require_life(table, varied, chance)
    conclusion = conclude(table.copy())
    require(conclusion is not None, "your function returns None: is a `return` missing?")
    kind = type(conclusion).__name__
    require(isinstance(conclusion, dict), f"your function must return a dict, not {kind}")
    return table, conclusion


def _read(file):
    try:
        return pd.read_csv(file)
    except pd.errors.EmptyDataError:
        require(False, f"{file.name} is empty")
    except (pd.errors.ParserError, UnicodeDecodeError):
        require(False, f"{file.name} is no table: was `run_one` changed in the middle of a sweep?")


def _require_measured(table, measured):
    for name in ("accuracy", "seconds", "seed", *measured):
        number = pd.api.types.is_numeric_dtype(table[name]) and np.isfinite(table[name]).all()
        require(number, f"the column {name} must hold numbers only")
    for name in [name for name in table.columns if name.endswith("accuracy")]:
        low, high = table[name].min(), table[name].max()
        told = "in percent? it must be a fraction" if 1 < high <= 100 else "it must be a fraction"
        require(high <= 1, f"{name} {high:g} lies above 1: {told}")
        require(low >= 0, f"{name} {low:g} lies below 0: it must be a fraction")
    seconds = table["seconds"]
    require((seconds > 0).all(), "seconds must be above 0: the time was not measured")
    same = len(table) > 1 and seconds.nunique() == 1
    require(not same, "all rows took the same seconds: the time was not measured")


def _require_runs(table, varied, settings, fixed):
    for name in fixed:
        values = table[name].unique()
        told = " and ".join(map(str, values[:2]))
        require(len(values) == 1, f"rows with {name} {told} stand in one table: like with like")
    for name, values in settings.items():
        lacking = [value for value in values if value not in table[name].unique().tolist()]
        require(not lacking, f"no row has {name} = {lacking[0] if lacking else ''}")
    counts = table.groupby([*varied, "seed"]).size()
    twice = counts[counts > 1]
    if len(twice):
        *setting, seed = twice.index[0]
        require(False, f"{_named(varied, setting)} with seed {seed} stands there {twice.iloc[0]} ×")
    seeds = sorted(table["seed"].unique())
    for setting in itertools.product(*(table[name].unique() for name in varied)):
        rows = table[(table[varied] == list(setting)).all(axis=1)]
        lacking = sorted(set(seeds) - set(rows["seed"]))
        told = _named(varied, setting)
        require(len(rows), f"no row has {told}; every combination is needed")
        told += f" lacks seed {lacking[0]}" if lacking else ""
        require(not lacking, f"{told}: interrupted? Run the sweep again, it goes on")
    one = len(seeds) == 1
    require(not one, f"one seed says nothing about the spread: take at least {FEWEST_SEEDS}")
    few = len(seeds) < FEWEST_SEEDS
    require(not few, f"{len(seeds)} seeds are few for a spread: take at least {FEWEST_SEEDS}")


def _named(names, values):
    return ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))


def _require_life(table, varied, chance):
    accuracy = table["accuracy"]
    require(accuracy.nunique() > 1, "the accuracies are identical in all rows: is it trained?")
    by_setting = table.groupby(varied)["accuracy"]
    told = "the seed changes nothing: is it set before the model is built?"
    require(by_setting.nunique().max() > 1, told)
    told = "the setting changes nothing: does `run_one` use it?"
    require(table.groupby("seed")["accuracy"].nunique().max() > 1, told)
    best = by_setting.mean().max()
    told = f"no setting does better than guessing ({chance:g}): is the loss falling?"
    require(best > 1.1 * chance, told)


def runs(table, **setting):
    """Return the accuracies of one setting, a number a seed."""
    chosen = (table[list(setting)] == list(setting.values())).all(axis=1)
    return table.loc[chosen, "accuracy"].to_numpy()


def apart(low, high):
    """Return whether all of `low` lies below all of `high`."""
    return max(low) < min(high)


def said(conclusion, key, kinds, what):
    """Return a value of the conclusion as plain Python, once it is there and of a right kind."""
    require(key in conclusion, f"the conclusion has no {key!r}")
    value = conclusion[key]
    value = value.tolist() if isinstance(value, np.ndarray | np.generic | pd.Series) else value
    listed = tuple | set | frozenset | pd.Index if kinds is list else pd.Index
    value = list(value) if isinstance(value, listed) else value
    if value is ...:
        raise NotImplementedError
    bad = isinstance(value, bool) and kinds is not bool  # True counts as an int in Python
    require(isinstance(value, kinds) and not bad, f"{key!r} must be {what}, not {value!r}")
    return value


def require_best(table, varied, value, key="best"):
    """Require that a setting is one of highest mean accuracy over the seeds."""
    runs_of = table.groupby(varied)["accuracy"]
    means = runs_of.mean()
    value = tuple(value) if isinstance(value, list) else value
    require(value in means.index, f"{key!r}: {value!r} is no setting of your table")
    if means[value] >= means.max() - 1e-9:
        return
    single = table.set_index(varied)["accuracy"]
    require(value != single.idxmax(), f"{key!r}: the best single run; means over seeds decide")
    for seed, rows in table.groupby("seed"):
        ahead = value == rows.set_index(varied)["accuracy"].idxmax()
        require(not ahead, f"{key!r}: the best with seed {seed} alone; means over seeds decide")
    require(means[value] > means.min() + 1e-9, f"{key!r}: that is the setting of the lowest mean")
    require(False, f"{key!r}: another setting has a higher mean over the seeds")


def require_members(values, right, key, missing, extra):
    """Require that a list holds what it must; `missing` and `extra` say what is wrong else."""
    values = [tuple(value) if isinstance(value, list) else value for value in values]
    for value in values:
        require(value in right, f"{key!r}: {value!r}: {extra}")
    require(all(value in values for value in right), f"{key!r}: {missing}")


def rivals_of(table, varied, best):
    """Return the settings that are not apart from the best one."""
    groups = {name: rows["accuracy"] for name, rows in table.groupby(varied)}
    return [name for name in groups if name != best and not apart(groups[name], groups[best])]


def require_rivals(table, varied, best, values):
    """Require the list of settings that the best one is not apart from."""
    values = [tuple(value) if isinstance(value, list) else value for value in values]
    best = tuple(best) if isinstance(best, list) else best
    require(best not in values, "'rivals': the best setting is no rival of itself")
    require_members(
        values,
        rivals_of(table, varied, best),
        "rivals",
        "one is missing: a setting whose highest seed reaches the best one's lowest is a rival",
        "each of its seeds lies below each of the best setting's, so it is no rival",
    )


def trend_of(table, x):
    """Return one of `TRENDS`, as the notebooks define them."""
    groups = {name: rows["accuracy"] for name, rows in table.groupby(x)}
    names = sorted(groups)
    first, last = groups[names[0]], groups[names[-1]]
    peak = groups[max(names, key=lambda name: groups[name].mean())]
    if apart(first, peak) and apart(last, peak):
        return "peaks"
    return "rises" if apart(first, last) else "falls" if apart(last, first) else "flat"


def require_trend(table, x, value):
    """Require that the trend follows from the table."""
    require(value in TRENDS, f"'trend' must be one of {', '.join(TRENDS)}, not {value!r}")
    right = trend_of(table, x)
    told = {
        "flat": "the first and the last setting differ by less than the seeds do",
        "peaks": "a setting between them is apart from the first and from the last",
        "rises": "compare the first and the last setting, seed by seed",
        "falls": "compare the first and the last setting, seed by seed",
    }[right]
    require(value == right, f"'trend': {value!r} does not follow from your table: {told}")
