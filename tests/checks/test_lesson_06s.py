"""The checks of lesson 06's sweeps pass right tables and conclusions, and name what does not fit.

The docstring of each wrong `sweep`, and the name of each spoiled table or conclusion, names the
mistake; `said` is what the check must say about it.
"""

from pathlib import Path

import pandas as pd
import pytest
from every_lesson import forgetful, verdict  # noqa: F401

from course_utils.checks import sweeps as helpers

# --- 06s.1 ---------------------------------------------------------------------------------------


def sweep(run_one, settings, seeds, file):
    file = Path(file)
    rows = pd.read_csv(file).to_dict("records") if file.exists() else []
    wanted = [setting | {"seed": seed} for seed in seeds for setting in settings]
    for run in wanted:
        if any(run.items() <= row.items() for row in rows):
            continue
        row = pd.DataFrame([run | run_one(**run)])
        row.to_csv(file, mode="a", header=not file.exists(), index=False)
    return pd.read_csv(file)


def sweep_by_text(run_one, settings, seeds, file):
    """Another right one: keys of text, and the whole file written anew through a second one."""
    file = Path(file)
    table = pd.read_csv(file) if file.exists() else pd.DataFrame()
    for seed in seeds:
        for setting in settings:
            run = {**setting, "seed": seed}
            known = [str({key: row[key] for key in run}) for row in table.to_dict("records")]
            if str(run) not in known:
                table = pd.concat([table, pd.DataFrame([{**run, **run_one(**run)}])])
                table.to_csv(file.with_suffix(".part"), index=False)
                file.with_suffix(".part").replace(file)
    return table.reset_index(drop=True)


def sweep_written_at_the_end(run_one, settings, seeds, file):
    """Collects the rows and writes them when all are done."""
    runs = [setting | {"seed": seed} for seed in seeds for setting in settings]
    pd.DataFrame([run | run_one(**run) for run in runs]).to_csv(file, index=False)
    return pd.read_csv(file)


def sweep_from_the_start(run_one, settings, seeds, file):
    """Writes each row at once, but never looks into the file."""
    for seed in seeds:
        for setting in settings:
            run = setting | {"seed": seed}
            row = pd.DataFrame([run | run_one(**run)])
            row.to_csv(file, mode="a", header=not Path(file).exists(), index=False)
    return pd.read_csv(file)


def sweep_blind_for_seeds(run_one, settings, seeds, file):
    """Looks for the setting in the file, and not for the seed."""
    for seed in seeds:
        for setting in settings:
            rows = pd.read_csv(file).to_dict("records") if Path(file).exists() else []
            if not any(setting.items() <= row.items() for row in rows):
                row = pd.DataFrame([setting | {"seed": seed} | run_one(**setting, seed=seed)])
                row.to_csv(file, mode="a", header=not Path(file).exists(), index=False)
    return pd.read_csv(file)


def sweep_setting_by_setting(run_one, settings, seeds, file):
    """Makes all seeds of one setting before the next setting."""
    turned = [setting | {"seed": seed} for setting in settings for seed in seeds]
    for run in turned:
        sweep(
            lambda **kw: run_one(**kw),
            [{k: run[k] for k in run if k != "seed"}],
            [run["seed"]],
            file,
        )
    return pd.read_csv(file)


def sweep_with_many_headers(run_one, settings, seeds, file):
    """Writes the header with each row."""
    file = Path(file)
    rows = pd.read_csv(file).astype(str).to_dict("records") if file.exists() else []
    for run in [setting | {"seed": seed} for seed in seeds for setting in settings]:
        if not any({k: str(v) for k, v in run.items()}.items() <= row.items() for row in rows):
            pd.DataFrame([run | run_one(**run)]).to_csv(file, mode="a", index=False)
    return pd.read_csv(file)


def sweep_with_index(run_one, settings, seeds, file):
    """Writes the frame's index too, which becomes a column without a name."""
    file = Path(file)
    rows = pd.read_csv(file).to_dict("records") if file.exists() else []
    for run in [setting | {"seed": seed} for seed in seeds for setting in settings]:
        if not any(run.items() <= row.items() for row in rows):
            row = pd.DataFrame([run | run_one(**run)])
            row.to_csv(file, mode="a", header=not file.exists())
    return pd.read_csv(file)


def sweep_passing_errors_over(run_one, settings, seeds, file):
    """Goes on after an error as if nothing had happened."""

    def careful(**run):
        try:
            return run_one(**run)
        except Exception:
            return {"accuracy": 0.0, "seconds": 0.0}

    return sweep(careful, settings, seeds, file)


def sweep_new_rows_only(run_one, settings, seeds, file):
    """Returns the rows of this call, not those of the file."""
    before = len(pd.read_csv(file)) if Path(file).exists() else 0
    return sweep(run_one, settings, seeds, file).iloc[before:]


def sweep_overwriting(run_one, settings, seeds, file):
    """Remembers what is done, but begins a new file."""
    rows = pd.read_csv(file).to_dict("records") if Path(file).exists() else []
    new = []
    for run in [setting | {"seed": seed} for seed in seeds for setting in settings]:
        if not any(run.items() <= row.items() for row in rows):
            new.append(run | run_one(**run))
            pd.DataFrame(new).to_csv(file, index=False)
    return pd.read_csv(file)


def sweep_without_return(run_one, settings, seeds, file):
    """Does all, and returns nothing."""
    sweep(run_one, settings, seeds, file)


WRONG_SWEEPS = [
    (sweep_written_at_the_end, "no finished run is in the file"),
    (sweep_from_the_start, "begins anew"),
    (sweep_blind_for_seeds, "is the seed looked at"),
    (sweep_setting_by_setting, "seed by seed"),
    (sweep_with_many_headers, "header"),
    (sweep_with_index, "index=False"),
    (sweep_passing_errors_over, "must end the sweep"),
    (sweep_new_rows_only, "all rows of the file"),
    (sweep_overwriting, "earlier rows must stay"),
    (sweep_without_return, "a `return` missing"),
]


@pytest.mark.parametrize("answer", [sweep, sweep_by_text, helpers.sweep])
def test_right_sweeps_pass(capsys, answer):
    assert verdict(capsys, "06s.1", answer).startswith("✓ 06s.1")


@pytest.mark.parametrize(("answer", "said"), WRONG_SWEEPS, ids=lambda v: getattr(v, "__name__", ""))
def test_wrong_sweeps_are_named(capsys, answer, said):
    line = verdict(capsys, "06s.1", answer)
    assert line.startswith("✗ 06s.1") and any(words in line for words in said.split("|")), line


# --- 06s.2 and 06s.3: tables ---------------------------------------------------------------------

# Accuracies with seeds 0, 1, 2. Best in the mean is 3, best single run 5, best with seed 1 is 2.
LAYERS = {
    1: (0.846, 0.850, 0.855),
    2: (0.854, 0.874, 0.856),
    3: (0.866, 0.870, 0.875),
    5: (0.861, 0.869, 0.877),
    10: (0.826, 0.830, 0.833),
    20: (0.5, 0.5, 0.498),
}
NEURONS = {
    1: (0.846, 0.850, 0.855),
    2: (0.855, 0.860, 0.864),
    5: (0.868, 0.874, 0.861),
    30: (0.900, 0.903, 0.896),
    100: (0.901, 0.899, 0.905),
    300: (0.897, 0.901, 0.902),
}


def table_of(name, accuracies, **common):
    rows = [
        {name: setting, **common, "epochs": 20, "seed": seed, "accuracy": value}
        for setting, values in accuracies.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(seconds=[0.5 + 0.01 * i for i in range(len(rows))])


def layer_table():
    return table_of("layers", LAYERS, neurons=30, optimizer="SGD")


def neuron_table():
    return table_of("neurons", NEURONS, layers=2, optimizer="SGD")


@pytest.fixture
def keep(tmp_path):
    """A function that writes a table and returns the file."""

    def write(table):
        file = tmp_path / "sweep.csv"
        table.to_csv(file, index=False)
        return str(file)

    return write


def written_down(**changes):
    """A conclusion read off the table; the check gets a function."""
    conclusion = {"best": 3, "rivals": [2, 5], "trend": "peaks"} | changes
    return lambda table: conclusion


def computed(table):
    """The same, by loops."""
    lists = {n: sorted(rows["accuracy"]) for n, rows in table.groupby("layers")}
    means = {n: sum(values) / len(values) for n, values in lists.items()}
    best = max(means, key=means.get)
    rivals = {n for n in lists if n != best and lists[n][-1] >= lists[best][0]}
    ends = max(lists[min(lists)][-1], lists[max(lists)][-1])
    trend = "peaks" if ends < lists[best][0] else "flat"
    return {"best": best, "rivals": rivals, "trend": trend, "why": "they overlap"}


@pytest.mark.parametrize("conclude", [written_down(), computed, written_down(rivals=(5, 2))])
def test_right_conclusions_pass(capsys, keep, conclude):
    assert verdict(capsys, "06s.2", (keep(layer_table()), conclude)).startswith("✓ 06s.2")


def test_more_settings_seeds_and_columns_pass(capsys, keep):
    more = layer_table().assign(learned=1)
    more = pd.concat([more, more.assign(seed=more["seed"] + 3)])
    assert verdict(capsys, "06s.2", (keep(more), written_down())).startswith("✓")


def edited(change):
    """A spoiled table: the right one after `change(table)`."""
    table = layer_table()
    result = change(table)
    return table if result is None else result


def at(**where):
    """Rows of the table, as `.loc` takes them."""
    return lambda t: (t[list(where)] == list(where.values())).all(axis=1)


WRONG_TABLES = {
    "one setting was never run": (lambda t: t[t["layers"] != 20], "no row has layers = 20"),
    "one seed": (lambda t: t[t["seed"] == 0], "one seed says nothing about the spread"),
    "two seeds": (lambda t: t[t["seed"] < 2], "2 seeds are few"),
    "interrupted": (lambda t: t.iloc[:-1], "layers = 20 lacks seed 2: interrupted?"),
    "trained twice": (
        lambda t: pd.concat([t, t.iloc[:1]]),
        "layers = 1 with seed 0 stands there 2",
    ),
    "identical accuracies": (lambda t: t.assign(accuracy=0.5), "identical in all rows"),
    "the seed is not set": (
        lambda t: t.assign(accuracy=t["layers"] / 30 + 0.3),
        "the seed changes nothing",
    ),
    "the setting is not used": (
        lambda t: t.assign(accuracy=0.8 + t["seed"] / 100),
        "the setting changes nothing",
    ),
    "percent": (lambda t: t.assign(accuracy=100 * t["accuracy"]), "in percent?"),
    "below zero": (lambda t: t.assign(accuracy=t["accuracy"] - 0.6), "lies below 0"),
    "errors instead of accuracies": (
        lambda t: t.assign(accuracy=t["accuracy"] - 0.45),
        "no setting does better than guessing (0.5)",
    ),
    "no clock": (lambda t: t.assign(seconds=0.0), "the time was not measured"),
    "a constant for the time": (lambda t: t.assign(seconds=1.0), "the time was not measured"),
    "epochs changed halfway": (
        lambda t: t.assign(epochs=[20] * 9 + [50] * 9),
        "rows with epochs 20 and 50 stand in one table",
    ),
    "few settings": (lambda t: t[t["layers"].isin([1, 3, 10, 20])], "4 settings of layers"),
    "no seconds": (lambda t: t.drop(columns="seconds"), "no column seconds"),
    "a value is missing": (
        lambda t: t.assign(accuracy=t["accuracy"].where(t["layers"] > 1)),
        "without a value",
    ),
    "text": (lambda t: t.assign(accuracy="high"), "accuracy must hold numbers"),
    "infinite": (lambda t: t.assign(accuracy=float("inf")), "must hold numbers"),
    "no rows": (lambda t: t.iloc[:0], ""),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_spoiled_tables_are_named(capsys, keep, name):
    change, said = WRONG_TABLES[name]
    line = verdict(capsys, "06s.2", (keep(change(layer_table())), written_down()))
    assert line.startswith("✗ 06s.2") and said in line and "your code raised" not in line, line


WRONG_CONCLUSIONS = {
    "the best single run": ({"best": 5}, "the best single run"),
    "the best with one seed": ({"best": 2}, "the best with seed 1 alone"),
    "the worst": ({"best": 20}, "lowest mean"),
    "another": ({"best": 10}, "another setting has a higher mean"),
    "not tried": ({"best": 4}, "no setting of your table"),
    "better inside the spread": ({"rivals": [2]}, "one is missing"),
    "all others": ({"rivals": [1, 2, 5, 10, 20]}, "1: each of its seeds lies below"),
    "itself": ({"rivals": [2, 3, 5]}, "no rival of itself"),
    "only the ends are compared": ({"trend": "falls"}, "a setting between them"),
    "more is better": ({"trend": "rises"}, "does not follow"),
    "a word of one's own": ({"trend": "bad"}, "must be one of rises"),
    "a list for a number": ({"best": [3]}, "must be a number of layers"),
    "a number for a list": ({"rivals": 2}, "must be a list"),
}


@pytest.mark.parametrize("name", WRONG_CONCLUSIONS)
def test_wrong_conclusions_are_named(capsys, keep, name):
    change, said = WRONG_CONCLUSIONS[name]
    line = verdict(capsys, "06s.2", (keep(layer_table()), written_down(**change)))
    assert line.startswith("✗ 06s.2") and said in line, line


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ({1: (0.6, 0.61, 0.62), 20: (0.7, 0.71, 0.72)}, "rises"),
        ({1: (0.9, 0.91, 0.92), 20: (0.7, 0.71, 0.72)}, "falls"),
        ({1: (0.6, 0.63, 0.62), 20: (0.62, 0.61, 0.65)}, "flat"),
        ({1: (0.6, 0.61, 0.62), 3: (0.8, 0.81, 0.82), 20: (0.7, 0.71, 0.72)}, "peaks"),
        ({1: (0.6, 0.61, 0.62), 3: (0.8, 0.72, 0.82), 20: (0.7, 0.71, 0.72)}, "rises"),
    ],
)
def test_trends(values, trend):
    assert helpers.trend_of(table_of("layers", values), "layers") == trend


# --- 06s.3 ---------------------------------------------------------------------------------------


def enough(**changes):
    conclusion = {"best": 100, "enough": 30, "widest": 5, "trend": "rises"} | changes
    return lambda table: conclusion


def enough_computed(table):
    """The same, by walking from few neurons to many."""
    best = table.groupby("neurons")["accuracy"].mean().idxmax()
    floor = table.loc[table["neurons"] == best, "accuracy"].min()
    groups = dict(list(table.sort_values("neurons").groupby("neurons")["accuracy"]))
    enough = next(count for count, values in groups.items() if (values >= floor).any())
    widest = max(groups, key=lambda count: groups[count].max() - groups[count].min())
    return {"best": best, "enough": enough, "widest": widest, "trend": "rises"}


@pytest.mark.parametrize("conclude", [enough(), enough_computed])
def test_right_neurons_pass(capsys, keep, conclude):
    assert verdict(capsys, "06s.3", (keep(neuron_table()), conclude)).startswith("✓ 06s.3")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"enough": 100}, "fewer than 100 are within the spread"),
        ({"enough": 5}, "5 is too few"),
        ({"enough": 7}, "no setting of your table"),
        ({"best": 300}, "another setting has a higher mean"),
        ({"best": 1}, "lowest mean"),
        ({"widest": 30}, "another setting differ more"),
        ({"widest": 4}, "'widest': 4 is no setting"),
        ({"trend": "flat"}, "does not follow"),
        ({"trend": "peaks"}, "does not follow"),
        ({"enough": True}, "must be a number of neurons"),
    ],
)
def test_wrong_neurons_are_named(capsys, keep, change, said):
    line = verdict(capsys, "06s.3", (keep(neuron_table()), enough(**change)))
    assert line.startswith("✗ 06s.3") and said in line, line


# --- what is to do, and what is no answer --------------------------------------------------------


def stub(*anything):
    raise NotImplementedError


@pytest.mark.parametrize("number", ["06s.1", "06s.2", "06s.3"])
def test_stubs_are_to_do(capsys, tmp_path, number):
    answer = stub if number == "06s.1" else (str(tmp_path / "sweep.csv"), stub)
    assert verdict(capsys, number, answer).startswith(f"to do: {number}")
    assert verdict(capsys, number, ...).startswith(f"to do: {number}")


def test_stub_beside_a_table_is_to_do(capsys, keep):
    assert verdict(capsys, "06s.2", (keep(layer_table()), stub)).startswith("to do")
    half = written_down(best=...)
    assert verdict(capsys, "06s.2", (keep(layer_table()), half)).startswith("to do")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "a pair"),
        (layer_table(), "a pair"),
        (("no.csv", written_down()), "there is no table no.csv beside the notebook"),
        (("no.csv", computed), "there is no table no.csv"),
    ],
)
def test_what_is_no_answer_is_said(capsys, answer, said):
    line = verdict(capsys, "06s.2", answer)
    assert line.startswith("✗") and said in line and "your code raised" not in line


@pytest.mark.parametrize(
    ("text", "said"), [("", "is empty"), ("a,b\n1,2\n1,2,3\n", "is no table"), ("\xff\xfe", "")]
)
def test_broken_files_are_said(capsys, tmp_path, text, said):
    file = tmp_path / "sweep.csv"
    file.write_bytes(text.encode("latin-1"))
    line = verdict(capsys, "06s.2", (str(file), written_down()))
    assert line.startswith("✗") and said in line and "your code raised" not in line


@pytest.mark.parametrize("value", [None, 3, "peaks", [3]])
def test_conclusion_that_is_no_dict_is_said(capsys, keep, value):
    line = verdict(capsys, "06s.2", (keep(layer_table()), lambda table: value))
    assert line.startswith("✗") and ("dict" in line or "return" in line)


# --- the helpers ---------------------------------------------------------------------------------


def test_changed_columns_are_refused(tmp_path):
    file = tmp_path / "sweep.csv"
    helpers.sweep(lambda x, seed: {"accuracy": 0.5}, [{"x": 1}], [0], file)
    with pytest.raises(ValueError, match=r"sweep\.csv has the columns .* delete the file"):
        helpers.sweep(lambda x, seed: {"f1": 0.5}, [{"x": 1}], [0, 1], file)
    assert len(pd.read_csv(file)) == 1


def test_order_of_columns_does_not_matter(tmp_path):
    file = tmp_path / "sweep.csv"
    helpers.sweep(lambda x, seed: {"a": x, "b": 2}, [{"x": 1}], [0], file)
    table = helpers.sweep(lambda x, seed: {"b": 2, "a": x}, [{"x": 1}], [0, 1], file)
    assert table["a"].tolist() == [1, 1] and table["b"].tolist() == [2, 2]


def test_drawn_band_reaches_from_lowest_to_highest():
    import matplotlib.pyplot as plt

    ax = helpers.draw_sweep(layer_table(), "layers")
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(0.877) and band[:, 1].min() == pytest.approx(0.498)
    assert ax.lines[0].get_ydata()[2] == pytest.approx(sum(LAYERS[3]) / 3)
    plt.close("all")


def test_unknown_record_names_the_known_ones():
    with pytest.raises(FileNotFoundError, match="no sweep '99' was recorded; there are 06_layers"):
        helpers.recorded_sweep("99")
