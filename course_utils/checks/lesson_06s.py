"""Checks of the sweeps of lesson 06: a loop that can be interrupted, layers, neurons."""

import tempfile
from pathlib import Path

import pandas as pd

from course_utils.checks import exercise, require
from course_utils.checks.sweeps import (
    apart,
    read_sweep,
    require_best,
    require_rivals,
    require_trend,
    runs,
    said,
)

FIXED = ("optimizer", "epochs")


class _Stopped(Exception):
    """What the check interrupts a sweep with."""


class _Runs:
    """A `run_one` that notes its calls and stops before a given one."""

    def __init__(self, file, stop_before=None):
        self.file, self.calls, self.stop_before, self.kept = Path(file), [], stop_before, []

    def __call__(self, **run):
        self.kept.append(len(pd.read_csv(self.file)) if self.file.exists() else 0)
        if len(self.calls) == self.stop_before:
            raise _Stopped
        self.calls.append(run)
        return {"accuracy": self.accuracy(run), "seconds": 0.5}

    @staticmethod
    def accuracy(run):
        return round(0.5 + 0.01 * run["layers"] + 0.001 * run["seed"], 4)


@exercise(
    "06s.1",
    "A sweep that can be interrupted",
    "First the list of all runs: for each seed and each setting the dict `setting | {'seed': "
    "seed}`. Then leave out those that the file has already; `pd.read_csv(file).to_dict("
    "'records')` gives its rows as dicts.",
    "A run is in a row if all its pairs are: `run.items() <= row.items()` says so for two dicts.",
    "`frame.to_csv(file, mode='a', header=…, index=False)` appends. When is the header due?",
    "What must be on the disk already when the third run is interrupted?",
)
def check_sweep(sweep, generator):
    settings = [{"layers": n, "kind": kind} for n in (1, 3, 20) for kind in ("a", "b")]
    seeds = [0, 1, 4]
    wanted = [setting | {"seed": seed} for seed in seeds for setting in settings]
    for stop in (5, 11):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "table.csv")
            first = _Runs(file, stop)
            try:
                sweep(first, settings, seeds, file)
            except _Stopped:
                pass
            else:
                over = len(first.kept) > stop + 1
                require(not over, "an error in a run must end the sweep, not be passed over")
                require(False, f"{len(first.calls)} of {len(wanted)} runs were made")
            require(file.exists(), "interrupted: no finished run is in the file, all are lost")
            _require_one_header(file)
            kept = [count for count in first.kept if count]
            require(kept, "rows are written at the end only: an interruption loses all of them")
            told = "a finished run must be in the file before the next one begins"
            require(first.kept == list(range(stop + 1)), told)
            again = _Runs(file)
            result = sweep(again, settings, seeds, file)
            _require_goes_on(first.calls, again.calls, wanted, stop)
            _require_table(file, result, wanted)
            third = _Runs(file)
            sweep(third, settings, seeds, file)
            require(not third.calls, "a finished sweep is run again")
            more = _Runs(file)
            result = sweep(more, settings[2:4], [4, 5], file)
            extra = [setting | {"seed": 5} for setting in settings[2:4]]
            told = "with one seed more, only the runs with that seed are missing"
            require(_same(more.calls, extra), told)
            _require_table(file, result, wanted + extra)


def _key(run):
    return run["layers"], run["kind"], run["seed"]


def _same(first, second):
    return sorted(map(_key, first)) == sorted(map(_key, second))


def _require_goes_on(before, after, wanted, stop):
    for run in (*before, *after):
        odd = set(run) != {"layers", "kind", "seed"}
        require(not odd, "call `run_one(**setting, seed=seed)`: it gets other arguments")
    twice = [run for run in after if run in before]
    told = f"after {stop} finished runs it begins anew: look into the file first"
    require(len(twice) < len(before), told)
    require(not twice, f"{len(twice)} finished runs are run again")
    done = {_key(run) for run in (*before, *after)}
    lost = [run for run in wanted if _key(run) not in done]
    told = "is the seed looked at when a run is looked for in the file?"
    require(not lost, f"{len(lost)} runs are never made: {told}")
    first_seeds = {run["seed"] for run in before[:5]}
    told = "seed by seed: all settings with the first seed come first"
    require(len(first_seeds) == 1, told)


def _require_one_header(file):
    table = pd.read_csv(file)
    headers = (table.astype(str) == list(table.columns)).all(axis=1).sum()
    require(not headers, "the header stands in the file more than once")


def _require_table(file, result, wanted):
    _require_one_header(file)
    table = pd.read_csv(file)
    columns = {"layers", "kind", "seed", "accuracy", "seconds"}
    found = set(table.columns)
    told = f"the file's columns are {', '.join(table.columns)}; one for each part of a run"
    require(found == columns, f"{told}; is `index=False` there?" if len(found) > 5 else told)
    rows = table.to_dict("records")
    told = f"the file has {len(rows)} rows after {len(wanted)} runs"
    require(
        _same(rows, wanted), f"{told}: earlier rows must stay" if len(rows) < len(wanted) else told
    )
    right = all(row["accuracy"] == _Runs.accuracy(row) for row in rows)
    require(right, "a row holds another run's accuracy")
    require(result is not None, "it returns None: is a `return` missing?")
    frame = isinstance(result, pd.DataFrame)
    require(frame, f"it must return a DataFrame, not {type(result).__name__}")
    whole = columns <= set(result.columns) and _same(result.to_dict("records"), wanted)
    require(whole, "it must return all rows of the file, those of earlier calls too")


@exercise(
    "06s.2",
    "More layers",
    "`table.groupby('layers')['accuracy'].agg(['min', 'mean', 'max'])` has all that is asked for.",
    "A rival's highest accuracy reaches the lowest one of the best setting.",
    "For the trend compare three rows of that table: first, last, and the one of highest mean.",
)
def check_layers(answer, generator):
    table, conclusion = read_sweep(answer, {"layers": (1, 20)}, (*FIXED, "neurons"), 0.5)
    _require_several(table, "layers", 5)
    best = said(conclusion, "best", int, "a number of layers")
    require_best(table, "layers", best)
    require_rivals(table, "layers", best, said(conclusion, "rivals", list, "a list of settings"))
    require_trend(table, "layers", said(conclusion, "trend", str, "a word"))


@exercise(
    "06s.3",
    "More neurons",
    "`table.groupby('neurons')['accuracy'].agg(['min', 'mean', 'max'])` has all that is asked for.",
    "`enough`: go from few neurons to many, and stop at the first setting whose highest accuracy "
    "reaches the lowest one of the best setting.",
    "`widest`: the largest difference of `max` and `min`. Which accuracies stand behind it?",
)
def check_neurons(answer, generator):
    table, conclusion = read_sweep(answer, {"neurons": (1, 30)}, (*FIXED, "layers"), 0.5)
    _require_several(table, "neurons", 5)
    best = said(conclusion, "best", int, "a number of neurons")
    require_best(table, "neurons", best)
    enough = said(conclusion, "enough", int, "a number of neurons")
    tried = sorted(table["neurons"].unique().tolist())
    require(enough in tried, f"'enough': {enough} is no setting of your table")
    below = apart(runs(table, neurons=enough), runs(table, neurons=best))
    told = "each of its seeds lies below each of the best setting's"
    require(not below, f"'enough': {enough} is too few: {told}")
    fewer = [n for n in tried if n < enough]
    spared = any(not apart(runs(table, neurons=n), runs(table, neurons=best)) for n in fewer)
    require(not spared, f"'enough': fewer than {enough} are within the spread of the best, too")
    spread = table.groupby("neurons")["accuracy"].agg(lambda values: values.max() - values.min())
    widest = said(conclusion, "widest", int, "a number of neurons")
    require(widest in tried, f"'widest': {widest} is no setting of your table")
    told = "'widest': the seeds of another setting differ more, from lowest to highest"
    require(spread[widest] >= spread.max() - 1e-9, told)
    require_trend(table, "neurons", said(conclusion, "trend", str, "a word"))


def _require_several(table, name, fewest):
    count = table[name].nunique()
    require(count >= fewest, f"{count} settings of {name}: a trend needs at least {fewest}")
