"""What a person sees while lessons run, and the table at the end.

On a terminal one line is rewritten as cells go by; elsewhere, as in a log, a lesson gives a line
when it starts, when it ends, and between them at most one every half a minute.
"""

import shutil
import time

SILENCE = 30  # seconds between two lines about one lesson, where lines cannot be rewritten


class Progress:
    """Shows the events of `run.execute_all`."""

    def __init__(self, stream, jobs):
        self.stream, self.total, self.done = stream, len(jobs), 0
        self.live = stream.isatty()
        self.start = time.monotonic()
        self.running = {}  # name -> (when it last had a line, where it is)

    def show(self, event):
        """Take one event, or None where nothing has happened for a moment."""
        if event is None:
            self._rewrite()
            return
        name, kind, now = event["name"], event["event"], time.monotonic()
        if kind == "started":
            self.running[name] = (now, "starting")
            if not self.live:
                self._line(f"{name}: started")
        elif kind == "cell":
            since, where = self.running[name][0], f"cell {event['index']} of {event['of']}"
            where += f", {event['heading']}" if event["heading"] else ""
            if not self.live and now - since >= SILENCE:
                self._line(f"{name}: {where}")
                since = now
            self.running[name] = (since, where)
        elif kind == "finished":
            self.done += 1
            del self.running[name]
            outcome = event["outcome"]
            word = "done" if outcome.ok else "FAILED"
            self._line(f"{name}: {word} in {outcome.seconds:.0f} s ({self.done} of {self.total})")
        self._rewrite()

    def _line(self, text):
        clear = "\r\x1b[2K" if self.live else ""
        print(f"{clear}{text}", file=self.stream, flush=True)

    def _rewrite(self):
        if not self.live:
            return
        seconds = time.monotonic() - self.start
        text = f"{seconds:4.0f} s"
        text += "".join(f" · {name} {where}" for name, (_, where) in self.running.items())
        width = shutil.get_terminal_size().columns - 1
        line = text[:width] if self.running else ""
        print(f"\r\x1b[2K{line}", end="", file=self.stream, flush=True)


def table(outcomes):
    """Return the closing table as text: lesson, seconds, claims held, not checked, status."""
    rows = [("lesson", "seconds", "claims held", "not checked", "status")]
    for outcome in outcomes:
        checked = [claim for claim in outcome.claims if claim["checked"]]
        held = sum(claim["holds"] for claim in checked)
        rows.append(
            (
                outcome.job.name,
                f"{outcome.seconds:.1f}",
                f"{held} of {len(checked)}",
                str(len(outcome.claims) - len(checked)),
                _status(outcome),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        + "  "
        + row[4]
        for row in rows
    ]
    return "\n".join(lines)


def _status(outcome):
    if outcome.stopped:
        place = outcome.stopped["cell"]
        if heading := outcome.stopped["heading"]:
            place += f" ({heading})"
        where = f"stopped at cell {place}" if place else "stopped"
        return f"{where}: {outcome.stopped['error']}"
    if outcome.failed_claims:
        more = len(outcome.failed_claims) - 1
        return f"claim failed: {outcome.failed_claims[0]}" + (f" (and {more} more)" if more else "")
    return "ok"
