"""Gather claims into `results/NN.json`: over seeds, and of the run that stored the outputs.

Claims come as JSON lines, one a claim, written by `course_utils.claim` where the runner asks for
them. Nothing is run or judged here: a claim that failed in some seed stands in the record so.
"""

import json
import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path

from course_utils.course.lessons import RESULTS, CourseError

# What must agree before stored outputs are compared to the digit.
AGREEING = ("python", "platform", "torch", "torchvision", "numpy", "pandas", "device")


def environment(threads):
    """Return what the numbers of a run depend on, besides parameters and data."""
    from course_utils.device import get_device

    packages = {name: version(name) for name in ("torch", "torchvision", "numpy", "pandas")}
    return {
        "python": platform.python_version(),
        **packages,
        "platform": f"{platform.system()} {platform.machine()}",
        "device": str(get_device("auto")),
        "threads": threads,
    }


def differences(recorded, here):
    """Return in words what of `AGREEING` is not the same in two environments, [] if all is.

    A patch release of Python and a build label such as `+cpu` make no difference.

    Example:
        >>> differences({"torch": "2.15.0"}, {"torch": "2.15.0+cpu"})
        []
        >>> differences({"platform": "Linux x86_64"}, {"platform": "Darwin arm64"})
        ['platform Darwin arm64 instead of Linux x86_64']
    """

    def plain(environment, name):
        value = str(environment.get(name, "")).split("+")[0]
        return ".".join(value.split(".")[:2]) if name == "python" else value

    return [
        f"{name} {here.get(name)} instead of {recorded[name]}"
        for name in AGREEING
        if name in recorded and plain(recorded, name) != plain(here, name)
    ]


def read_claims(path):
    """Return the claims of one run, [] if it made none; a half-written last line is left out."""
    path = Path(path)
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    claims = [json.loads(line) for line in lines]
    texts = [claim["text"] for claim in claims]
    if twice := {text for text in texts if texts.count(text) > 1}:
        raise CourseError(f"a claim is made twice, but its text is its name: {twice.pop()!r}")
    return claims


def gather(runs):
    """Return the record's claims from {seed: claims of that run}.

    Raises:
        CourseError: if some seed's run made other claims than the first, or measured other things.
    """
    first, *others = runs.values()
    for seed, claims in zip(list(runs)[1:], others, strict=True):
        if [shape(claim) for claim in claims] != [shape(claim) for claim in first]:
            raise CourseError(
                f"seed {seed} made other claims, or measured other things, than seed "
                f"{next(iter(runs))}: a claim's text and names must not depend on the run"
            )
    return [_over_seeds(same) for same in zip(*runs.values(), strict=True)]


def shape(claim):
    """Return what of a claim must be the same in each run."""
    return claim["text"], claim["at"], claim["item"], sorted(claim["measured"])


def _over_seeds(rows):
    measured = [row["measured"] for row in rows]
    columns = {name: [values[name] for values in measured] for name in measured[0]}
    return {
        "text": rows[0]["text"],
        "at": rows[0]["at"],
        "item": rows[0]["item"],
        "holds": [row["holds"] for row in rows],
        "measured": measured,
        "mean": {name: statistics.mean(column) for name, column in columns.items()},
        "low": {name: min(column) for name, column in columns.items()},
        "high": {name: max(column) for name, column in columns.items()},
        "n": len(rows),
    }


def timeless(measured):
    """Return what was measured without its times, which no run gives twice.

    Example:
        >>> timeless({"accuracy": 0.9, "seconds": 12.3, "time_per_step": 0.1})
        {'accuracy': 0.9}
    """
    return {k: v for k, v in measured.items() if not k.startswith(("seconds", "time"))}


def read_record(lesson, results=RESULTS):
    """Return `results/NN.json`, {} if there is none."""
    path = Path(results) / f"{lesson}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except json.JSONDecodeError as error:
        raise CourseError(f"results/{path.name} is not readable: {error}") from error


def write_record(lesson, results=RESULTS, **parts):
    """Put parts into `results/NN.json` (`claims`, `seeds`, `stored`, …), the others kept."""
    path = Path(results) / f"{lesson}.json"
    names = ("lesson", "parameters", "environment", "data", "seeds", "claims", "stored")
    known = {"lesson": lesson, "seeds": [], "claims": []} | read_record(lesson, results) | parts
    record = {name: known[name] for name in names if name in known}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
    os.replace(part, path)
