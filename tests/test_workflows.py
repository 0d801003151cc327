"""What runs on GitHub: workflows can be read and name commands, files, versions there are."""

import importlib.util
import re
import shlex
import tomllib
from itertools import pairwise

import pytest
import yaml

from course_utils.course.lessons import ROOT

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
SITES_OWN = ("sphinx",)  # in an environment of its own


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def problems(command):
    """Return what a command line of a workflow names and this checkout has not."""
    program, *words = shlex.split(command)
    if program == "make":
        known = re.search(r"(?m)^\.PHONY: (.*)$", read("Makefile"))[1].split()
        return [f"make has no {word}" for word in words if "=" not in word and word not in known]
    if not program.endswith("python") or words[:1] != ["-m"]:
        return [f"neither make nor python -m: {command}"]
    module = words[1]
    found = module in SITES_OWN or importlib.util.find_spec(module)
    files = [word for flag, word in pairwise(words) if flag in ("-r", "-c")]
    missing = [f"no file {name}" for name in files if not (ROOT / name).exists()]
    return missing if found else [f"no module {module}", *missing]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_commands_are_there(name):
    lines = [line for step in steps(WORKFLOWS[name]) for line in step.get("run", "").splitlines()]
    assert lines
    assert [fault for line in lines for fault in problems(line)] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_job_has_a_limit_and_each_action_a_version(name):
    for job, content in WORKFLOWS[name]["jobs"].items():
        assert "timeout-minutes" in content or job == "publish", job
    for step in steps(WORKFLOWS[name]):
        assert ("run" in step) != bool(re.fullmatch(r"[\w./-]+@v\d+", step.get("uses", ""))), step


def test_oldest_and_newest_python_on_each_system():
    oldest = re.search(r'requires-python = ">=([\d.]+)"', read("pyproject.toml"))[1]
    newest = re.search(r"Python [\d.]+ to ([\d.]+)", read("README.md"))[1]
    jobs = WORKFLOWS["ci.yml"]["jobs"]
    for name in ("lessons", "elsewhere"):
        assert jobs[name]["strategy"]["matrix"]["python"] == [oldest, newest]
    systems = jobs["elsewhere"]["strategy"]["matrix"]["system"]
    assert {system.split("-")[0] for system in systems} == {"macos", "windows"}


def test_colab_carries_what_the_package_needs():
    listed = dict(re.findall(r"(?m)^([\w-]+)(?:==([\d.]+)\.\*)?", read("tests/colab.txt")))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    for name, bound in (requirement.split(">=") for requirement in project["dependencies"]):
        carried = listed[name] or bound
        numbers = [[int(part) for part in text.split(".")] for text in (carried, bound)]
        assert numbers[0] >= numbers[1], f"Colab's {name} is {carried}, the course needs {bound}"


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("make rum TORCH=cpu", "make has no rum"),
        ("python -m cours_utils run", "no module cours_utils"),
        ("python -m pip install -r gone.txt -c requirements.lock", "no file gone.txt"),
        ("curl -O x", "neither make nor python -m: curl -O x"),
    ],
)
def test_command_that_is_not_there_is_named(command, fault):
    assert problems(command) == [fault]
