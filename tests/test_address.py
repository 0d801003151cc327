"""The one address: read from pyproject.toml, stamped on notebooks and texts, and held there."""

import os
import subprocess
import sys

import nbformat
import pytest
import structure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.course import address
from course_utils.course.address import Address, read_address, stamp

OURS = Address("https://github.com/lab/course", "1.2.0")
PROJECT = (
    '[project]\nversion = "1.2.0"\n[project.urls]\nRepository = "https://github.com/lab/course"\n'
)


@pytest.fixture
def checkout(tmp_path):
    """A repository with one notebook of each kind and a README, all with an older address."""
    old = Address("https://github.com/OWNER/REPO", "0.1.0")
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    for name in ("02_toy", "solutions/02_solutions", "exercises/02_exercises"):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        title = new_markdown_cell(
            "# 02 · Toy\n\nWhy?\n\n" + old.badge("notebooks/other.ipynb"), id="title"
        )
        setup = new_code_cell(old.setup_cell(), id="setup", metadata={"tags": ["setup"]})
        nbformat.write(new_notebook(cells=[title, setup]), path)
    readme = (
        f"{old.badge('notebooks/02_toy.ipynb')} `git clone https://github.com/OWNER/REPO`\n"
        '`pip install "git+https://github.com/OWNER/REPO@v0.1.0"` and https://github.com/other/tool\n'
    )
    citation = (
        "version: 0.1.0\nrepository-code: https://github.com/OWNER/REPO\ncff-version: 1.2.0\n"
    )
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(citation, encoding="utf-8")
    return tmp_path


def test_address_of_this_checkout_is_stamped_as_written():
    ours = read_address()
    assert f"{ours.repository}@v{ours.version}" in ours.setup_cell()
    assert f'!= "{ours.version}"' in ours.setup_cell()
    assert f"/github/{ours.name}/blob/v{ours.version}/notebooks/a.ipynb)" in ours.badge(
        "notebooks/a.ipynb"
    )


def test_stamp_writes_every_place_once(checkout):
    assert len(stamp(checkout, write=False)) == 5
    assert "OWNER" in (checkout / "README.md").read_text(encoding="utf-8")
    assert len(stamp(checkout)) == 5
    assert stamp(checkout) == []
    for path in checkout.glob("notebooks/**/*.ipynb"):
        title, setup = nbformat.read(path, as_version=4).cells
        place = path.relative_to(checkout).as_posix()
        assert title.source == f"# 02 · Toy\n\nWhy?\n\n{OURS.badge(place)}"
        assert setup.source == OURS.setup_cell()
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert OURS.badge("notebooks/02_toy.ipynb") in readme
    assert "git clone https://github.com/lab/course`" in readme
    assert '"git+https://github.com/lab/course@v1.2.0"' in readme
    assert "https://github.com/other/tool" in readme
    citation = (checkout / "CITATION.cff").read_text(encoding="utf-8")
    assert citation == (
        "version: 1.2.0\nrepository-code: https://github.com/lab/course\ncff-version: 1.2.0\n"
    )


def test_stamped_notebook_keeps_its_outputs(checkout):
    path = checkout / "notebooks" / "02_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="kept\n")]
    nbformat.write(notebook, path)
    stamp(checkout)
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].text == "kept\n"


def test_setup_cell_does_nothing_here(capsys):
    python = structure.tree(new_code_cell(OURS.setup_cell()))
    exec(compile(python, "setup", "exec"), {})
    assert capsys.readouterr().out == ""


# A plain IPython shell in which Colab seems to be there, and `%pip` only says what it was asked.
COLAB = """
import sys, types
from IPython.core.interactiveshell import InteractiveShell

sys.modules["google.colab"] = types.ModuleType("google.colab")
shell = InteractiveShell.instance()
shell.register_magic_function(lambda line: print("pip", line), magic_name="pip")
for _ in range(2):
    shell.run_cell(sys.argv[1]).raise_error()
"""


def test_setup_cell_is_safe_to_run_twice_in_colab(tmp_path):
    lesson = structure.Notebook.read(next(structure.ROOT.glob("notebooks/02_*.ipynb")))
    said = subprocess.check_output(
        [sys.executable, "-c", COLAB, lesson.cell("setup").source],
        env=os.environ | {"IPYTHONDIR": str(tmp_path)},
        encoding="utf-8",
    )
    ours = read_address()
    installs = [
        f'pip install -q --no-deps "git+{ours.repository}@{ours.tag}"',
        "pip install -q pooch",
    ]
    assert said.splitlines() == 2 * installs


@pytest.mark.parametrize("value", ["", "http://github.com/a/b", "https://github.com/a", "a/b"])
def test_another_address_is_refused(tmp_path, value):
    text = PROJECT.replace("https://github.com/lab/course", value)
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"must be https://github\.com/owner/name"):
        read_address(tmp_path)


def test_without_a_checkout_one_line_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="kept in a checkout"):
        read_address(tmp_path)


def test_notebook_without_frame_is_named(checkout):
    path = checkout / "notebooks" / "02_toy.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 02", id="title")]), path)
    with pytest.raises(ValueError, match=r"notebooks/02_toy\.ipynb needs one cell tagged `setup`"):
        stamp(checkout)


def test_command(checkout, monkeypatch, capsys):
    monkeypatch.setattr(address, "ROOT", checkout)
    monkeypatch.setattr(address.stamp, "__defaults__", (checkout, True))
    assert address.main(["--check"]) == 1
    assert "notebooks/02_toy.ipynb: does not carry the address" in capsys.readouterr().out
    assert address.main([]) == 0
    assert "README.md: stamped" in capsys.readouterr().out
    assert address.main(["--check"]) == 0
    (checkout / "pyproject.toml").unlink()
    assert address.main([]) == 1
    assert "pyproject.toml is missing" in capsys.readouterr().err
