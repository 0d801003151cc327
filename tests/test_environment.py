"""What is installed: requirements, their lock, conda's names and pyproject.toml agree."""

import re
import tomllib

import pytest

from course_utils.course.lessons import ROOT

CONDA = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
    "playwright": "playwright-python",
}


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def split(requirement):
    """("numpy", ">=2.0") of "numpy>=2.0"."""
    return re.fullmatch(r"([A-Za-z0-9_.-]+?)([<>=].*)?", requirement).groups()


REQUIRED = dict(
    split(line.split("#")[0].strip())
    for line in lines("requirements.txt")
    if not line.startswith("-e")
)
LOCKED = dict(line.split(";")[0].strip().split("==") for line in lines("requirements.lock"))


def version(text):
    return [int(part) for part in re.findall(r"\d+", text)]


def test_each_requirement_has_its_reason_and_a_lower_bound():
    for line in lines("requirements.txt"):
        assert re.search(r" # \w+", line), f"no reason: {line}"
    for name, bound in REQUIRED.items():
        assert bound and bound.startswith(">="), f"{name} has no lower bound"
    assert lines("requirements.txt")[-1].startswith("-e . ")


def test_the_package_needs_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, bound in map(split, project["dependencies"]):
        assert REQUIRED.get(name) == bound, f"{name} in pyproject.toml and requirements.txt"


@pytest.mark.parametrize("name", REQUIRED)
def test_the_lock_holds_each_requirement(name):
    lower = REQUIRED[name].removeprefix(">=").split(",")[0]
    assert version(LOCKED[name]) >= version(lower)


def test_the_lock_serves_as_constraints():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text, "a host is named"
    for line in lines("requirements.lock"):
        assert re.match(r"[a-z0-9._-]+==[^\s\[\]]+( ; .+)?$", line), line


def test_conda_has_the_same():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    names = re.findall(r"^  - ([a-z]\S*[0-9])(?:  #.*)?$", text, re.M)
    conda = dict(map(split, names))
    assert conda.pop("python") == "=3.12"  # one that the course supports
    assert conda == {CONDA.get(name, name): bound for name, bound in REQUIRED.items()}


def test_the_commands_of_the_makefile_are_listed():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.M)[1].split()
    for target in targets:
        assert re.search(rf"^{target}:.*## ", text, re.M), f"make {target} is not in make help"
