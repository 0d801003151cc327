"""Execute one notebook in this process and report each cell: `run.py` starts one such a lesson.

The job comes as a dictionary, events go as dictionaries into a pipe. It chooses nothing and writes
nothing but the notebook that the job names.
"""

import contextlib
import os
from pathlib import Path

from course_utils.course import brisk, warm
from course_utils.course.lessons import read_notebook

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def headings(cells):
    """Return {cell id: the nearest heading at or above it}."""
    found, nearest = {}, ""
    for cell in cells:
        if cell.cell_type == "markdown":
            lines = [line for line in cell.source.splitlines() if line.startswith("#")]
            nearest = lines[-1].lstrip("# ") if lines else nearest
        found[cell.id] = nearest
    return found


class Reporter:
    """Sends events, and remembers the cell that runs: where a lesson stopped, if it stops."""

    def __init__(self, cells, events):
        self.headings, self.count, self.at = headings(cells), len(cells), {}
        self.events = events

    def send(self, **event):
        self.events.send(event)

    def cell_starts(self, cell, cell_index):
        """nbclient calls this before each cell."""
        heading = self.headings.get(cell.id, self.at.get("heading", ""))
        self.at = {"cell": cell.id, "heading": heading}
        if cell.cell_type == "code":
            self.send(event="cell", index=cell_index + 1, of=self.count, **self.at)

    def stopped(self, error):
        name = getattr(error, "ename", "") or type(error).__name__
        lines = str(getattr(error, "evalue", "") or error).strip().splitlines() or [""]
        self.send(event="stopped", error=f"{name}: {lines[0]}".rstrip(": "), **self.at)


def execute_copy(job, reporter):
    """Write an executed copy with the job's parameters injected, as far as it came."""
    import papermill

    reporter.count += bool(job["parameters"])  # papermill adds a cell for them
    papermill.execute_notebook(
        _as_it_is(job["notebook"]),
        _as_it_is(job["output"]),
        parameters=job["parameters"],
        kernel_name="python3",
        extra_arguments=brisk.KERNEL,
        progress_bar=False,
        request_save_on_cell_execute=False,  # writing it after each cell takes seconds in all
        coalesce_streams=True,
        record_timing=False,
        execution_timeout=job["timeout"],
        resources={"metadata": {"path": job["folder"]}},
        on_cell_start=reporter.cell_starts,
    )


def execute_in_place(job, notebook, reporter):
    """Execute a notebook as it is and store its outputs, only if it ran to the end.

    Widget state is kept while it runs, since nbclient cannot do without, and then deleted together
    with the outputs of cells tagged `interactive`, which need it.
    """
    import nbformat
    from nbclient import NotebookClient

    parameter_cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    sources = [cell.source for cell in parameter_cells]
    for cell in parameter_cells:
        cell.source += "".join(f"\n{name} = {value!r}" for name, value in job["set"].items())
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        extra_arguments=brisk.KERNEL,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=True,
        resources={"metadata": {"path": job["folder"]}},
        on_cell_start=reporter.cell_starts,
    )
    target = Path(job["output"])
    try:
        client.execute()
        target = Path(job["notebook"])
    finally:
        for cell, source in zip(parameter_cells, sources, strict=True):
            cell.source = source
        notebook.metadata = nbformat.from_dict(METADATA)
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if "interactive" in cell.metadata.get("tags", []):
                cell.outputs = []
        part = target.with_name(target.name + ".part")
        nbformat.write(notebook, part)
        os.replace(part, target)


def _keep_output_widgets_silent():
    """Keep nbclient from answering a slider's output widget.

    It answers on the socket on which it awaits the kernel's reply, which may then go unnoticed: it
    would wait for ever. What it answers, a copy of the widget's outputs, no kernel here needs.
    """
    from nbclient.output_widget import OutputWidget

    OutputWidget.send = lambda self, *args, **kwargs: None


def _as_it_is(path):
    """A path that papermill will not take for a template."""
    return str(path).replace("{", "{{").replace("}", "}}")


def main(job, environment, events, said):
    """Execute a job; the process is a new one or a fork, and its own from here on.

    Args:
        job: dictionary, what `run.Job.wishes` returns.
        environment: the variables that the kernel starts with.
        events: the end of a pipe into which the events go.
        said: path of the file that takes what the process prints.
    """
    warm.become(job["folder"], environment, said)
    brisk.begin()
    with warm.forked_kernel() if job["forks"] else contextlib.nullcontext():
        _execute(job, events)


def _execute(job, events):
    notebook = read_notebook(job["notebook"])
    reporter = Reporter(notebook.cells, events)
    _keep_output_widgets_silent()
    try:
        if job["in_place"]:
            execute_in_place(job, notebook, reporter)
        else:
            execute_copy(job, reporter)
    except Exception as error:
        reporter.stopped(error)
    else:
        reporter.send(event="done")
