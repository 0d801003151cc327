"""The gate itself: faults planted one at a time in a copy of the checkout, each caught by name.

What runs in the copy is what `make test` runs for such a fault: a test of `tests/`, the spelling,
or the comparison of stored outputs with the Makefile's own command line. The untouched copy passes
all of these. `test_structure.py` shows more faults, on a toy notebook.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml

from course_utils.course import lessons, outputs
from course_utils.course.lessons import ROOT

LESSON = next(path.stem for path in ROOT.glob("notebooks/02_*.ipynb"))
MASTER, STUDENT = "solutions/05_solutions", "exercises/05_exercises"
MINE = ["-c", "user.name=gate", "-c", "user.email=gate@localhost", "-c", "commit.gpgsign=false"]


def git(folder, *words):
    # A hook that runs the tests has variables that lead git to its own repository.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.check_output(
        ["git", *MINE, *words],
        cwd=folder,
        env=environment,
        encoding="utf-8",
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The checkout's files as they lie here, committed in a repository of their own."""
    folder = tmp_path_factory.mktemp("gate") / "copy"
    try:
        names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for name in set(names.split("\0")) - {""}:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--no-verify", "-m", "copy")
    return folder


def its_own(copy):
    """The variables under which Python in the copy runs the copy's code, and finds no GPU."""
    path = os.pathsep.join(filter(None, [str(copy), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1", "CUDA_VISIBLE_DEVICES": ""}


def run(copy, *words):
    """Run `python -m …` in the copy and with its code; return (exit code, what it prints)."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy,
        env=its_own(copy),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


# Answers each line of words with the exit code of pytest, run with them in a fork of a process that
# has imported what is slow to import and is none of the course's; what it prints goes to said.txt.
FORKS = """
import os, sys
import papermill, pooch, pytest, seaborn, sklearn, torchvision

for line in sys.stdin:
    if not (child := os.fork()):
        said = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1), os.dup2(said, 2)
        code = int(pytest.main(line.split()))
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def run_tests(copy):
    """Return a function that runs tests in the copy, each time as if in a new process."""
    options = ["-q", "--color=no", "-n", "0"]
    if sys.platform != "linux":  # elsewhere forks are not to be relied on
        yield lambda *tests: run(copy, "pytest", *options, *tests)
        return
    said = copy.parent / "said.txt"
    command = [sys.executable, "-c", FORKS, str(said)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=copy, env=its_own(copy), stdin=pipe, stdout=pipe, encoding="utf-8"
    ) as server:

        def run_in_fork(*tests):
            print(*options, *tests, file=server.stdin, flush=True)
            return int(server.stdout.readline()), said.read_text(encoding="utf-8")

        yield run_in_fork
        server.stdin.close()


# --- what is planted: functions of the copy's folder ---------------------------------------------


def text(name, old, new):
    """Plant: replace a text in a file, once."""

    def plant(copy):
        before = (copy / name).read_text(encoding="utf-8")
        assert old in before, f"{old!r} is not in {name}: plant another fault"
        (copy / name).write_text(before.replace(old, new, 1), encoding="utf-8", newline="\n")

    return plant


def cell(name, old, new, *notebooks):
    """Plant: replace a text in the source of a notebook's cell, in each of the notebooks."""

    def change(cell):
        assert old in cell.source, f"{old!r} is not in cell {name}: plant another fault"
        cell.source = cell.source.replace(old, new, 1)

    return lambda copy: [edit(copy, notebook, name, change) for notebook in notebooks or [LESSON]]


def edit(copy, notebook, name, change):
    path = copy / "notebooks" / f"{notebook}.ipynb"
    content = nbformat.read(path, 4)
    change(next(cell for cell in content.cells if cell.id == name))
    nbformat.write(content, path)


def stored_error(copy):
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="'x'")
    edit(copy, LESSON, "backward", lambda cell: cell.outputs.append(error))


def stored_number(copy):
    def change(cell):
        assert "0.000032" in cell.outputs[0].text
        cell.outputs[0].text = cell.outputs[0].text.replace("0.000032", "0.000042")

    edit(copy, LESSON, "stop-distance", change)


def data_file(copy):
    path = copy / "data" / "cifar10" / "train" / "cat" / "1_cat.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no picture")
    git(copy, "add", "--force", str(path))


def lost_row(copy):
    path = copy / "results" / "documents.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(rows[:-1]), encoding="utf-8", newline="\n")


STRUCTURE = "tests/test_structure.py::test_"
COPIES = f"{STRUCTURE}every_lesson_has_its_exercises"
TASK = "Write `stable_softmax(x, dim)`"
SECRET = "return exponentials / exponentials.sum(dim, keepdim=True)"
OPEN = "def stable_softmax(x, dim):\n    "
# The fault, what plants it, the test that is there for it, and what that test says.
FAULTS = {
    "a prose number found nowhere": (
        cell("wavy-reading", "5.22", "5.32"),
        f"{STRUCTURE}lesson[{LESSON}-numbers]",
        r"02_\w+ · wavy-reading: 5\.32 is in no output",
    ),
    "a leaked solution": (
        cell("ex1", TASK, f"{TASK} as {SECRET}", MASTER, STUDENT),
        f"{STRUCTURE}copy_gives_no_solution_away[05_solutions]",
        rf"{re.escape(SECRET)}' is in 05_exercises\.ipynb",
    ),
    "a moved badge": (
        cell("title", "/notebooks/02_", "/lessons/02_"),
        f"{STRUCTURE}one_address_everywhere",
        rf"{LESSON}\.ipynb",
    ),
    "an error output": (
        stored_error,
        f"{STRUCTURE}lesson[{LESSON}-outputs]",
        r"02_\w+ · backward: stored error KeyError",
    ),
    "an absolute path": (
        cell("f-values", "x_axis =", 'path = "/ho' + 'me/me/x.pt"\nx_axis ='),
        f"{STRUCTURE}lesson[{LESSON}-source]",
        r"02_\w+ · f-values: absolute path",
    ),
    "missing alt text": (
        cell("graph-picture", "![Computational graph", "![](figures/02_graph.svg) ![Graph"),
        f"{STRUCTURE}lesson[{LESSON}-links]",
        r"02_\w+ · graph-picture: picture figures/02_graph\.svg needs a sentence of alt text",
    ),
    # A mirror that sends wrong bytes is part of that test; the fault is that nobody looks at them.
    "wrong bytes from a mirror": (
        text("course_utils/course/fetch.py", 'f"md5:{md5}"', "None"),
        "tests/test_sources.py::test_where_all_mirrors_fail_nothing_is_left[wrong]",
        r"FAILED tests/test_sources\.py::test_where_all_mirrors_fail_nothing_is_left\[wrong\]",
    ),
    "a committed data file": (
        data_file,
        f"{STRUCTURE}tracked_files",
        r"data/cifar10/train/cat/1_cat\.png: data that must not be kept here",
    ),
    "a stub that does not parse": (
        cell("ex1-code", f"{OPEN}# BEGIN", f"{OPEN}if dim is None:\n    # BEGIN", MASTER),
        COPIES,
        r"05_solutions\.ipynb, cell ex1-code: the stub is not valid Python",
    ),
    "a drifted student copy": (
        cell("ex1", "any shape", "every shape", STUDENT),
        COPIES,
        r"05_exercises\.ipynb",
    ),
    "a dropped row of the record": (
        lost_row,
        "tests/test_documents.py::test_no_item_is_dropped",
        r"CAT-030: row is missing",
    ),
}
SPELLING = ("codespell_lib",)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_caught(copy, run_tests, fault):
    plant, test, line = FAULTS[fault]
    try:
        plant(copy)
        code, said = run_tests(test)
    finally:
        git(copy, "reset", "--quiet", "--hard")
    assert code == 1 and re.search(line, said), said


def test_misspelled_word_is_caught(copy):
    try:
        cell("wavy-reading", "In the next", "In the diffe" + "rnt")(copy)
        code, said = run(copy, *SPELLING)
    finally:
        git(copy, "reset", "--quiet", "--hard")
    assert code and re.search(rf"{LESSON}\.ipynb:\d+: diffe" + "rnt ==> different", said), said


def test_untouched_copy_passes(copy, run_tests):
    tests = {test for _, test, _ in FAULTS.values()}
    code, said = run_tests(*tests)
    assert code == 0 and f"{len(tests)} passed" in said, said
    assert run(copy, *SPELLING) == (0, "")


# --- stored outputs: the lesson untouched and with one fault each, compared in one process --------

# The fault, what plants it, the cell at fault, and what is said of it.
STORED = {
    "a wrong stored number": (
        stored_number,
        "stop-distance",
        r"its output differs: stored 'last step: 0\.000008, distance to 2: 0\.000042', now",
    ),
    "a broken import": (
        cell("imports", "get_device", "get_devices"),
        "imports",
        "it stops the lesson: ImportError: cannot import name 'get_devices'",
    ),
    "a claim that no longer holds": (
        cell("claim-by-hand", "< 1e-4", "< 1e-5"),
        "claim-by-hand",
        "it stops the lesson: ClaimError: claim failed: descent by hand stops within",
    ),
    "a GPU-only cell": (
        cell("requires-grad", "requires_grad=True", 'requires_grad=True, device="cuda"'),
        "requires-grad",
        "it stops the lesson: .*(CUDA|NVIDIA)",
    ),
}
NOTHING = {"nothing": (lambda copy: None, "", "")}


@pytest.fixture(scope="module")
def compared(copy):
    """Of the lesson and its faulty versions: [(cell, problem)], all that is printed, the notes."""
    quick = yaml.safe_dump({"02": lessons.quick_values()["02"]})
    for number, (plant, *_) in enumerate((NOTHING | STORED).values()):
        try:
            plant(copy)
            only = copy / "build" / f"only-{number}"
            only.mkdir(parents=True)
            shutil.copy(copy / "notebooks" / f"{LESSON}.ipynb", only)
            (only / "quick.yaml").write_text(quick, encoding="utf-8")
            target = copy / "build" / "outputs" / str(number)
            notes = outputs.prepare(only, target, copy / "results")
        finally:
            git(copy, "reset", "--quiet", "--hard")
    said = run(copy, *outputs_command(copy))[1]
    return re.findall(r"(?m)^lesson 02, cell ([\w-]+): (.*)$", said), said, notes


def outputs_command(copy):
    """What the Makefile's part "outputs" gives to Python, in one process."""
    makefile = (copy / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    words = shlex.split(re.search(r'part "outputs" \$\(PY\) -m (.*?);', makefile)[1])
    return [*words, "-n", "0", "--color=no"]


@pytest.mark.parametrize("fault", STORED)
def test_fault_in_a_running_lesson_is_caught(compared, fault):
    (lines, said, notes), (_, name, line) = compared, STORED[fault]
    if fault == "a wrong stored number" and notes:
        pytest.skip(notes[0])
    assert [name for at, problem in lines if at == name and re.match(line, problem)], said


def test_untouched_lesson_is_compared_without_a_fault(compared):
    lines, said, _ = compared
    assert {name for name, _ in lines} <= {name for _, name, _ in STORED.values()}, said
    assert len(lines) <= len(STORED), said
    assert re.search(r"(?m)^\d+ failed, \d+ passed", said), said
