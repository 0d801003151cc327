"""All notebooks and files are held to one frame; and each check is shown a fault that it finds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import structure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from structure import ROOT, Notebook

from course_utils.course.address import read_address, stamp
from course_utils.course.exercises import BEGIN, END, regenerate, solution_lines, student_path
from course_utils.course.lessons import quick_values
from course_utils.course.plan import running

LESSONS = sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
MASTERS = sorted(ROOT.glob("notebooks/solutions/*.ipynb"))
COPIES = sorted(ROOT.glob("notebooks/exercises/*.ipynb"))
COMMANDS_ONLY = ("papermill", "nbclient", "nbformat", "pooch", "sklearn")


def stem(value):
    return value.stem if isinstance(value, Path) else value.__name__


# --- the notebooks -------------------------------------------------------------------------------


@pytest.mark.parametrize("check", structure.LESSON, ids=stem)
@pytest.mark.parametrize("path", LESSONS, ids=stem)
def test_lesson(path, check):
    report(structure.problems(Notebook.read(path), [check]))


@pytest.mark.parametrize("check", structure.ANY, ids=stem)
@pytest.mark.parametrize("path", MASTERS + COPIES, ids=stem)
def test_exercises(path, check):
    report(structure.problems(Notebook.read(path), [check]))


@pytest.mark.parametrize("path", MASTERS, ids=stem)
def test_master_is_stored_as_run(path):
    report(structure.problems(Notebook.read(path), [structure.run_order]))


@pytest.mark.parametrize("path", MASTERS, ids=stem)
def test_copy_gives_no_solution_away(path):
    report(leaks(Notebook.read(path), Notebook.read(student_path(path))))


def test_every_lesson_has_its_exercises():
    solved = [p.stem for p in MASTERS if not p.stem.endswith("_sweeps")]
    assert solved == [f"{p.name[:2]}_solutions" for p in LESSONS]
    assert regenerate(write=False) == [], "run python -m course_utils.course.exercises"


def test_one_address_everywhere():
    assert stamp(write=False) == [], "run python -m course_utils.course.address"


def test_claims_are_unique():
    report(repeated_claims([Notebook.read(path) for path in LESSONS]))


def test_quick_values_fit_the_lessons():
    assert {path.name[:2] for path in LESSONS} >= {name[:2] for name in quick_values()}


def test_readme_lists_the_lessons_that_are_there():
    """Title, question and minutes are the lesson's own; nothing else is listed."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    row = r"^\| (\d\d) \| \[(.+?)\]\((.+?)\) \| (.+?) \| .+? \| (\d+) \|"
    rows = re.findall(row, text, re.MULTILINE)
    expected = []
    for path in LESSONS:
        lines = Notebook.read(path).cell("title").source.split("\n\n")
        title = lines[0].removeprefix(f"# {path.name[:2]} · ")
        minutes = str(running(Notebook.read(path).content, path.name))
        expected.append((path.name[:2], title, f"notebooks/{path.name}", lines[1].strip(), minutes))
    assert rows == expected


def leaks(master, student):
    """Return the solution's longer lines that the copy holds, but no code that the task gives."""
    written = "\n".join(cell.source for cell in student.cells)
    secret = [line for cell in master.code for line in solution_lines(cell.source)]
    secret += [
        line.strip()
        for cell in master.code
        if "solution" in structure.tags(cell)
        for line in cell.source.split("\n")
    ]
    given = "\n".join(
        line
        for cell in master.code
        if "solution" not in structure.tags(cell)
        for line in cell.source.split("\n")
        if line.strip() not in solution_lines(cell.source)
    )
    return [
        f"{line!r} is in {student.path.name}"
        for line in secret
        if len(line) > 14 and line in written and line not in given
    ]


def repeated_claims(notebooks):
    """Return the claims that stand more than once, with the lessons they stand in."""
    places = {}
    for notebook in notebooks:
        for text in structure.claim_texts(notebook):
            places.setdefault(text, []).append(notebook.number)
    return [f"{text!r} is claimed in {where}" for text, where in places.items() if len(where) > 1]


# --- the package and the repository --------------------------------------------------------------


def test_package_keeps_its_measure():
    report(package_problems(ROOT / "course_utils"))


def test_public_names_are_few_and_explained():
    import course_utils

    assert len(course_utils.__all__) == len(set(course_utils.__all__)) <= 30
    for name in course_utils.__all__:
        public = getattr(course_utils, name)
        assert not callable(public) or ">>>" in (public.__doc__ or ""), f"{name} has no example"


@pytest.mark.parametrize(
    ("code", "late"),
    [
        ("import course_utils", ("torch", "pandas")),
        ("from course_utils import train, mnist", ("matplotlib",)),
        ("import course_utils; [getattr(course_utils, n) for n in course_utils.__all__]", ()),
    ],
)
def test_import_leaves_alone_what_it_does_not_need(code, late):
    late = (*COMMANDS_ONLY, "torchvision", "seaborn", "scipy", *late)
    code += f"\nimport sys\nprint([m for m in {late} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_package_offers_its_helpers_and_no_other_name():
    import course_utils

    assert set(course_utils.__all__) < set(dir(course_utils))
    with pytest.raises(ImportError, match="import name 'no_such_helper'"):
        from course_utils import no_such_helper  # noqa: F401


def test_tracked_files():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.check_output(command, cwd=ROOT, text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    report(file_problems(ROOT, sorted(set(names.split("\0")) - {""})))


def package_problems(folder):
    """Return what is too long, or imported where it should not be, in the teaching modules."""
    faults, total = [], 0
    for path in sorted(
        set(folder.glob("*.py")) - {folder / f"__{name}__.py" for name in ("init", "main")}
    ):
        text = path.read_text(encoding="utf-8")
        total += (lines := text.count("\n"))
        if lines >= 200:
            faults.append(f"{path.name}: {lines} lines; under 200")
        for node in ast.parse(text).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            names += [getattr(node, "module", None) or ""]
            for name in {name.split(".")[0] for name in names} & set(COMMANDS_ONLY):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    faults.append(f"{path.name}: imports {name} at the top")
    return faults + (
        [f"teaching modules have {total} lines; at most 1,000"] if total > 1000 else []
    )


# Written in two halves, so that this file passes its own check.
NOT_OF_THE_COURSE = re.compile(
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|(?i:\bissue" r" #?\d|\bpull" r" request #?\d)|"
    r"(?<![\w.)}\]$*-])/(home|work|root)" r"/\w|/tmp/" r"(spec|h\d)"
)  # fmt: skip


def file_problems(root, names):
    """Return the faults of the repository's files: too large, CIFAR data, words of the workshop."""
    faults = []
    for name in names:
        path = root / name
        if not path.is_file():
            continue
        if path.stat().st_size > 2_000_000:
            faults.append(f"{name}: {path.stat().st_size:,} bytes; at most 2,000,000")
        if re.match(r"data/(?!README\.md$|samples/)", name) or re.search(
            r"cifar[^/]*(/.*)?\.(png|jpe?g|npz|npy|bin|tar|t?gz|zip|pt)$|cifar-10-batches",
            name,
            re.I,
        ):
            faults.append(f"{name}: data that must not be kept here")
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            if '"image/png": "' not in line and (word := NOT_OF_THE_COURSE.search(line)):
                faults.append(f"{name}:{number}: {word[0]!r} does not speak of the course")
        if name == "requirements.lock" and any("://" in line for line in lines):
            faults.append(f"{name}: names a host")
    return faults


def report(faults):
    assert not faults, "\n" + "\n".join(faults)


# --- that the checks can fail: one good notebook, and one fault at a time -------------------------

READING = (
    "The line falls from left to right, since every step of the loop moves against the slope, and "
    "the last value is the one that the loop printed above the picture, close to zero."
)
PREDICT = (
    "**Predict.** After one more step, is the value larger, smaller, or the same as before? "
    "Decide, write your answer down with a reason, and only then run the cell beneath this one."
)
PICTURE = "iVBORw0KGgo="


def toy(folder):
    """Write a lesson without a fault, and the files it refers to; return its path."""

    def text(name, source):
        return new_markdown_cell(source, id=name)

    def code(name, source, *outputs, tags=()):
        metadata = {"tags": list(tags)} if tags else {}
        return new_code_cell(source, id=name, outputs=list(outputs), metadata=metadata)

    def out(text):
        return new_output("stream", text=text)

    picture = new_output("display_data", {"image/png": PICTURE, "text/plain": "<Figure size 7x3>"})
    address = read_address()
    cells = [
        text(
            "title",
            "# 02 · Walk downhill\n\nWhere does it end?\n\n"
            + address.badge("notebooks/02_toy.ipynb"),
        ),
        text(
            "contract",
            "**You will do** one walk. **You will be able to** walk. "
            "**You need** lesson 01 and 1 minute. **It follows** *Inside Deep Learning* (IDL).",
        ),
        code("setup", address.setup_cell(), tags=["setup"]),
        code("imports", "from course_utils import claim, get_device"),
        code(
            "parameters",
            'device: str = "auto"  # where to compute\nseed: int = 0  # of the random numbers\n'
            "lr: float = 0.1  # step size",
            tags=["parameters"],
        ),
        code("seed-device", "device = get_device(device)\ndevice", out("cpu")),
    ]
    for name in ("one", "two", "three", "four"):
        cells += [
            text(f"{name}-question", f"## Section {name}\n\n{READING}"),
            text(f"{name}-predict", PREDICT),
            code(f"{name}-start", "start = 0.5\nstart", out("0.5")),
            code(f"{name}-value", "value = start - 0.25\nvalue", out("0.24987\n")),
            text(f"{name}-reading", f"The value is 0.250. It is 0.9 in IDL. {READING}"),
            code(
                f"{name}-figure",
                "# output varies: training\nplot(value)",
                picture,
                tags=["nbval-ignore-output"],
            ),
            text(f"{name}-figure-reading", f"{READING}\n\n![A line that falls](figures/line.svg)"),
        ]
    cells += [
        text("claims-intro", f"## What was claimed, what was measured\n\n{READING}"),
        *(
            code(f"claim-{i}", f'claim("claim {i}", value < {i})', out("✓"), tags=["claim"])
            for i in (1, 2)
        ),
        text("more", READING),
        code("claim-3", 'claim("claim 3", True)', out("✓"), tags=["claim"]),
        text("remember", f"## What to remember\n\n- {READING}\n- It was 0.25.\n- It ends."),
        text("exercises", f"## Exercises\n\n[Four](exercises/02_exercises.ipynb). {READING}"),
        text(
            "further-reading",
            "## Further reading\n\n- [A](https://a.org): tells how it was found.\n"
            f"- [B](https://b.org): the same, drawn as a picture. {READING}",
        ),
    ]
    notebook = new_notebook(cells=cells, metadata=METADATA)
    for count, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    path = folder / "02_toy.ipynb"
    for name in ("figures/line.svg", "exercises/02_exercises.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")
    nbformat.write(notebook, path)
    return path


METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@pytest.mark.parametrize(
    "code",
    [
        "plot_images(cifar10(train=True, source=pictures).images)",
        'these = {"source": "sample"}\nx = cifar10(train=True, **these)\nplt.imshow(x[0][0])',
        "x = cifar10(True)\nlight = x.images.float().mean()\nx = digits\nplt.imshow(x * light)",
    ],
)
def test_pictures_that_may_be_drawn(tmp_path, code):
    notebook = Notebook.read(toy(tmp_path))
    notebook.cell("one-value").source = code
    report(structure.problems(notebook, [structure.drawn_pictures]))


def test_good_notebook_has_no_fault(tmp_path):
    report(structure.problems(Notebook.read(toy(tmp_path)), structure.LESSON))


def says(name, text):
    """Plant: append `text` to the source of a cell."""
    return lambda nb: nb[name].update(source=nb[name].source + text)


def becomes(name, old, new):
    """Plant: replace a text in a cell's source."""

    def plant(nb):
        assert old in nb[name].source
        nb[name].source = nb[name].source.replace(old, new)

    return plant


def prints(name, kind="stream", /, **fields):
    """Plant: append an output to a cell."""
    return lambda nb: nb[name].outputs.append(new_output(kind, **fields))


def tagged(name, *tags):
    """Plant: set a cell's tags."""
    return lambda nb: nb[name].metadata.update(tags=list(tags))


def gone(name):
    """Plant: remove a cell."""
    return lambda nb: nb.content.cells.remove(nb[name])


def sets(name, **fields):
    """Plant: set fields of a cell."""
    return lambda nb: nb[name].update(**fields)


def swapped(first, second):
    """Plant: exchange two cells."""

    def plant(nb):
        cells = nb.content.cells
        i, j = cells.index(nb[first]), cells.index(nb[second])
        cells[i], cells[j] = cells[j], cells[i]

    return plant


def split(name, after):
    """Plant: put two more code cells behind a cell."""

    def plant(nb):
        at = nb.content.cells.index(nb[name]) + 1
        nb.content.cells[at:at] = [new_code_cell("1", id=f"{name}-{i}") for i in range(after)]

    return plant


MANY_LINES = "\n" + "\n".join(f"a{i} = {i}" for i in range(31))
FAULTS = [
    (structure.valid, lambda nb: nb.content.update(nbformat_minor=4), "4.4, not 4.5"),
    (structure.valid, sets("one-value", source=5), "not valid"),
    (structure.valid, sets("one-value", source="def f(:"), "one-value: not valid Python"),
    (structure.ids, sets("one-value", id="two-value"), "two-value: id used 2 times"),
    (structure.ids, sets("one-value", id="One_value"), "'One_value': id is not kebab-case"),
    (structure.ids, sets("one-value", id="f81d4fae"), "f81d4fae: id is random"),
    (
        structure.metadata,
        lambda nb: nb.content.metadata.update(papermill={}),
        "papermill must be absent",
    ),
    (structure.metadata, lambda nb: nb.content.metadata.pop("kernelspec"), "kernelspec must be"),
    (
        structure.metadata,
        lambda nb: nb["imports"].metadata.update(papermill={}),
        "imports: metadata",
    ),
    (structure.metadata, sets("more", attachments={"a.png": {}}), "more: attachment"),
    (structure.metadata, tagged("one-value", "raises-exception"), "one-value: unknown tag"),
    (structure.source, says("imports", "\nfrom torch import *"), "imports: star import of torch"),
    (structure.source, says("imports", "\nwarnings.simplefilter('ignore')"), "imports: silences"),
    (structure.source, says("one-value", "\n!ls"), "one-value: `!ls` outside"),
    (
        structure.source,
        says("one-value", "\n%pip install x"),
        "one-value: `%pip install x` outside",
    ),
    (structure.source, says("more", " See /ho" + "me/me/x."), "more: absolute path"),
    (
        structure.outputs,
        prints("one-value", "error", ename="KeyError"),
        "one-value: stored error KeyError",
    ),
    (
        structure.outputs,
        prints("one-value", name="stderr", text="50%|"),
        "one-value: stored stderr",
    ),
    (structure.outputs, prints("one-value", text="UserWarning: x"), "one-value: stored warning"),
    (
        structure.outputs,
        prints("one-value", "display_data", data={"application/vnd.jupyter.widget-view+json": {}}),
        "one-value: stored application/vnd.jupyter.widget",
    ),
    (structure.outputs, prints("one-value", "display_data", data={"image/svg+xml": ""}), "svg"),
    (structure.outputs, prints("one-value", text="/ho" + "me/me/x"), "in the output"),
    (structure.outputs, tagged("one-value", "interactive", "nbval-ignore-output"), "no output"),
    (structure.size, prints("one-value", text="x" * 400_000), "at most 400,000"),
    (structure.run_order, sets("imports", execution_count=7), "imports: execution count 7, not 2"),
    (structure.ignored, tagged("one-figure", "interactive"), "one-figure: interactive without"),
    (structure.ignored, tagged("one-value", "nbval-ignore-output"), "one-value: first line is"),
    (structure.ignored, tagged("one-figure"), "one-figure: gives a reason but"),
    *(
        (
            structure.drawn_pictures,
            says("one-value", f"\n{code}"),
            f"one-value: {name} may draw real",
        )
        for name, code in {
            "imshow": "birds = cifar10(train=True)\nfor x, y in birds:\n    plt.imshow(x)",
            "plot_images": 'some = cifar10(True, source="real").images\nplot_images(some / 255)',
            "show": "def show(x):\n    plot_images(x)\n\n\nshow(cifar10(train=True).images)",
        }.items()
    ),
    (structure.links, says("more", " [x](../gone.md)"), "more: link to ../gone.md leads nowhere"),
    (structure.links, says("more", " [x](#Gone)"), "more: link to #Gone meets no heading"),
    (structure.links, says("more", " ![](figures/line.svg)"), "needs a sentence of alt text"),
    (structure.links, says("more", " ![a b c](https://a.org/b.png)"), "does not lie in figures/"),
    (structure.links, says("more", " ![a b c](figures/gone.svg)"), "leads nowhere"),
    (structure.links, says("more", ' <img src="x">'), "more: <img>"),
    (structure.heading_levels, says("more", "\n\n#### Deep"), "more: heading 'Deep' skips"),
    (structure.heading_levels, says("more", "\n\n# Again"), "2 headings of level 1"),
    (structure.frame, gone("remember"), "remember: frame cell is missing"),
    (structure.frame, swapped("setup", "imports"), "the first cells are"),
    (structure.frame, tagged("parameters"), "parameters: not tagged parameters"),
    (structure.frame, tagged("imports", "setup"), "imports: tagged setup"),
    (structure.frame, swapped("remember", "exercises"), "the last sections are"),
    (structure.frame, becomes("remember", "What to", "To"), "remember: must hold"),
    (structure.frame, becomes("one-question", "## ", "**"), "3 sections before"),
    (structure.title, becomes("title", "02 · W", "2: w"), "title: first line"),
    (structure.title, becomes("title", "?", "."), "title: the second line must be one question"),
    (structure.contract, becomes("contract", "**You need**", "You need"), "no **You need**"),
    (structure.contract, becomes("contract", "**It follows**", "It follows"), "four bold parts"),
    (structure.contract, says("contract", " word" * 100), "contract: 124 words"),
    (structure.contract, says("contract", " Understand it."), "contract: `understand`"),
    (structure.contract, becomes("contract", "1 minute", "time"), "how many minutes"),
    (structure.parameter_cell, says("parameters", "\nepochs = 3  # x"), "`epochs = 3  # x` is not"),
    (structure.parameter_cell, says("parameters", "\nn: int = 2 * 3  # x"), "is not a literal"),
    (structure.parameter_cell, says("parameters", "\nn: int = 2"), "has no comment"),
    (structure.parameter_cell, becomes("parameters", "seed:", "sed:"), "seed is missing"),
    (structure.parameter_cell, tagged("parameters"), "device is missing"),
    (structure.closing, becomes("remember", "\n- It ends.", ""), "remember: 2 bullets"),
    (structure.closing, becomes("exercises", "02_ex", "ex"), "exercises: no link"),
    (
        structure.closing,
        becomes("further-reading", ": tells how it was found.", ""),
        "not described",
    ),
    (
        structure.closing,
        becomes("further-reading", "\n- [B]", " [B]"),
        "further-reading: 1 bullets",
    ),
    (structure.claim_cells, becomes("claim-1", '"claim 1"', "text"), "claim-1: a claim's text"),
    (structure.claim_cells, becomes("claim-1", "< 1", "< 1, at=scale"), "claim-1: at must be"),
    (structure.claim_cells, becomes("claim-1", "< 1", '< 1, at="full"'), '2 claims at "any"'),
    (structure.claim_cells, tagged("claim-1"), "claim-1: claims but is not tagged"),
    (structure.claim_cells, tagged("one-value", "claim"), "one-value: tagged claim but"),
    (structure.figures, gone("one-figure-reading"), "one-figure: a figure without"),
    (
        structure.predictions,
        becomes("one-predict", "**Predict.**", "So **Predict.**"),
        "must begin",
    ),
    (
        structure.predictions,
        lambda nb: [gone(f"{n}-predict")(nb) for n in ("one", "two")],
        "2 cells",
    ),
    (structure.pacing, says("one-value", MANY_LINES), "one-value: 33 code lines; at most 30"),
    (
        structure.pacing,
        lambda nb: [says(f"{n}-value", MANY_LINES)(nb) for n in ("one", "two")],
        "cells over 15 lines ['one-value', 'two-value']",
    ),
    (structure.pacing, split("one-value", 1), "one-value-0: third code cell in a row"),
    (structure.pacing, split("one-value", 9), "markdown cells to a code cell"),
    (structure.pacing, split("one-value", 9), "something to look at"),
    (structure.pacing, says("more", " word" * 700), "words in a markdown cell"),
    (
        structure.whole_functions,
        says("one-value", "\nclass A:\n    pass\n\n\nA.forward = 1"),
        "one-value: A.forward is set from outside",
    ),
    (structure.whole_functions, says("one-value", "\nclass A(A):\n    pass"), "class A is split"),
    (
        structure.numbers,
        becomes("one-reading", "0.250", "0.251"),
        "one-reading: 0.251 is in no output",
    ),
    (
        structure.numbers,
        becomes("one-reading", "in IDL", "in it"),
        "one-reading: 0.9 is in no",
    ),
    (structure.numbers, becomes("remember", "0.25", "0.26"), "remember: 0.26"),
    (structure.numbers, says("more", "\n\n| IDL | here |\n|---|---|\n| 0.7 | 0.8 |"), "more: 0.8"),
]


class Planted:
    """A notebook whose cells are found by id, for planting."""

    def __init__(self, path):
        self.content = nbformat.v4.reads(path.read_text(encoding="utf-8"))

    def __getitem__(self, name):
        return next(cell for cell in self.content.cells if cell.id == name)


@pytest.mark.parametrize(
    ("check", "plant", "line"),
    FAULTS,
    ids=[f"{c.__name__}-{i}" for i, (c, *_) in enumerate(FAULTS)],
)
def test_planted_fault_is_named(tmp_path, check, plant, line):
    path = toy(tmp_path)
    planted = Planted(path)
    plant(planted)
    path.write_text(nbformat.v4.writes(planted.content), encoding="utf-8")
    found = structure.problems(Notebook.read(path), [check])
    assert [fault for fault in found if line in fault and fault.startswith("02_toy · ")], found


def test_every_check_has_a_planted_fault():
    assert {check for check, *_ in FAULTS} == set(structure.LESSON)


def test_numbers_that_are_not_findings_are_left_alone(tmp_path):
    path = toy(tmp_path)
    planted = Planted(path)
    text = (
        " With $x = 0.77$ and `lr=0.66`, the document finds 0.55. Exercise 1.6.4 asks [more](a0.4)."
    )
    says("one-reading", text + "\n\n| IDL | here |\n|---|---|\n| 0.7 | 0.25 |")(planted)
    nbformat.write(planted.content, path)
    report(structure.problems(Notebook.read(path), [structure.numbers]))


def test_claim_made_twice_is_named(tmp_path):
    notebook = Notebook.read(toy(tmp_path))
    assert repeated_claims([notebook, notebook])[0] == "'claim 1' is claimed in ['02', '02']"


def test_solution_left_in_a_copy_is_named(tmp_path):
    notebook = Notebook.read(toy(tmp_path))
    secret = f"def f(x):\n    {BEGIN}\n    return x.mean(dim=0) / 2\n    {END}"
    notebook.cell("one-value").source = secret
    notebook.cell("more").source += " Write `return x.mean(dim=0) / 2`."
    assert leaks(notebook, notebook) == ["'return x.mean(dim=0) / 2' is in 02_toy.ipynb"]


def test_package_faults_are_named(tmp_path):
    (tmp_path / "a.py").write_text("import pooch.core\n" + "x = 1\n" * 200, encoding="utf-8")
    (tmp_path / "b.py").write_text("x = 1\n" * 900, encoding="utf-8")
    found = "\n".join(package_problems(tmp_path))
    for line in ("a.py: 201 lines", "a.py: imports pooch", "b.py: 900 lines", "have 1101 lines"):
        assert line in found


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("big.txt", "x" * 2_000_001, "big.txt: 2,000,001 bytes"),
        ("data/cifar10/1_cat.jpg", "", "data/cifar10/1_cat.jpg: data that"),
        ("tests/cifar.npz", "", "tests/cifar.npz: data that"),
        ("a.py", "\n# TO" + "DO: later", "a.py:2: 'TO" + "DO' does not speak"),
        ("a.md", "see issue" + " #2", "a.md:1: 'issue" + " #2'"),
        ("a.md", "in /ho" + "me/me", "a.md:1: '/ho" + "me/m'"),
        (
            "requirements.lock",
            "--index-url https://a.org/simple",
            "requirements.lock: names a host",
        ),
    ],
)
def test_file_faults_are_named(tmp_path, name, text, line):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "good.md").write_text("One `work/` folder, see work/02.", encoding="utf-8")
    found = file_problems(tmp_path, [name, "good.md"])
    assert len(found) == 1 and found[0].startswith(line), found
