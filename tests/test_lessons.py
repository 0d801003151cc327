"""course/lessons: which lessons there are, their parameters, what quick.yaml and -p may say."""

import pytest

from course_utils.course import lessons
from course_utils.course.lessons import CourseError, Parameter, typed

PARAMETERS = 'epochs: int = 10  # passes\nlr: float = 0.1\nname: str = "a"\nsizes: list = [1, 2]'


@pytest.fixture
def folder(tmp_path, write_notebook):
    load = ("code", "load", "", "train_set = mnist(train=True)")
    write_notebook(tmp_path / "02_one.ipynb", [("code", "p", "parameters", PARAMETERS), load])
    write_notebook(tmp_path / "11_two.ipynb", [("code", "p", "parameters", "epochs: int = 1")])
    write_notebook(tmp_path / "solutions" / "02_solutions.ipynb", [("text", "t", "", "# Solved")])
    return tmp_path


def test_lessons_are_found_and_chosen(folder):
    assert list(lessons.choose(folder)) == ["02", "11"]
    assert list(lessons.choose(folder, ["11"])) == ["11"]
    assert list(lessons.choose(folder, ["02_solutions"])) == ["02_solutions"]
    with pytest.raises(CourseError, match=r"no lesson 03, 7; there are 02, 11, 02_solutions"):
        lessons.choose(folder, ["03", "02", "7"])
    with pytest.raises(CourseError, match="no lesson"):
        lessons.choose(folder / "solutions" / "none")


def test_two_lessons_of_one_number(folder, write_notebook):
    write_notebook(folder / "02_other.ipynb", [])
    with pytest.raises(CourseError, match=r"same number: 02_one\.ipynb, 02_other\.ipynb"):
        lessons.find_lessons(folder)


def test_parameters_are_read_as_papermill_reads_them(folder):
    import papermill

    path = folder / "02_one.ipynb"
    found = lessons.parameters(path)
    assert found["lr"] == Parameter("lr", "float", 0.1)
    theirs = papermill.inspect_notebook(path)
    assert {n: p.kind for n, p in found.items()} == {
        n: p["inferred_type_name"] for n, p in theirs.items()
    }


def test_computed_parameter_is_refused(tmp_path, write_notebook):
    path = write_notebook(tmp_path / "02_x.ipynb", [("code", "p", "parameters", "epochs = 2 * k")])
    with pytest.raises(CourseError, match="not plain literals"):
        lessons.parameters(path)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "2", 2),
        ("float", "1e-2", 0.01),
        ("float", "2", 2.0),
        ("bool", "False", False),
        ("str", "0", "0"),
        ("list", "[1, 2]", [1, 2]),
        ("", "2", 2),
        ("", "cpu", "cpu"),
    ],
)
def test_typed(kind, text, value):
    result = typed(text, Parameter("x", kind, None))
    assert result == value and type(result) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("int", "abc"), ("int", "2.5"), ("int", "True"), ("float", "None"), ("list", "[1"),
     ("bool", "1")],
)  # fmt: skip
def test_typed_refuses(kind, text):
    with pytest.raises(CourseError, match="x"):
        typed(text, Parameter("x", kind, None))


def test_given_names_what_is_not_used(folder):
    values, notes = lessons.given([("lr", "0"), ("epochs", "2")], lessons.choose(folder))
    assert values == {"02": {"lr": 0.0, "epochs": 2}, "11": {"epochs": 2}}
    assert notes == ["lr is not used in 11: no such parameter there"]
    with pytest.raises(CourseError, match="no lesson has a parameter speed; there are epochs, lr"):
        lessons.given([("speed", "1")], lessons.choose(folder))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("02: {passes: 1}", "gives lesson 02 a parameter that it lacks: passes; it has epochs"),
        ("02: {epochs: many}", "lesson 02: epochs must be int, not 'many'"),
        ("09: {epochs: 1}", "names lesson 09; there are 02, 11"),
        ("02: {", "cannot be read"),
    ],
)
def test_quick_values_are_checked(folder, text, complaint):
    (folder / "quick.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=complaint):
        lessons.quick_values(folder)


def test_quick_values(folder):
    assert lessons.quick_values(folder) == {}
    (folder / "quick.yaml").write_text("02: {epochs: 1, lr: 1}\n11:\n", encoding="utf-8")
    assert lessons.quick_values(folder) == {"02": {"epochs": 1, "lr": 1.0}, "11": {}}


def test_datasets(folder):
    assert lessons.datasets(folder / "02_one.ipynb") == ["mnist"]
    assert lessons.datasets(folder / "11_two.ipynb") == []


def test_a_file_that_is_no_notebook(folder):
    (folder / "03_three.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(CourseError, match=r"03_three.ipynb is not a readable notebook"):
        lessons.parameters(folder / "03_three.ipynb")
