"""Students' copies of the exercises, generated from the masters in `notebooks/solutions/`.

In a copy each region between `# BEGIN SOLUTION` and `# END SOLUTION` is one line that raises
`NotImplementedError`, cells tagged `solution` are gone, and nothing has been run. Cell ids stay.
`python -m course_utils.course.exercises` writes all copies; `--check` names those that differ.
"""

import argparse
import ast
import copy
import re
import sys
from pathlib import Path

from course_utils.course.address import ROOT, read_address, stamp_notebook

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
STUB = 'raise NotImplementedError("your code here")'


def student_path(master):
    """Return where a master's copy lies: for `NN_solutions` `NN_exercises`, else the same name."""
    name = master.name.replace("_solutions", "_exercises")
    return master.parent.parent / "exercises" / name


def master_path(student):
    """Return where the master of a student's copy lies: the inverse of `student_path`."""
    name = student.name.replace("_exercises", "_solutions")
    return student.parent.parent / "solutions" / name


def stub(source):
    """Return a cell's source with its solution regions replaced by stubs.

    Raises:
        ValueError: if a marker has no partner, a region stands outside every function, or the
            result is not valid Python.

    Example:
        >>> print(stub("def f(x):\\n    # BEGIN SOLUTION\\n    return 2 * x\\n    # END SOLUTION"))
        def f(x):
            raise NotImplementedError("your code here")
    """
    lines, stubs, inside = [], [], False
    for line in source.split("\n"):
        marker = line.strip()
        if marker not in (BEGIN, END):
            lines += [] if inside else [line]
            continue
        if inside == (marker == BEGIN):
            raise ValueError(f"`{marker}` where its partner is due")
        inside = marker == BEGIN
        if inside:
            lines.append(line.replace(BEGIN, STUB))
            stubs.append(len(lines))
    if inside:
        raise ValueError(f"`{BEGIN}` without `{END}`")
    result = "\n".join(lines)
    if stubs:
        _require_in_functions(result, stubs)
    return result


def _require_in_functions(source, line_numbers):
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"the stub is not valid Python: {error}") from None
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    for number in line_numbers:
        if not any(f.lineno < number <= f.end_lineno for f in functions):
            raise ValueError(f"`{BEGIN}` must stand inside a function, so that the copy runs on")


def solution_lines(source):
    """Return the stripped lines that lie inside the solution regions of a source."""
    regions = re.findall(rf"(?ms)^[ ]*{BEGIN}$(.*?)^[ ]*{END}$", source)
    return [line.strip() for region in regions for line in region.split("\n") if line.strip()]


def generate(master, address=None, path=None):
    """Return the student's copy of a master notebook, as a new notebook.

    Args:
        master: notebook as `nbformat.read` returns it.
        address: an `Address`; with it, the copy's badge opens the copy.
        path: the copy's place relative to the repository's root, needed with `address`.

    Raises:
        ValueError: if a solution region is malformed; the message names the cell.
    """
    student = copy.deepcopy(master)
    student.cells = [c for c in student.cells if "solution" not in c.metadata.get("tags", [])]
    for cell in (cell for cell in student.cells if cell.cell_type == "code"):
        cell.outputs, cell.execution_count = [], None
        try:
            cell.source = stub(cell.source)
        except ValueError as error:
            raise ValueError(f"cell {cell.id}: {error}") from None
    if address is not None:
        stamp_notebook(student, address, path)
    return student


def regenerate(root=ROOT, write=True):
    """Write every student's copy; return the paths of those that were missing, stale or orphaned.

    A copy whose master is gone is named, never deleted.
    """
    import nbformat

    root = Path(root)
    drifted, current, address = [], set(), read_address(root)
    for master in sorted((root / "notebooks" / "solutions").glob("*.ipynb")):
        target = student_path(master)
        current.add(target)
        notebook = nbformat.read(master, as_version=4)
        try:
            student = generate(notebook, address, target.relative_to(root).as_posix())
        except ValueError as error:
            raise ValueError(f"{master.name}, {error}") from None
        text = nbformat.writes(student).rstrip() + "\n"
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            drifted.append(target)
            if write:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8", newline="\n")
    existing = (root / "notebooks" / "exercises").glob("*.ipynb")
    return drifted + sorted(set(existing) - current)


def main(arguments=None):
    """Write the copies or, with `--check`, compare them; return the exit status."""
    parser = argparse.ArgumentParser(prog="course_utils.course.exercises", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args(arguments).check
    try:
        drifted = regenerate(write=not check)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in drifted:
        note = "is not what its master generates" if check else "written"
        note = note if master_path(path).is_file() else "has no master"
        print(f"{path.relative_to(ROOT).as_posix()}: {note}")
    return 1 if check and drifted else 0


if __name__ == "__main__":
    sys.exit(main())
