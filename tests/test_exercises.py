"""Students' copies: how they are made, and that both they and their masters run to the end."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from structure import ROOT

from course_utils.course import exercises, run
from course_utils.course.address import Address
from course_utils.course.exercises import generate, regenerate, solution_lines, stub, student_path
from course_utils.course.lessons import quick_values

MASTERS = sorted(ROOT.glob("notebooks/solutions/*.ipynb"))
SOLVED = """\
class Line:
    def at(self, x):
        # BEGIN SOLUTION
        if x:
            return 2 * x

        return 0
        # END SOLUTION


def slope():
    step = 1
    # BEGIN SOLUTION
    return 2 * step
    # END SOLUTION"""
STUBBED = """\
class Line:
    def at(self, x):
        raise NotImplementedError("your code here")


def slope():
    step = 1
    raise NotImplementedError("your code here")"""


@pytest.fixture
def master():
    address = Address("https://github.com/lab/course", "1.0.0")
    badge = address.badge("notebooks/solutions/02_solutions.ipynb")
    out = new_output("stream", text="4\n")
    cells = [
        new_markdown_cell(f"# 02 · Toy\n\n{badge}", id="title"),
        new_code_cell(address.setup_cell(), id="setup", metadata={"tags": ["setup"]}),
        new_code_cell(SOLVED, id="line", execution_count=2, outputs=[out]),
        new_code_cell("Line().at(2)", id="shown", metadata={"tags": ["solution"]}, outputs=[out]),
        new_markdown_cell("Two reasons.", id="why", metadata={"tags": ["solution"]}),
    ]
    return new_notebook(cells=cells)


@pytest.fixture
def checkout(tmp_path, master):
    text = '[project]\nversion = "2.0.0"\nurls.Repository = "https://github.com/lab/course"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    path = tmp_path / "notebooks" / "solutions" / "02_solutions.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(master, path)
    return tmp_path


def test_stub_keeps_indentation_and_what_stands_around():
    assert stub(SOLVED) == STUBBED
    assert stub("x = 1\n%time x") == "x = 1\n%time x"
    assert "return 2 * step" in solution_lines(SOLVED) and "step = 1" not in solution_lines(SOLVED)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f():\n    # BEGIN SOLUTION\n    pass", "without `# END SOLUTION`"),
        ("def f():\n    pass\n    # END SOLUTION", "`# END SOLUTION` where its partner is due"),
        ("def f():\n    # BEGIN SOLUTION\n    # BEGIN SOLUTION", "`# BEGIN SOLUTION` where"),
        ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION", "must stand inside a function"),
        ("class A:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION", "inside a function"),
        ("def f():\n  # BEGIN SOLUTION\n  pass\n  # END SOLUTION\n   x", "not valid Python"),
    ],
)
def test_malformed_solution_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        stub(source)


def test_copy_is_cleared_and_keeps_its_ids(master):
    copy = generate(master)
    assert [cell.id for cell in copy.cells] == ["title", "setup", "line"]
    assert copy.cells[2].source == STUBBED
    assert copy.cells[2].outputs == [] and copy.cells[2].execution_count is None
    assert len(master.cells) == 5 and master.cells[2].outputs, "the master is left as it was"
    nbformat.validate(copy)


def test_malformed_cell_is_named(master):
    master.cells[2].source += "\n    # END SOLUTION"
    with pytest.raises(ValueError, match="cell line: "):
        generate(master)


def test_regenerate_finds_drift(checkout):
    target = checkout / "notebooks" / "exercises" / "02_exercises.ipynb"
    assert regenerate(checkout, write=False) == [target] and not target.exists()
    assert regenerate(checkout) == [target]
    assert regenerate(checkout) == []
    assert "/v2.0.0/notebooks/exercises/02_exercises.ipynb)" in target.read_text(encoding="utf-8")
    target.write_text(target.read_text(encoding="utf-8").replace("your code", "my code"), "utf-8")
    orphan = target.with_name("03_exercises.ipynb")
    orphan.write_text("mine", encoding="utf-8")
    assert regenerate(checkout, write=False) == [target, orphan]
    assert regenerate(checkout) == [target, orphan]
    assert orphan.read_text(encoding="utf-8") == "mine", "never deleted"


def test_command(checkout, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "ROOT", checkout)
    monkeypatch.setattr(exercises.regenerate, "__defaults__", (checkout, True))
    assert exercises.main(["--check"]) == 1
    line = "notebooks/exercises/02_exercises.ipynb: is not what its master generates"
    assert line in capsys.readouterr().out
    assert exercises.main([]) == 0 and "written" in capsys.readouterr().out
    assert exercises.main(["--check"]) == 0
    path = checkout / "notebooks" / "solutions" / "02_solutions.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("# END SOLUTION", "# END"), "utf-8")
    assert exercises.main([]) == 1
    assert "02_solutions.ipynb, cell line: `# BEGIN" in capsys.readouterr().err


def execute(path, output, **how):
    """Run a notebook at quick scale, solutions with strict checks; return all that it printed."""
    values = quick_values().get(path.stem.replace("_exercises", "_solutions"), {})
    [outcome] = run.execute_all([run.Job(path.stem, path, output, values, claims=None, **how)])
    assert not outcome.stopped, outcome.stopped
    outs = [out for cell in nbformat.read(output, 4).cells for out in cell.get("outputs", [])]
    return "".join(out.get("text", "") for out in outs)


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_master_passes_every_check(path, tmp_path):
    text = execute(path, tmp_path / path.name)  # in a kernel that imports everything itself
    assert "0 to do" in text and "✗" not in text


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_copy_runs_unsolved_and_counts_what_is_to_do(path, tmp_path):
    path = student_path(path)
    text = execute(path, tmp_path / path.name, forks=True)
    done = [line for line in text.split("\n") if line.startswith("0 of ") and "to do" in line]
    assert done, text
    count = done[-1].split()[2]
    assert f"0 of {count} done, {count} to do" in done[-1]
