"""Programs that `brisk.py` starts are as if started by Python itself, but for its collector."""

import subprocess
import sys

import pytest

from course_utils.course import brisk

SAYS = """\
import atexit, gc, os, sys

print(__name__, [os.path.basename(part) for part in sys.argv], gc.get_threshold()[0])
print("the folder:", sys.path[0])
atexit.register(print, "said at the end")
sys.exit(3)
"""


def start(*command, **options):
    command = [sys.executable, *map(str, command)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def says(tmp_path):
    (tmp_path / "says.py").write_text(SAYS, encoding="utf-8")
    return tmp_path / "says.py"


@pytest.mark.parametrize("flags", [(), ("-P",)])
def test_program_is_itself(says, flags):
    ours = start(*flags, brisk.__file__, says, "-m", "b c")
    plain = start(*flags, says, "-m", "b c")
    assert ours.returncode == plain.returncode == 3
    first, *rest = ours.stdout.splitlines()
    assert first == f"__main__ ['says.py', '-m', 'b c'] {brisk.OBJECTS}"
    assert rest == plain.stdout.splitlines()[1:]


def test_module_is_itself(says):
    ours = start(brisk.__file__, "-m", "says", "b c", cwd=says.parent)
    assert ours.stdout.startswith(f"__main__ ['says.py', 'b c'] {brisk.OBJECTS}"), ours
    assert ours.stdout.endswith("said at the end\n") and ours.returncode == 3


def test_program_that_fails_says_so(tmp_path):
    (tmp_path / "fails.py").write_text("raise ValueError('of its own')", encoding="utf-8")
    ours = start(brisk.__file__, tmp_path / "fails.py")
    assert ours.returncode == 1
    assert ours.stderr.splitlines()[-1] == "ValueError: of its own"


def test_what_is_left_at_the_end_is_left_to_the_system():
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\n"  # runs after the freezing
        "from course_utils.course import brisk\n"
    )
    assert start("-c", code).stdout == "False\n"
    assert start("-c", code + "brisk.begin()").stdout == "True\n"
