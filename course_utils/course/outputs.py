"""Copies of the lessons in which nbval compares stored outputs, and what it cannot compare itself.

`python -m course_utils.course.outputs` writes the copies: parameters of quick scale injected,
stored outputs kept. `tests/conftest.py` asks the functions here about each executed cell. Nothing
here executes a lesson.
"""

import json
import shutil
import sys
from functools import cache
from pathlib import Path

from course_utils.course import lessons, record
from course_utils.course.lessons import BUILD, NOTEBOOKS, RESULTS, CourseError

IGNORE = "nbval-ignore-output"
NOT_HERE = "not-compared-here"  # goes beside IGNORE where this machine or its data are the reason


def prepare(notebooks=NOTEBOOKS, folder=BUILD / "outputs", results=RESULTS):
    """Write the copies into `folder`, emptied first; return in words what is not compared.

    Cells tagged `real-data` are compared only where the data's checksums are the recorded ones, and
    any cell only where the machine and the versions are those of the run that stored it.
    """
    import nbformat
    import papermill

    from course_utils.course import sources

    fingerprint = cache(sources.fingerprint)  # it reads all pictures: once for all lessons
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lessons.copy_figures(notebooks, folder)
    quick, notes = lessons.quick_values(notebooks), []
    for name, path in lessons.choose(notebooks).items():
        lessons.read_notebook(path)  # says in one sentence why it cannot be read
        target = folder / path.name
        source, output = (str(p).replace("{", "{{").replace("}", "}}") for p in (path, target))
        values = quick.get(name, {}) | lessons.stored_values(path)
        papermill.execute_notebook(
            source, output, parameters=values, prepare_only=True, progress_bar=False
        )
        notebook = nbformat.read(target, as_version=4)
        other = _elsewhere(name, results)
        changed = _changed_data(path, notebook, results, fingerprint)
        if other:
            notes.append(f"lesson {name}: runs, outputs not compared ({'; '.join(other)})")
        elif changed:
            notes.append(f"lesson {name}: cells on real data not compared ({changed})")
        for cell in notebook.cells:
            marks = lessons.tags(cell)
            if "injected-parameters" in marks:
                cell["id"] = "injected-parameters"
            if cell.cell_type == "code" and (other or (changed and "real-data" in marks)):
                cell.metadata["tags"] = [*(set(marks) - {IGNORE}), IGNORE, NOT_HERE]
        nbformat.write(notebook, target)
    return notes


def _elsewhere(name, results):
    """What is not as in the run that stored the lesson's outputs."""
    stored = record.read_record(name, results).get("stored", {})
    return record.differences(stored.get("environment", {}), record.environment(threads=1))


def _changed_data(path, notebook, results, fingerprint):
    """Why the lesson's cells tagged `real-data` cannot be compared, "" if they can."""
    from course_utils.course import sources

    if not any("real-data" in lessons.tags(cell) for cell in notebook.cells):
        return ""
    file = Path(results) / "data.json"
    recorded = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name in lessons.datasets(path):
        if not sources.layout(name, sources.data_folder()):
            return f"{name} is not here"
        if fingerprint(name) != recorded.get(name):
            return f"{name} is not the recorded one"
    return ""


def has_image(outputs):
    """Return whether some output is a picture."""
    return any(kind.startswith("image/") for out in outputs for kind in out.get("data", {}))


def text(outputs):
    """Return the lines that a reader sees in a cell's outputs, pictures left out."""
    seen = []
    for out in outputs:
        seen += [out.get("text", ""), out.get("data", {}).get("text/plain", "")]
        seen += [f"{out.ename}: {out.evalue}"] if out.output_type == "error" else []
    return [line for part in seen for line in part.splitlines()]


def first_difference(stored, executed, sanitize=str):
    """Return the first line that differs, in words.

    Example:
        >>> first_difference(["a", "2.0000"], ["a", "2.0001"])
        "stored '2.0000', now '2.0001'"
    """
    for old, new in zip(stored, executed, strict=False):
        if sanitize(old) != sanitize(new):
            return f"stored {old.strip()!r}, now {new.strip()!r}"
    return f"stored {len(stored)} lines, now {len(executed)}"


def complaint(cell, outputs, equal):
    """Return what is wrong with an executed cell beyond its text, "" if nothing.

    Args:
        cell: the cell with its stored outputs.
        outputs: what it put out now.
        equal: whether the text is the stored one.
    """
    marks = lessons.tags(cell)
    for out in outputs:
        if out.output_type == "stream" and out.name == "stderr" and out.text.strip():
            return f"warns or writes to stderr: {out.text.strip().splitlines()[-1]!r}"
    if cell.execution_count is None or "interactive" in marks:
        return ""
    if has_image(cell.outputs) and not has_image(outputs):
        return "stores a figure but draws none"
    # A claim may count something small, which comes out alike at any scale; its record is tested.
    if IGNORE in marks and not {NOT_HERE, "claim"} & set(marks) and equal:
        return f"is marked {IGNORE}, but its text came out as stored: take the mark away"
    return ""


def main():
    """Prepare the copies; return 0, or 2 with one sentence where one cannot be prepared."""
    try:
        for note in prepare():
            print(note)
    except (CourseError, OSError, ValueError) as error:  # ValueError: a data file is damaged
        print(f"outputs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
