"""`python -m course_utils doctor`: what this machine has for the course, and what it lacks.

It only looks: each problem is one sentence with its cure, and nothing is installed or changed.
"""

import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path

from course_utils.course.lessons import ROOT, CourseError

NEEDED = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "seaborn", "tqdm", "pooch")
COMMANDS_NEED = ("jupyterlab", "ipykernel", "ipywidgets", "papermill", "nbclient")
DISK_GB = 2.0  # free space that the image sets and the executed copies need
INSTALL = "run `make env`, or `pip install -r requirements.txt`"


class Report:
    """Lines to read and problems to mend."""

    def __init__(self):
        self.lines, self.problems = [], []

    def say(self, name, value):
        self.lines.append(f"{name:12} {value}")

    def need(self, holds, sentence):
        if not holds:
            self.problems.append(sentence)


def python(report):
    report.say("python", f"{platform.python_version()} at {sys.executable}")
    report.say("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    report.need(
        sys.version_info >= (3, 11),
        f"Python is {platform.python_version()}, but the course needs 3.11: install a newer one.",
    )


def packages(report):
    for name in ("course-utils", *NEEDED, *COMMANDS_NEED):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        if name in ("course-utils", "torch", "torchvision") and version:
            report.say(name, version)
        report.need(version, f"{name} is not installed: {INSTALL}.")


def devices(report):
    try:
        import torch
        import torchvision  # noqa: F401 - it fails to load where it does not fit torch
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        report.problems.append(
            f"torch or torchvision cannot be loaded ({reason}): install both together, {INSTALL}."
        )
        return
    names = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    report.say("devices", ", ".join(["cpu", *names]))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = torch.get_num_threads()
    report.say("cores", f"{cores}, of which torch uses {threads}")
    report.need(
        threads <= cores,
        f"torch would use {threads} threads on {cores} cores, which is slow: "
        f"set OMP_NUM_THREADS={cores}.",
    )


def room(report):
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        report.say("memory", f"{memory:.1f} GB")
        report.need(memory >= 3, f"{memory:.1f} GB of memory are little: close other programs.")
    free = shutil.disk_usage(ROOT if ROOT.exists() else Path.cwd()).free / 1e9
    report.say("disk", f"{free:.1f} GB free")
    report.need(
        free >= DISK_GB, f"{free:.1f} GB are free, but {DISK_GB:.0f} are needed: make room."
    )


def data(report):
    from course_utils.course import sources

    try:
        folder = sources.data_folder()
    except OSError as error:
        report.problems.append(f"{error}.")
        return
    report.say("data folder", folder)
    for name in sources.NAMES:
        here = sources.layout(name, folder)
        lacking = f"not here, its sample serves (get it: python -m course_utils data fetch {name})"
        report.say(name, f"here, as {here}" if here else lacking)


def kernel(report):
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return  # named among the packages
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        report.problems.append(f"Jupyter has no kernel named python3: {INSTALL}.")
        return
    report.say("kernel", f"python3, {command}")
    own = (
        not Path(command).is_absolute() or Path(command).resolve() == Path(sys.executable).resolve()
    )
    report.need(
        own,
        f"Jupyter's kernel python3 is another Python ({command}): "
        "run `python -m ipykernel install --sys-prefix`.",
    )


def main(argv=None):
    """Print what is there; return 0, or 1 where something is to be mended."""
    if argv:
        print(f"doctor takes no arguments, not {' '.join(argv)}", file=sys.stderr)
        return 2
    report = Report()
    for look in (python, packages, devices, room, data, kernel):
        try:
            look(report)
        except (CourseError, OSError, ImportError) as error:
            report.problems.append(f"{look.__name__} could not be looked at: {error}.")
    print("\n".join(report.lines))
    for problem in report.problems:
        print(f"✗ {problem}")
    print("✓ nothing is missing" if not report.problems else f"{len(report.problems)} to mend")
    return 1 if report.problems else 0
