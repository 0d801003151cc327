"""What all tests run under, and what is asked of each cell that nbval executes.

The rules about cells are in `course_utils/course/outputs.py`; this file connects them to pytest.
`make test` loads it a second time, for the copies in `build/outputs`, with `-p tests.conftest`.
"""

import contextlib
import os
from pathlib import Path

import pytest

# Before torch is imported: two test processes with one thread each, not two with all cores.
os.environ |= {"OMP_NUM_THREADS": "1", "COURSE_NO_PROGRESS": "1", "COURSE_OFFLINE": "1"}
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

OUTPUT_SECONDS = 60  # nbval's own 5 s are too few on a busy machine


def pytest_configure(config):
    if config.getoption("nbval", False):
        os.environ["COURSE_CLAIMS"] = "any"  # lessons' kernels inherit it
        os.environ.pop("MPLBACKEND", None)  # they draw inline
        _execute_as_jupyter_does()
    else:
        os.environ["MPLBACKEND"] = "agg"
        # torch's timer needs setuptools, which could not always be imported late in a process.
        with contextlib.suppress(ImportError):
            import setuptools  # noqa: F401

        for name in ("COURSE_CLAIMS", "COURSE_RECORD", "COURSE_STRICT_CHECKS"):
            os.environ.pop(name, None)


def _execute_as_jupyter_does():
    """Let nbval note each cell in IPython's history, where IPython looks for a closing `;`."""
    from functools import partial

    import nbval.kernel

    from course_utils.course import brisk

    def execute_cell_input(self, source, allow_stdin=None):
        return self.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)

    nbval.kernel.RunningKernel.execute_cell_input = execute_cell_input
    nbval.kernel.start_new_kernel = partial(  # a history of its own, not the user's
        nbval.kernel.start_new_kernel,
        extra_arguments=["--HistoryManager.hist_file=:memory:", *brisk.KERNEL],
    )


def is_cell(item):
    return hasattr(item, "test_outputs") and hasattr(item, "cell")


def name_of(item):
    return f"lesson {Path(item.path).name[:2]}, cell {item.cell.id}"


def pytest_itemcollected(item):
    if is_cell(item):
        item.output_timeout = OUTPUT_SECONDS
        item.reportinfo = lambda: (item.path, 0, name_of(item))  # heads its failure


def pytest_runtest_setup(item):
    if is_cell(item) and (cell := getattr(item.parent, "stopped_at", None)):
        pytest.skip(f"the lesson stopped at cell {cell}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if not is_cell(item):
        return (yield)
    from nbval.plugin import NbCellError, coalesce_streams

    from course_utils.course import outputs

    stored = coalesce_streams(item.cell.outputs)
    try:
        result = yield
    except NbCellError as error:
        problem = str(error)
        if problem == "Cell outputs differ":
            now = outputs.text(item.test_outputs)
            difference = outputs.first_difference(outputs.text(stored), now, item.sanitize)
            problem = f"its output differs: {difference}"
        else:
            item.parent.stopped_at = item.cell.id
            said = outputs.text(item.test_outputs or [])
            problem = f"it stops the lesson: {said[-1] if said else problem}"
        item.user_properties.append(("lesson", f"{name_of(item)}: {problem}"))
        raise
    # To the letter: where durations count as equal, a ratio of two may be equal by chance.
    same = outputs.text(item.test_outputs) == outputs.text(stored)
    problem = outputs.complaint(item.cell, item.test_outputs, same)
    if problem:
        item.user_properties.append(("lesson", f"{name_of(item)}: it {problem}"))
        raise NbCellError(item.cell_num, problem, item.cell.source)
    return result


def pytest_terminal_summary(terminalreporter):
    lines = [
        line
        for report in terminalreporter.getreports("failed")
        for key, line in report.user_properties
        if key == "lesson"
    ]
    if lines:
        terminalreporter.section("lessons")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def write_notebook():
    """Return a function that writes a toy notebook from (kind, id, tags, source) rows."""
    import nbformat

    from course_utils.course.execute import METADATA

    def write(path, rows):
        notebook = nbformat.v4.new_notebook(metadata=nbformat.from_dict(METADATA))
        make = {"code": nbformat.v4.new_code_cell, "text": nbformat.v4.new_markdown_cell}
        for kind, name, tags, source in rows:
            metadata = {"tags": tags.split()} if tags else {}
            notebook.cells.append(make[kind](source, id=name, metadata=metadata))
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    return write
