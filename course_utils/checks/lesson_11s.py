"""Checks of the sweeps of lesson 11: forty epochs, depth and pooling, filter sizes, shuffling."""

from course_utils.checks import exercise, require
from course_utils.checks.sweeps import (
    apart,
    read_sweep,
    require_best,
    require_members,
    require_rivals,
    runs,
    said,
)

NETWORKS = ("fully connected", "CNN", "six convolutions")
CHANCE = 0.1


@exercise(
    "11s.1",
    "Forty epochs, three networks",
    "For each network there are two groups of numbers, `early_accuracy` and `accuracy`, one of "
    "each a seed. The second has gained if its lowest lies above the highest of the first.",
    "`most` is about means over the seeds of `accuracy` minus `early_accuracy`.",
    "`past_best`: compare `best_epoch` with `epochs`, in every row of the network.",
)
def check_forty(answer, generator):
    table, conclusion = read_sweep(
        answer,
        {"network": NETWORKS},
        ("images", "epochs"),
        CHANCE,
        ("early_accuracy", "best_epoch"),
    )
    epochs = table["epochs"].iloc[0]
    inside = table["best_epoch"].between(1, epochs).all()
    require(inside, f"best_epoch must lie between 1 and {epochs}: epochs are counted from 1")
    same = (table["early_accuracy"] == table["accuracy"]).all()
    require(not same, "early_accuracy is the last accuracy in every row: which epoch is early?")
    groups = dict(list(table.groupby("network")))
    right = [
        name for name, rows in groups.items() if apart(rows["early_accuracy"], rows["accuracy"])
    ]
    require_members(
        said(conclusion, "gained", list, "a list of networks"),
        right,
        "gained",
        "one is missing: all its accuracies at the end lie above all its early ones",
        "its gain lies inside the spread of the seeds",
    )
    most = said(conclusion, "most", str, "a network's name")
    require(most in groups, f"'most': {most!r} is none of {', '.join(groups)}")
    gains = (table["accuracy"] - table["early_accuracy"]).groupby(table["network"]).mean()
    ahead = table.groupby("network")["accuracy"].mean().idxmax()
    if gains[most] < gains.max() - 1e-9:
        told = "it ends highest, but was high early" if most == ahead else "another gains more"
        require(False, f"'most': {told}; take the mean of the differences")
    every = [name for name, rows in groups.items() if (rows["best_epoch"] < epochs).all()]
    require_members(
        said(conclusion, "past_best", list, "a list of networks"),
        every,
        "past_best",
        "one is missing: its validation loss was lowest before the last epoch with every seed",
        "with some seed its validation loss was lowest in the last epoch",
    )


@exercise(
    "11s.2",
    "Depth and pooling",
    "`table.groupby(['convolutions', 'poolings'])['accuracy'].agg(['min', 'mean', 'max'])`.",
    "The label of its largest mean is a pair, as the answer wants it: `['mean'].idxmax()`.",
    "`poolings_help`: for each number of convolutions compare the highest accuracy without "
    "pooling with the lowest one with two.",
)
def check_depth(answer, generator):
    varied = ["convolutions", "poolings"]
    settings = {"convolutions": (2, 10), "poolings": (0, 1, 2)}
    table, conclusion = read_sweep(answer, settings, ("images", "epochs"), CHANCE)
    count = table["convolutions"].nunique()
    require(count >= 3, f"{count} numbers of convolutions: take at least 3, from 2 to 10")
    best = said(conclusion, "best", (tuple, list), "a pair (convolutions, poolings)")
    require(len(best) == 2, f"'best' must be a pair (convolutions, poolings), not {best!r}")
    swapped = tuple(best[::-1]) in list(zip(table[varied[0]], table[varied[1]], strict=True))
    known = tuple(best) in list(zip(table[varied[0]], table[varied[1]], strict=True))
    require(known or not swapped, "'best': first the convolutions, then the poolings")
    require_best(table, varied, best)
    rivals = said(conclusion, "rivals", list, "a list of pairs")
    require_rivals(table, varied, best, rivals)
    right = [
        int(n)
        for n in sorted(table["convolutions"].unique())
        if apart(runs(table, convolutions=n, poolings=0), runs(table, convolutions=n, poolings=2))
    ]
    require_members(
        said(conclusion, "poolings_help", list, "a list of numbers of convolutions"),
        right,
        "poolings_help",
        "one is missing: with two poolings every seed is above every seed without",
        "the seeds with two poolings are not all above those without",
    )


@exercise(
    "11s.3",
    "Filter sizes",
    "Take one data set after the other: `table[table['data'] == 'MNIST']`.",
    "`neighbors` compares K = 1 with K = 3; `larger` compares K = 3 with the largest K.",
    "`larger` is about *better than K = 3*, whatever the largest K costs in time.",
)
def check_filters(answer, generator):
    settings = {"data": ("MNIST", "CIFAR-10"), "K": (1, 3, 5, 7)}
    table, conclusion = read_sweep(answer, settings, ("images", "epochs"), CHANCE)
    even = [int(K) for K in table["K"].unique() if K % 2 == 0]
    told = f"K = {min(even, default=0)}: odd sizes only, so that the picture keeps its size"
    require(not even, told)
    parts = dict(list(table.groupby("data")))
    best = said(conclusion, "best", dict, "a dict of data set -> K")
    for name, part in parts.items():
        require(name in best, f"'best' has no {name!r}")
        require_best(part, "K", best[name], f"best of {name}")
    largest = table["K"].max()
    for key, low, high, told in (
        ("neighbors", 1, 3, "with K = 3 every seed is above every seed with K = 1"),
        ("larger", 3, largest, "with the largest K every seed is above every seed with K = 3"),
    ):
        right = [
            name for name, part in parts.items() if apart(runs(part, K=low), runs(part, K=high))
        ]
        require_members(
            said(conclusion, key, list, "a list of data sets"),
            right,
            key,
            f"one is missing: {told}",
            f"not every seed with K = {high} is above every seed with K = {low}",
        )


@exercise(
    "11s.4",
    "How far may pixels move?",
    "Block 1 moves no pixel. Compare each network with itself at block 1 first.",
    "`control`: do the ranges of the fully connected network at block 1 and at the largest block "
    "overlap? Neither lies wholly below the other, then.",
    "`hurt_from`: from small blocks to large ones, the first where the CNN's highest accuracy "
    "lies below its lowest one at block 1. None may be the answer.",
    "`lead_left`: at the largest block, the CNN's lowest against the other's highest.",
)
def check_shuffled(answer, generator):
    settings = {"network": ("fully connected", "CNN"), "block": (1, 2, 4, 32)}
    table, conclusion = read_sweep(answer, settings, ("images", "epochs"), CHANCE)

    def of(network, block):
        return runs(table, network=network, block=block)

    blocks = sorted(table["block"].unique().tolist())
    last, ordered = blocks[-1], of("CNN", 1)
    plain, shuffled = of("fully connected", 1), of("fully connected", last)
    control = said(conclusion, "control", bool, "True or False")
    told = "overlap" if not (apart(plain, shuffled) or apart(shuffled, plain)) else "are apart"
    told = f"the fully connected network's ranges at block 1 and at block {last} {told}"
    require(control == told.endswith("overlap"), f"'control': {told}")
    hurt = [block for block in blocks if apart(of("CNN", block), ordered)]
    value = said(conclusion, "hurt_from", (int, type(None)), "a block, or None")
    if value is None:
        require(not hurt, "'hurt_from': at some block every seed lies below every seed at block 1")
    else:
        require(value in blocks, f"'hurt_from': {value} is no block of your table")
        told = "the CNN's seeds there are not all below those at block 1"
        require(value in hurt, f"'hurt_from': {value}: {told}")
        require(value == hurt[0], f"'hurt_from': a block smaller than {value} hurts already")
    lead = said(conclusion, "lead_left", bool, "True or False")
    right = apart(shuffled, of("CNN", last))
    every = "every seed" if right else "not every seed"
    told = f"at block {last} {every} of the CNN is above every seed of the other network"
    require(lead == right, f"'lead_left': {told}")
