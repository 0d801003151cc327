"""`python -m course_utils run`: execute lessons, each in its own process, and show what came out.

Quick (the default) gives each lesson the few epochs of `quick.yaml` and writes executed copies;
`--full` runs the stored parameters, and with `--jobs 2` two lessons at a time on a thread each;
`--full --in-place` stores the outputs; `--full --seeds N` records the claims over seeds. How one
notebook is executed is in `execute.py`, what a record holds in `record.py`. Stored outputs are
compared by `make test`, not here.
"""

import argparse
import contextlib
import os
import queue
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path

from course_utils.course import execute, lessons, plan, record, warm
from course_utils.course.lessons import BUILD, KEEP_MEMORY, NOTEBOOKS, RESULTS, CourseError
from course_utils.course.progress import Progress, table

CELL_SECONDS = 900  # at quick scale; a cell that hangs ends its lesson, not the whole run
OURS = ("COURSE_CLAIMS", "COURSE_RECORD", "COURSE_STRICT_CHECKS", "MPLBACKEND")


@dataclass
class Job:
    """One notebook to execute."""

    name: str  # "02", or "02 seed 1" where it runs several times
    notebook: Path
    output: Path
    parameters: dict = field(default_factory=dict)
    claims: str | None = "any"  # where a failing claim stops the lesson: "any", "full", None
    threads: int = 1
    offline: bool = True
    in_place: bool = False
    timeout: float | None = CELL_SECONDS
    forks: bool = False  # may begin with the libraries imported, see `warm.py`

    def environment(self):
        """Return the variables that the lesson's kernel starts with."""
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        kept = KEEP_MEMORY | kept
        kept |= {
            "OMP_NUM_THREADS": str(self.threads),
            "COURSE_NO_PROGRESS": "1",
            "COURSE_RECORD": str(self.claims_file()),
            "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel before the user's
            "PYTHONUTF8": "1",
        }
        if self.threads > 1:  # a full run has the machine to itself: waiting threads may spin
            kept.setdefault("OMP_WAIT_POLICY", "ACTIVE")
        if self.claims:
            kept["COURSE_CLAIMS"] = self.claims
        if self.offline:
            kept["COURSE_OFFLINE"] = "1"
        if self.notebook.parent.name == "solutions":
            kept["COURSE_STRICT_CHECKS"] = "1"
        return kept

    def claims_file(self):
        """Return where the lesson's claims are noted."""
        return self.output.absolute().with_suffix(".claims.jsonl")

    def wishes(self):
        """Return what `execute.py` needs to know."""
        return {
            "notebook": str(self.notebook.absolute()),
            "output": str(self.output.absolute()),
            "folder": str(self.output.absolute().parent),
            "parameters": self.parameters,
            "in_place": self.in_place,
            "timeout": self.timeout,
            "forks": self.forks and warm.IS_SAFE,
            "set": lessons.stored_values(self.notebook) if self.in_place else {},
        }


@dataclass
class Outcome:
    """What came of a job."""

    job: Job
    seconds: float
    stopped: dict | None  # {"cell", "heading", "error"} where it did not run to the end
    claims: list

    @property
    def failed_claims(self):
        """Texts of the claims that were checked and do not hold."""
        return [row["text"] for row in self.claims if row["checked"] and not row["holds"]]

    @property
    def ok(self):
        """Whether it ran to the end and no claim failed."""
        return not self.stopped and not self.failed_claims


def execute_all(jobs, at_once=1, progress=None):
    """Execute jobs, `at_once` at a time, the longest first; return outcomes in the jobs' order.

    A job that fails leaves the others running. An interruption ends all of them.

    Args:
        jobs: list of Job.
        at_once: how many processes; times their threads it should not be more than the cores.
        progress: a Progress, or None to run silently.
    """
    events, running, interrupted = queue.Queue(), [], threading.Event()
    share = (events.put, running, interrupted)
    first = jobs if at_once == 1 else longest_first(jobs)
    fresh = get_context("spawn")
    forking = next((job.environment() for job in jobs if job.forks), None)
    forks = warm.context(forking) if forking else fresh
    with ThreadPoolExecutor(at_once) as pool:
        futures = {
            id(job): pool.submit(_execute, job, forks if job.forks else fresh, *share)
            for job in first
        }
        try:
            while not all(future.done() for future in futures.values()) or not events.empty():
                try:
                    event = events.get(timeout=0.5)
                except queue.Empty:
                    event = None
                if progress:
                    progress.show(event)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            interrupted.set()
            for process in list(running):
                process.terminate()
            raise
    return [futures[id(job)].result() for job in jobs]


def longest_first(jobs):
    """Return the jobs so that no long one is left for the end: by their contracts' minutes.

    At quick scale these say little: there the last lesson runs longest, and the first ones least.
    """

    def minutes(job):
        try:
            return plan.running(lessons.read_notebook(job.notebook), job.name)
        except CourseError:
            return 0

    quick = all(job.forks for job in jobs)
    return sorted(jobs, key=lambda job: job.name if quick else minutes(job), reverse=True)


def _execute(job, context, report, running, interrupted):
    """Execute one job in a process of its own, passing its events on."""
    for path in (job.output, job.claims_file()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    report({"event": "started", "name": job.name})
    start, end = time.monotonic(), None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        said = Path(folder) / "said.txt"
        events, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=execute.main, args=(job.wishes(), job.environment(), theirs, said)
        )
        said.touch()
        process.start()
        running.append(process)
        if interrupted.is_set():
            process.terminate()
        theirs.close()
        with events, contextlib.suppress(EOFError, OSError):
            while wait([events, process.sentinel]) and events.poll():
                event = events.recv()
                end = event if event["event"] in ("done", "stopped") else end
                report(event | {"name": job.name})
        process.join()
        running.remove(process)
        if end is None:
            lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = (lines or ["it said nothing"])[-1]
            error = f"its process ended with code {process.exitcode}: {last}"
            end = {"event": "stopped", "error": error}
    stopped = {"cell": "", "heading": ""} | end if end["event"] == "stopped" else None
    claims = []
    try:
        claims = record.read_claims(job.claims_file())
    except CourseError as error:
        stopped = stopped or {"cell": "", "heading": "", "error": str(error)}
    job.claims_file().unlink(missing_ok=True)
    outcome = Outcome(job, time.monotonic() - start, stopped, claims)
    report({"event": "finished", "name": job.name, "outcome": outcome})
    return outcome


def cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quick_jobs(paths, notebooks=NOTEBOOKS, build=BUILD, chosen=None):
    """Return a job for each lesson at quick scale, `chosen` values over those of `quick.yaml`."""
    quick = lessons.quick_values(notebooks)
    chosen = chosen or {}
    return [
        Job(
            name,
            path,
            _copy(path, notebooks, build / "run"),
            quick.get(name, {}) | values,
            forks=True,
        )
        for name, path in paths.items()
        for values in [chosen.get(name, {})]
    ]


def full_jobs(
    paths, real, notebooks=NOTEBOOKS, build=BUILD, chosen=None, in_place=False, seeds=0, at_once=1
):
    """Return the jobs of a full run: one a lesson, or one a lesson and seed."""
    jobs = []
    for name, path in paths.items():
        values = (chosen or {}).get(name, {})
        claims = "full" if all(real[name].values()) and not values else "any"
        common = {
            "threads": cores() // at_once,
            "offline": False,
            "timeout": None,
            "in_place": in_place,
        }
        output = _copy(path, notebooks, build / "run")
        if not seeds:
            jobs.append(Job(name, path, output, values, claims, **common))
            continue
        # A lesson without a seed gives the same each time.
        for seed in range(seeds) if "seed" in lessons.parameters(path) else [None]:
            label, parameters = name, {}
            if seed is not None:
                label, parameters = f"{name} seed {seed}", {"seed": seed}
            folder = output.parent / f"seed-{seed or 0}"
            jobs.append(Job(label, path, folder / output.name, parameters, None, **common))
    return jobs


def _copy(path, notebooks, folder):
    return folder / path.relative_to(notebooks)


def find_data(paths):
    """Return {lesson: {image set: whether the real one is here}}, fetching what is missing."""
    from course_utils.course import sources

    def is_here(name):
        return sources.layout(name, sources.data_folder()) is not None

    needed = {name: lessons.datasets(path) for name, path in paths.items()}
    try:
        for name in sorted({name for names in needed.values() for name in names}):
            if not is_here(name) and os.environ.get("COURSE_OFFLINE") != "1":
                from course_utils.course import data

                data.main(["fetch", name])
        return {lesson: {name: is_here(name) for name in names} for lesson, names in needed.items()}
    except OSError as error:
        raise CourseError(str(error)) from error


def store(outcomes, real, results=RESULTS):
    """Note in each lesson's record the run that stored its outputs."""
    here = record.environment(cores())
    for outcome in outcomes:
        name = outcome.job.name
        if outcome.stopped or name != lessons.number(name):  # solved exercises have no record
            continue
        data = _words(real[name])
        parts = {"stored": {"environment": here, "data": data, "claims": outcome.claims}}
        if not record.read_record(name, results).get("claims"):
            parts |= {"parameters": _defaults(outcome.job), "environment": here, "data": data}
        record.write_record(name, results, **parts)


def record_seeds(outcomes, real, results=RESULTS):
    """Write the claims of each lesson over its seeds; return what could not be recorded."""
    here, complaints, runs = record.environment(cores()), [], {}
    for outcome in outcomes:
        runs.setdefault(outcome.job.name.split()[0], []).append(outcome)
    for name, same in runs.items():
        if any(outcome.stopped for outcome in same):
            complaints.append(f"lesson {name} stopped, so its record stays as it was")
            continue
        seeds = [outcome.job.parameters.get("seed", 0) for outcome in same]
        try:
            claims = record.gather(dict(zip(seeds, (o.claims for o in same), strict=True)))
        except CourseError as error:
            complaints.append(f"lesson {name} is not recorded: {error}")
            continue
        record.write_record(
            name,
            results,
            parameters=_defaults(same[0].job),
            environment=here,
            data=_words(real[name]),
            seeds=seeds,
            claims=claims,
        )
    return complaints


def _defaults(job):
    return {name: known.default for name, known in lessons.parameters(job.notebook).items()}


def _words(real):
    return {name: "real" if is_real else "sample" for name, is_real in real.items()}


def parse(argv):
    """Return the command line's arguments, refusing what does not go together."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils run", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NN",
        help="these; solved exercises run when named: 02_solutions",
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="lessons at a time (quick: 2, --full: 1)"
    )
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="values",
        help="a parameter's value, in each lesson that has it",
    )  # fmt: skip
    parser.add_argument("--full", action="store_true", help="with the stored parameters")
    parser.add_argument("--in-place", action="store_true", help="with --full: store the outputs")
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="with --full: record")
    chosen = parser.parse_args(argv)
    chosen.only = [name.zfill(2) if name.isdigit() else name for name in chosen.only]
    if (chosen.in_place or chosen.seeds) and not chosen.full:
        raise CourseError("--in-place and --seeds go with --full")
    if chosen.in_place and chosen.seeds:
        raise CourseError("--in-place and --seeds are two runs: first --seeds, then --in-place")
    if chosen.values and (chosen.in_place or chosen.seeds):
        raise CourseError("-p has no place here: what is kept comes from the stored parameters")
    if chosen.seeds < 0:
        raise CourseError(f"--seeds must be at least 1, not {chosen.seeds}")
    if (chosen.in_place or chosen.seeds) and chosen.jobs not in (None, 1):
        raise CourseError("what is kept runs one lesson at a time, with nothing beside it")
    if chosen.jobs is not None and not 1 <= chosen.jobs <= cores():
        raise CourseError(f"--jobs must be 1 to {cores()}, the cores here, not {chosen.jobs}")
    return chosen


def main(argv=None, notebooks=NOTEBOOKS, results=RESULTS, build=BUILD):
    """Run lessons as the command line asks; return 0, 1 where one failed, 2 for a wrong wish."""
    try:
        return _main(parse(argv), Path(notebooks), Path(results), Path(build))
    except CourseError as error:
        print(f"run: {error}", file=sys.stderr)
        return 2


def _main(chosen, notebooks, results, build):
    paths = lessons.choose(notebooks, chosen.only)
    values, notes = lessons.given(chosen.values, paths)
    real = find_data(paths) if chosen.full else {}
    absent = {name for known in real.values() for name, is_real in known.items() if not is_real}
    if (chosen.in_place or chosen.seeds) and absent:
        raise CourseError(
            f"what is kept comes from real data, but {' and '.join(sorted(absent))} is not here: "
            "see python -m course_utils data"
        )
    at_once = chosen.jobs or (1 if chosen.full else min(2, cores()))
    if chosen.full:
        kept = {"in_place": chosen.in_place, "seeds": chosen.seeds}
        jobs = full_jobs(paths, real, notebooks, build, values, **kept, at_once=at_once)
    else:
        jobs = quick_jobs(paths, notebooks, build, values)
    for note in notes:
        print(f"note: {note}")
    for folder in {job.output.parent for job in jobs}:
        lessons.copy_figures(notebooks, folder)

    outcomes = execute_all(jobs, at_once, Progress(sys.stdout, jobs))
    complaints = record_seeds(outcomes, real, results) if chosen.seeds else []
    if chosen.in_place:
        store(outcomes, real, results)

    print("\n" + table(outcomes))
    if chosen.in_place:
        print("Stored in the lessons that ran to the end; half-run copies are in", _near(build))
    else:
        print(f"Executed copies to read: {_near(build)}")
    for complaint in complaints:
        print(f"run: {complaint}", file=sys.stderr)
    if failed := [outcome.job.name for outcome in outcomes if not outcome.ok]:
        print(f"run: {len(failed)} of {len(outcomes)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or complaints else 0


def _near(build):
    folder = (build / "run").absolute()
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
