"""The lessons themselves: what they must show when run otherwise, and what their record says.

Each lesson is executed once, at quick scale with learning rate 0 and two epochs: then no claim
about training may hold, and its history must have two epochs. Its stored claim lines are those
that its record gives.
"""

import nbformat
import pytest

from course_utils.course import lessons, record, run
from course_utils.course.claims import render_claim
from course_utils.course.outputs import text

LESSONS = lessons.find_lessons()
KNOWN = {name: lessons.parameters(path) for name, path in LESSONS.items()}
TRAINING = [name for name in LESSONS if {"lr", "epochs"} & set(KNOWN[name])]
LOOK = "print('epochs in history:', history['epoch'].nunique())"


@pytest.fixture(scope="module", params=TRAINING)
def outcome(request, tmp_path_factory):
    """A lesson with lr 0 and two epochs, as far as it has these, and a last cell that looks."""
    name = request.param
    folder = tmp_path_factory.mktemp("scale")
    lessons.copy_figures(lessons.NOTEBOOKS, folder)
    notebook = lessons.read_notebook(LESSONS[name])
    if "epochs" in KNOWN[name]:
        notebook.cells.append(nbformat.v4.new_code_cell(LOOK, id="look-at-history"))
    source = folder / "source.ipynb"
    nbformat.write(notebook, source)
    wished = {"lr": 0.0, "epochs": 2, "sweep_lrs": []}  # sweeps run other lessons
    values = {key: value for key, value in wished.items() if key in KNOWN[name]}
    values = lessons.quick_values().get(name, {}) | values
    job = run.Job(name, source, folder / LESSONS[name].name, values, claims=None, forks=True)
    return run.execute_all([job])[0]


def test_without_learning_no_claim_holds(outcome):
    assert not outcome.stopped, (
        f"lesson {outcome.job.name} with {outcome.job.parameters}: {outcome.stopped}"
    )
    if "lr" not in KNOWN[outcome.job.name]:
        pytest.skip("has no lr")
    claims = [claim for claim in outcome.claims if claim["at"] == "any"]
    assert len(claims) >= 3, f"lesson {outcome.job.name} has {len(claims)} claims at 'any', not 3"
    holding = [claim["text"] for claim in claims if claim["holds"]]
    assert not holding, f"lesson {outcome.job.name} with lr 0 still claims: {holding}"


def test_history_has_as_many_epochs_as_asked(outcome):
    if "epochs" not in KNOWN[outcome.job.name]:
        pytest.skip("has no epochs")
    if outcome.stopped:
        pytest.fail(f"lesson {outcome.job.name}: {outcome.stopped}")
    last = nbformat.read(outcome.job.output, 4).cells[-1]
    assert text(last.outputs) == ["epochs in history: 2"], f"lesson {outcome.job.name}"


def recorded(name):
    """The lesson's record, complete, or a failure that says what to run."""
    found = record.read_record(name)
    for part, command in [("claims", "--full --seeds 3"), ("stored", "--full --in-place")]:
        if not found.get(part):
            pytest.fail(f"lesson {name} has no {part} in its record: run {command}", pytrace=False)
    return found


def stored_lines(name):
    """What the stored claim cells say, one text a cell that prints claims."""
    cells = lessons.read_notebook(LESSONS[name]).cells
    return {cell.id: text(cell.outputs) for cell in cells if "claim" in lessons.tags(cell)}


@pytest.mark.parametrize("name", LESSONS)
def test_stored_claim_lines_are_the_recorded_ones(name):
    """Each claim cell shows claims one after the other, exactly as the record renders them."""
    found = recorded(name)
    entries = {entry["text"]: entry for entry in found["claims"]}
    expected = []
    for claim in found["stored"]["claims"]:
        status = "holds" if claim["holds"] else "fails"
        lines = render_claim(claim["text"], status, claim["measured"], entries.get(claim["text"]))
        expected += lines.splitlines()
    shown = [(cell, line) for cell, lines in stored_lines(name).items() for line in lines]
    for (cell, line), wanted in zip(shown, expected, strict=False):
        assert line == wanted, f"lesson {name}, cell {cell}: {line!r}, but recorded is {wanted!r}"
    assert len(shown) == len(expected), (
        f"lesson {name}: its claim cells do not show each claim once"
    )


@pytest.mark.parametrize("name", LESSONS)
def test_the_stored_run_is_the_record_s_seed_0(name):
    found = recorded(name)
    stored = found["stored"]["claims"]
    assert [record.shape(claim) for claim in stored] == [
        (entry["text"], entry["at"], entry["item"], sorted(entry["mean"]))
        for entry in found["claims"]
    ], f"lesson {name}: stored run and record make other claims"
    first = found["seeds"].index(0)
    for claim, entry in zip(stored, found["claims"], strict=True):
        again, once = (record.timeless(m) for m in (claim["measured"], entry["measured"][first]))
        same = render_claim("", "holds", again) == render_claim("", "holds", once)
        assert same, f"lesson {name}, {claim['text']!r}: stored {again}, recorded {once}"


@pytest.mark.parametrize("name", LESSONS)
def test_recorded_parameters_are_the_lesson_s(name):
    found = recorded(name)["parameters"]
    assert found == {key: known.default for key, known in KNOWN[name].items()}, f"lesson {name}"
