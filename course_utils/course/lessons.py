"""The lessons on disk: which there are, their parameters, their values at quick scale.

Everything here reads; `run.py` executes. A mistake in what a person typed or wrote is a
`CourseError`, whose text is one sentence that the commands print as it is.
"""

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
RESULTS = ROOT / "results"
BUILD = ROOT / "build"
# With these, Linux's C library keeps freed memory for the next step of training instead of handing
# it back each time: lesson 08's deeper network trains about a sixth faster. No one else reads them.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**29)}
# Where this is installed, nbformat's import would spend seconds on its grammar of web addresses,
# which no notebook needs: jsonschema does without it.
sys.modules.setdefault("rfc3987_syntax", None)


class CourseError(Exception):
    """Something a person can mend; the text says what and how."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a lesson: `epochs: int = 10`."""

    name: str
    kind: str  # the annotation, "" where there is none
    default: object


def find_lessons(notebooks=NOTEBOOKS):
    """Return {"02": path, …} of the lessons, `NN_topic.ipynb`, in order."""
    lessons = {}
    for path in sorted(Path(notebooks).glob("[0-9][0-9]_*.ipynb")):
        if twin := lessons.get(number(path.name)):
            raise CourseError(f"two lessons have the same number: {twin.name}, {path.name}")
        lessons[number(path.name)] = path
    return lessons


def find_solutions(notebooks=NOTEBOOKS):
    """Return {"02_solutions": path, …} of the solved exercises, which run only when named."""
    return {path.stem: path for path in sorted(Path(notebooks, "solutions").glob("*.ipynb"))}


def choose(notebooks=NOTEBOOKS, only=()):
    """Return {name: path} of the lessons asked for, all lessons if `only` is empty."""
    lessons = find_lessons(notebooks)
    if not lessons:
        raise CourseError(f"no lesson (NN_topic.ipynb) in {notebooks}")
    known = lessons | find_solutions(notebooks)
    unknown = [name for name in only if name not in known]
    if unknown:
        raise CourseError(f"no lesson {', '.join(unknown)}; there are {', '.join(known)}")
    return {name: known[name] for name in known if name in only} if only else lessons


def read_notebook(path):
    """Return a notebook as nbformat reads it; a file that is none is a `CourseError`."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises many kinds, all meaning this
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CourseError(f"{Path(path).name} is not a readable notebook: {reason}") from error
    return notebook


def tags(cell):
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def number(name):
    """Return the lesson's number in a name: "02" of "02", "02_solutions", "02_topic.ipynb"."""
    return str(name)[:2]


def parameters(path):
    """Return {name: Parameter} of the cell tagged `parameters`, {} without one."""
    for cell in read_notebook(path).cells:
        if cell.cell_type == "code" and "parameters" in tags(cell):
            return _assignments(cell.source, Path(path).name)
    return {}


def _assignments(source, file):
    found = {}
    try:
        for line in ast.parse(source).body:
            match line:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=ast.expr()):
                    kind = ast.unparse(kind)
                case ast.Assign(targets=[ast.Name(id=name)]):
                    kind = ""
                case _:
                    continue
            found[name] = Parameter(name, kind, ast.literal_eval(line.value))
    except (SyntaxError, ValueError) as error:
        raise CourseError(f"{file}: its parameters are not plain literals ({error})") from error
    return found


def typed(text, parameter):
    """Return the typed value of a command line's text, as papermill reads it, or refuse it.

    Example:
        >>> typed("2", Parameter("epochs", "int", 10)), typed("1e-3", Parameter("lr", "float", 0.1))
        (2, 0.001)
        >>> typed("abc", Parameter("epochs", "int", 10))
        Traceback (most recent call last):
        ...
        course_utils.course.lessons.CourseError: epochs must be int, not 'abc'
    """
    if parameter.kind == "str":
        return text
    import yaml

    value = {"True": True, "False": False, "None": None}.get(text, text)
    if isinstance(value, str):
        for kind in (int, float):
            try:
                value = kind(text)
                break
            except ValueError:
                pass
        else:
            if text[:1] in "[{":
                try:
                    value = yaml.safe_load(text)
                except yaml.YAMLError as error:
                    raise CourseError(f"{parameter.name}: {text!r} cannot be read") from error
    return fitting(value, parameter)


def fitting(value, parameter):
    """Return `value` if the parameter's annotation allows it, an int made a float where due."""
    kinds = {"int": int, "float": float, "bool": bool, "str": str, "list": list, "dict": dict}
    kind = parameter.kind.split("[")[0]
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    right = type(value) is kinds[kind] if kind in kinds else True
    if not right:
        raise CourseError(f"{parameter.name} must be {parameter.kind}, not {value!r}")
    return value


def quick_values(notebooks=NOTEBOOKS):
    """Return {name: {parameter: value}} from `quick.yaml`, names and types checked."""
    import yaml

    file = Path(notebooks) / "quick.yaml"
    if not file.is_file():
        return {}
    try:
        # Names stay text: YAML would read 02 as the number 2.
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}
        typed_values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise CourseError(f"quick.yaml cannot be read: {error}") from error
    paths = find_lessons(notebooks) | find_solutions(notebooks)
    quick = {}
    for name, chosen in zip(values, typed_values.values(), strict=True):
        if name not in paths:
            raise CourseError(f"quick.yaml names lesson {name}; there are {', '.join(paths)}")
        known, chosen = parameters(paths[name]), chosen or {}
        for key, value in chosen.items():
            if key not in known:
                raise CourseError(
                    f"quick.yaml gives lesson {name} a parameter that it lacks: {key}; "
                    f"it has {', '.join(known) or 'none'}"
                )
            try:
                chosen[key] = fitting(value, known[key])
            except CourseError as error:
                raise CourseError(f"quick.yaml, lesson {name}: {error}") from error
        quick[name] = chosen
    return quick


def given(pairs, paths):
    """Return {lesson: {parameter: value}} for `-p name value` pairs, and what is not used where.

    A parameter that no lesson has is a `CourseError`; one that some lack is named in the second
    value, one sentence a parameter.
    """
    known = {name: parameters(path) for name, path in paths.items()}
    values, notes = {name: {} for name in paths}, []
    for key, text in pairs:
        having = [name for name in paths if key in known[name]]
        if not having:
            every = sorted({parameter for names in known.values() for parameter in names})
            raise CourseError(f"no lesson has a parameter {key}; there are {', '.join(every)}")
        for name in having:
            values[name][key] = typed(text, known[name][key])
        if lacking := [name for name in paths if name not in having]:
            notes.append(f"{key} is not used in {', '.join(lacking)}: no such parameter there")
    return values, notes


def stored_values(path):
    """Return the parameters that stored outputs are made with where they are not the defaults.

    Stored pictures come from the samples, which may be published.
    """
    return {"pictures": "sample"} if "pictures" in parameters(path) else {}


def datasets(path):
    """Return the image sets that a notebook's code loads, such as ["mnist"]."""
    code = "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "code")
    return [name for name in ("mnist", "cifar10") if re.search(rf"\b{name}\(", code)]


def copy_figures(notebooks, folder):
    """Copy the drawn diagrams beside copies of the lessons, whose text shows them."""
    import shutil

    for picture in Path(notebooks, "figures").glob("*.*g"):  # .svg, .png
        target = Path(folder) / "figures" / picture.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)
