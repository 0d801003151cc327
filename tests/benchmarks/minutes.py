"""Where the minutes of a run go: `python tests/benchmarks/minutes.py [FOLDER]`.

Reads the executed copies that `python -m course_utils run` left (in `build/run`, or in FOLDER) and
adds up, for each lesson, the seconds of its cells by what they are for. It runs nothing, and what
it prints depends on the machine. `pytest --durations 30` does the same for the tests.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

import nbformat
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = ("mnist(", "cifar10(", "make_moons(", "load_diabetes(")
FIRST = "imports"  # a cell of each lesson; with it the kernel is ready
KINDS = ("start", "imports", "data", "figures", "claims", "computing", "between", "all")


def kind(cell):
    """What a code cell is for, by what it holds: a cell that trains and draws counts as figure."""
    if cell.id == FIRST:
        return "imports"
    if "claim" in cell.metadata.get("tags", []):
        return "claims"
    if any("image/png" in output.get("data", {}) for output in cell.outputs):
        return "figures"
    return "data" if any(name in cell.source for name in DATA) else "computing"


def seconds(mark):
    """Seconds between the start and the end that papermill noted."""
    start, end = (datetime.fromisoformat(mark[f"{name}_time"]) for name in ("start", "end"))
    return (end - start).total_seconds()


def lesson_seconds(notebook):
    """Seconds by kind of one executed copy, and [(seconds, cell id)] of its code cells."""
    whole = notebook.metadata.papermill
    cells = [cell for cell in notebook.cells if cell.metadata.get("papermill", {}).get("end_time")]
    taken = [(seconds(cell.metadata.papermill), cell) for cell in cells]
    row = dict.fromkeys(KINDS, 0.0) | {"all": seconds(whole)}
    began = cells[0].metadata.papermill.start_time
    row["start"] = seconds({"start_time": whole.start_time, "end_time": began})
    for spent, cell in taken:
        row[kind(cell) if cell.cell_type == "code" else "between"] += spent
    row["between"] += row["all"] - sum(row[name] for name in KINDS[:-1])
    return row, [(spent, cell.id) for spent, cell in taken if cell.cell_type == "code"]


def main(argv=None):
    """Print the table, and the cells that take longest."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "run")
    parser.add_argument("--cells", type=int, default=15, help="how many slow cells to name (15)")
    wished = parser.parse_args(argv)
    rows, slow = {}, []
    for path in sorted(wished.folder.glob("[0-9][0-9]_*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if notebook.metadata.get("papermill", {}).get("end_time"):  # it ran to the end
            name = path.name[:2]
            rows[name], cells = lesson_seconds(notebook)
            slow += [(spent, f"{name} {cell}") for spent, cell in cells if cell != FIRST]
    if not rows:
        print(f"minutes: no executed lesson in {wished.folder}: run make run", file=sys.stderr)
        return 2
    table = pd.DataFrame(rows).T.reindex(columns=KINDS)
    table.loc["sum"] = table.sum()
    print("Seconds: start of the kernel, imports, cells by what they do, and between cells.\n")
    print(table.round(1).to_string(), "\n")
    for spent, name in sorted(slow, reverse=True)[: wished.cells]:
        print(f"{spent:7.1f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
