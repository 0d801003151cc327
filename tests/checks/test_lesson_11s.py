"""The checks of lesson 11's sweeps pass right tables and conclusions, and name what does not fit.

The name of each spoiled table or conclusion names the mistake; `said` is what the check must say.
What all sweeps share is tested with lesson 06's.
"""

import pandas as pd
import pytest
from every_lesson import forgetful  # noqa: F401

from course_utils.checks import check


@pytest.fixture
def verdict(capsys, tmp_path):
    """A function of an exercise, a table and a conclusion that returns the check's line."""

    def judge(number, table, conclude):
        file = tmp_path / "sweep.csv"
        table.to_csv(file, index=False)
        check(number, (str(file), conclude if callable(conclude) else lambda table: conclude))
        return capsys.readouterr().out

    return judge


def with_common(rows):
    table = pd.DataFrame(rows).assign(images=1000, epochs=40)
    return table.assign(seconds=[1 + 0.01 * i for i in range(len(table))])


# --- 11s.1: early and late accuracies, and the epoch of the lowest loss --------------------------

FORTY = {
    "fully connected": ((0.80, 0.85), (0.81, 0.82), (0.83, 0.84), (39, 38, 37)),
    "CNN": ((0.86, 0.88), (0.85, 0.89), (0.85, 0.87), (17, 15, 16)),
    "six convolutions": ((0.50, 0.84), (0.55, 0.86), (0.60, 0.83), (40, 31, 39)),
}


def forty():
    return with_common(
        {
            "network": network,
            "seed": seed,
            "early_accuracy": pairs[seed][0],
            "accuracy": pairs[seed][1],
            "best_epoch": pairs[3][seed],
        }
        for network, pairs in FORTY.items()
        for seed in range(3)
    )


CONCLUDED = {
    "gained": ["CNN", "six convolutions"],
    "most": "six convolutions",
    "past_best": ["CNN", "fully connected"],
}


def conclude_forty(table):
    """The same, computed by loops."""
    early, late, past = {}, {}, {}
    for row in table.to_dict("records"):
        early.setdefault(row["network"], []).append(row["early_accuracy"])
        late.setdefault(row["network"], []).append(row["accuracy"])
        past.setdefault(row["network"], []).append(row["best_epoch"] < row["epochs"])
    return {
        "gained": {name for name in early if min(late[name]) > max(early[name])},
        "most": max(early, key=lambda name: sum(late[name]) - sum(early[name])),
        "past_best": tuple(name for name in past if all(past[name])),
    }


@pytest.mark.parametrize("conclude", [CONCLUDED, conclude_forty])
def test_right_forty(verdict, conclude):
    assert verdict("11s.1", forty(), conclude).startswith("✓ 11s.1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gained": ["CNN"]}, "'gained': one is missing"),
        ({"gained": list(FORTY)}, "'fully connected': its gain lies inside the spread"),
        ({"most": "CNN"}, "it ends highest, but was high early"),
        ({"most": "fully connected"}, "another gains more"),
        ({"most": "linear"}, "'linear' is none of"),
        ({"past_best": list(FORTY)}, "'six convolutions': with some seed"),
        ({"past_best": []}, "'past_best': one is missing"),
    ],
)
def test_wrong_forty(verdict, change, said):
    line = verdict("11s.1", forty(), CONCLUDED | change)
    assert line.startswith("✗ 11s.1") and said in line, line


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("a network is left out", lambda t: t[t["network"] != "CNN"], "no row has network = CNN"),
        (
            "the last accuracy twice",
            lambda t: t.assign(early_accuracy=t["accuracy"]),
            "which epoch is early?",
        ),
        ("epochs from 0", lambda t: t.assign(best_epoch=t["best_epoch"] - 15), "counted from 1"),
        ("percent", lambda t: t.assign(early_accuracy=90.0), "early_accuracy 90 lies above 1"),
        ("10 and 40", lambda t: t.assign(epochs=[10, *[40] * 8]), "epochs 10 and 40"),
    ],
)
def test_spoiled_forty(verdict, name, spoil, said):
    line = verdict("11s.1", spoil(forty()), CONCLUDED)
    assert line.startswith("✗ 11s.1") and said in line, line


# --- 11s.2: two settings at once -----------------------------------------------------------------

DEPTH = {
    (2, 0): (0.36, 0.37, 0.38),
    (2, 1): (0.39, 0.40, 0.405),
    (2, 2): (0.40, 0.42, 0.41),
    (6, 0): (0.35, 0.33, 0.37),
    (6, 1): (0.38, 0.36, 0.40),
    (6, 2): (0.38, 0.44, 0.36),
    (10, 0): (0.31, 0.30, 0.35),
    (10, 1): (0.33, 0.31, 0.35),
    (10, 2): (0.36, 0.31, 0.33),
}


def depth():
    return with_common(
        {"convolutions": n, "poolings": k, "seed": seed, "accuracy": accuracy}
        for (n, k), accuracies in DEPTH.items()
        for seed, accuracy in enumerate(accuracies)
    )


DEPTH_CONCLUDED = {"best": (2, 2), "rivals": [(2, 1), (6, 1), (6, 2)], "poolings_help": [2]}


def conclude_depth(table):
    """The same by a pivot; pairs as lists."""
    wide = table.pivot_table(index=["convolutions", "poolings"], columns="seed", values="accuracy")
    best = wide.mean(axis=1).idxmax()
    rivals = [list(pair) for pair in wide.index if wide.loc[pair].max() >= wide.loc[best].min()]
    helped = [n for n in (2, 6, 10) if wide.loc[(n, 2)].min() > wide.loc[(n, 0)].max()]
    rivals.remove(list(best))
    return {"best": list(best), "rivals": rivals, "poolings_help": helped}


@pytest.mark.parametrize("conclude", [DEPTH_CONCLUDED, conclude_depth])
def test_right_depth(verdict, conclude):
    assert verdict("11s.2", depth(), conclude).startswith("✓ 11s.2")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"best": (6, 2)}, "best single run"),
        ({"best": (2, 1)}, "another setting has a higher mean"),
        ({"best": 2}, "must be a pair"),
        ({"best": (2, 2, 0)}, "must be a pair"),
        ({"best": (0, 2)}, "first the convolutions, then the poolings"),
        ({"best": (4, 1)}, "no setting of your table"),
        ({"rivals": []}, "one is missing"),
        ({"rivals": [(2, 0), (2, 1), (6, 1), (6, 2)]}, "(2, 0): each of its seeds"),
        ({"poolings_help": [2, 6]}, "6: the seeds with two poolings are not all above"),
        ({"poolings_help": []}, "with two poolings every seed is above"),
    ],
)
def test_wrong_depth(verdict, change, said):
    line = verdict("11s.2", depth(), DEPTH_CONCLUDED | change)
    assert line.startswith("✗ 11s.2") and said in line, line


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        (
            "one pair is missing",
            lambda t: t[(t["convolutions"] != 10) | (t["poolings"] != 1)],
            "no row has convolutions = 10, poolings = 1; every combination is needed",
        ),
        ("no pooling at all", lambda t: t[t["poolings"] == 0], "no row has poolings = 1"),
        (
            "two depths",
            lambda t: t[t["convolutions"] != 6],
            "2 numbers of convolutions: take at least 3",
        ),
        ("nothing learned", lambda t: t.assign(accuracy=t["accuracy"] / 4), "guessing (0.1)"),
    ],
)
def test_spoiled_depth(verdict, name, spoil, said):
    line = verdict("11s.2", spoil(depth()), DEPTH_CONCLUDED)
    assert line.startswith("✗ 11s.2") and said in line, line


# --- 11s.3 ---------------------------------------------------------------------------------------

FILTERS = {
    ("MNIST", 1): (0.80, 0.82, 0.81),
    ("MNIST", 3): (0.90, 0.91, 0.92),
    ("MNIST", 5): (0.92, 0.93, 0.935),
    ("MNIST", 7): (0.93, 0.925, 0.94),
    ("CIFAR-10", 1): (0.30, 0.36, 0.33),
    ("CIFAR-10", 3): (0.36, 0.42, 0.41),
    ("CIFAR-10", 5): (0.42, 0.41, 0.43),
    ("CIFAR-10", 7): (0.40, 0.39, 0.38),
}


def filters():
    return with_common(
        {"data": data, "K": K, "seed": seed, "accuracy": accuracy}
        for (data, K), accuracies in FILTERS.items()
        for seed, accuracy in enumerate(accuracies)
    )


FILTERS_CONCLUDED = {
    "best": {"MNIST": 7, "CIFAR-10": 5},
    "neighbors": ["MNIST"],
    "larger": ["MNIST"],
}


def conclude_filters(table):
    """The same, computed with a table of lists."""
    lists = table.groupby(["data", "K"])["accuracy"].apply(list)
    names = ("MNIST", "CIFAR-10")
    return {
        "best": {name: lists[name].map(sum).idxmax() for name in names},
        "neighbors": [name for name in names if min(lists[name, 3]) > max(lists[name, 1])],
        "larger": [name for name in names if min(lists[name, 7]) > max(lists[name, 3])],
    }


@pytest.mark.parametrize("conclude", [FILTERS_CONCLUDED, conclude_filters])
def test_right_filters(verdict, conclude):
    assert verdict("11s.3", filters(), conclude).startswith("✓ 11s.3")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"best": {"MNIST": 7}}, "'best' has no 'CIFAR-10'"),
        ({"best": 7}, "must be a dict"),
        ({"best": {"MNIST": 5, "CIFAR-10": 5}}, "best of MNIST"),
        ({"best": {"MNIST": 7, "CIFAR-10": 3}}, "the best with seed 1 alone"),
        ({"neighbors": ["MNIST", "CIFAR-10"]}, "'CIFAR-10': not every seed with K = 3"),
        ({"neighbors": []}, "with K = 3 every seed is above"),
        ({"larger": []}, "with the largest K every seed"),
        ({"larger": ["CIFAR-10", "MNIST"]}, "'CIFAR-10': not every seed with K = 7"),
    ],
)
def test_wrong_filters(verdict, change, said):
    line = verdict("11s.3", filters(), FILTERS_CONCLUDED | change)
    assert line.startswith("✗ 11s.3") and said in line, line


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("one data set", lambda t: t[t["data"] == "MNIST"], "no row has data = CIFAR-10"),
        ("even filters", lambda t: t.assign(K=t["K"].replace({5: 4})), "no row has K = 5"),
        (
            "an even filter too",
            lambda t: pd.concat([t, t[t["K"] == 3].assign(K=2)]),
            "K = 2: odd sizes only",
        ),
    ],
)
def test_spoiled_filters(verdict, name, spoil, said):
    line = verdict("11s.3", spoil(filters()), FILTERS_CONCLUDED)
    assert line.startswith("✗ 11s.3") and said in line, line


# --- 11s.4 ---------------------------------------------------------------------------------------

BLOCKS = {
    ("fully connected", 1): (0.34, 0.35, 0.33),
    ("fully connected", 2): (0.35, 0.33, 0.34),
    ("fully connected", 4): (0.33, 0.34, 0.36),
    ("fully connected", 32): (0.35, 0.35, 0.33),
    ("CNN", 1): (0.42, 0.43, 0.41),
    ("CNN", 2): (0.40, 0.42, 0.41),
    ("CNN", 4): (0.38, 0.37, 0.36),
    ("CNN", 32): (0.28, 0.27, 0.29),
}


def blocks(changed=()):
    return with_common(
        {"network": network, "block": block, "seed": seed, "accuracy": accuracy}
        for (network, block), accuracies in (BLOCKS | dict(changed)).items()
        for seed, accuracy in enumerate(accuracies)
    )


BLOCKS_CONCLUDED = {"control": True, "hurt_from": 4, "lead_left": False}


def conclude_blocks(table):
    """The same, from sets of accuracies."""

    def of(network, block):
        return table[(table.network == network) & (table.block == block)].accuracy

    last = table.block.max()
    plain, other = of("fully connected", 1), of("fully connected", last)
    hurt = [b for b in sorted(table.block.unique()) if of("CNN", b).max() < of("CNN", 1).min()]
    return {
        "control": not (plain.max() < other.min() or other.max() < plain.min()),
        "hurt_from": hurt[0] if hurt else None,
        "lead_left": of("CNN", last).min() > other.max(),
    }


@pytest.mark.parametrize("conclude", [BLOCKS_CONCLUDED, conclude_blocks])
def test_right_blocks(verdict, conclude):
    assert verdict("11s.4", blocks(), conclude).startswith("✓ 11s.4")


@pytest.mark.parametrize("conclude", [{**BLOCKS_CONCLUDED, "hurt_from": None}, conclude_blocks])
def test_nothing_hurts(verdict, conclude):
    unhurt = {("CNN", block): BLOCKS["CNN", 1] for block in (2, 4, 32)}
    conclude = conclude if callable(conclude) else conclude | {"lead_left": True}
    assert verdict("11s.4", blocks(unhurt), conclude).startswith("✓ 11s.4")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"control": False}, "at block 1 and at block 32 overlap"),
        ({"control": "yes"}, "must be True or False"),
        ({"hurt_from": 2}, "2: the CNN's seeds there are not all below"),
        ({"hurt_from": 32}, "a block smaller than 32 hurts already"),
        ({"hurt_from": None}, "at some block every seed lies below"),
        ({"hurt_from": 3}, "3 is no block of your table"),
        ({"lead_left": True}, "not every seed of the CNN is above"),
        ({"lead_left": 0}, "must be True or False"),
    ],
)
def test_wrong_blocks(verdict, change, said):
    line = verdict("11s.4", blocks(), BLOCKS_CONCLUDED | change)
    assert line.startswith("✗ 11s.4") and said in line, line


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        (
            "the CNN alone",
            lambda t: t[t["network"] == "CNN"],
            "no row has network = fully connected",
        ),
        ("never whole pictures", lambda t: t[t["block"] < 32], "no row has block = 32"),
        (
            "one network at more blocks",
            lambda t: t[(t["network"] == "CNN") | (t["block"] != 2)],
            "no row has network = fully connected, block = 2",
        ),
    ],
)
def test_spoiled_blocks(verdict, name, spoil, said):
    line = verdict("11s.4", spoil(blocks()), BLOCKS_CONCLUDED)
    assert line.startswith("✗ 11s.4") and said in line, line


# --- what is to do -------------------------------------------------------------------------------


def stub(table):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("number", "table"),
    [("11s.1", forty), ("11s.2", depth), ("11s.3", filters), ("11s.4", blocks)],
)
def test_stubs_are_to_do(capsys, tmp_path, verdict, number, table):
    check(number, (str(tmp_path / "none.csv"), stub))
    assert capsys.readouterr().out.startswith(f"to do: {number}")
    assert verdict(number, table(), stub).startswith(f"to do: {number}")
    line = verdict(number, table(), {})
    assert line.startswith("✗") and "the conclusion has no" in line
