"""course/lab: a student's copies are made once, and never overwritten."""

import json
import os
import sys

import nbformat
import pytest

from course_utils.course import lab


@pytest.fixture
def folders(tmp_path, write_notebook):
    notebooks, work = tmp_path / "notebooks", tmp_path / "work"
    write_notebook(notebooks / "02_one.ipynb", [("code", "a", "", "1")])
    write_notebook(notebooks / "exercises" / "02_exercises.ipynb", [("text", "a", "", "Do.")])
    (notebooks / "figures").mkdir()
    (notebooks / "figures" / "graph.svg").write_text("<svg/>", encoding="utf-8")
    return notebooks, work


def test_copies_once(folders):
    notebooks, work = folders
    assert lab.lay_out(notebooks, work) == [
        "copied 02_one.ipynb",
        "copied exercises/02_exercises.ipynb",
    ]
    mine = work / "02_one.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert lab.lay_out(notebooks, work) == []
    assert mine.read_text(encoding="utf-8").endswith(" ")
    assert (work / "figures" / "graph.svg").exists()


def test_a_changed_lesson_lies_beside_the_old_one(folders, write_notebook):
    notebooks, work = folders
    lab.lay_out(notebooks, work)
    for count, name in [(2, "02_one (newer).ipynb"), (3, "02_one (newer 2).ipynb")]:
        write_notebook(notebooks / "02_one.ipynb", [("code", "a", "", str(count))])
        [line] = lab.lay_out(notebooks, work)
        assert line.endswith(name)
        assert nbformat.read(work / name, 4).cells[0].source == str(count)
        assert lab.lay_out(notebooks, work) == []
    assert nbformat.read(work / "02_one.ipynb", 4).cells[0].source == "1"


def test_new_outputs_alone_are_no_newer_lesson(folders):
    notebooks, work = folders
    lab.lay_out(notebooks, work)
    lesson = nbformat.read(notebooks / "02_one.ipynb", 4)
    lesson.cells[0].execution_count = 1
    nbformat.write(lesson, notebooks / "02_one.ipynb")
    assert lab.lay_out(notebooks, work) == []


def test_a_deleted_copy_comes_back_and_a_lost_manifest_harms_nothing(folders, write_notebook):
    notebooks, work = folders
    lab.lay_out(notebooks, work)
    (work / "02_one.ipynb").unlink()
    assert lab.lay_out(notebooks, work) == ["copied 02_one.ipynb"]
    (work / lab.MANIFEST).write_text("{", encoding="utf-8")
    assert lab.lay_out(notebooks, work) == []
    write_notebook(work / "02_one.ipynb", [("code", "a", "", "mine")])
    (work / lab.MANIFEST).unlink()
    [line] = lab.lay_out(notebooks, work)
    assert "newer" in line
    assert nbformat.read(work / "02_one.ipynb", 4).cells[0].source == "mine"
    assert json.loads((work / lab.MANIFEST).read_text(encoding="utf-8"))


def test_jupyterlab_is_started_on_work_with_its_guards(folders, monkeypatch, capsys):
    started, waits = [], iter([KeyboardInterrupt, 0])

    class Server:
        def __init__(self, command, env):
            started.append(command)
            assert env["MALLOC_TRIM_THRESHOLD_"] == "1" and env["PATH"] == os.environ["PATH"]

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def wait(self):
            if (answer := next(waits)) is KeyboardInterrupt:
                raise KeyboardInterrupt
            return answer

    monkeypatch.setattr(lab, "ROOT", folders[1].parent)
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")  # a user's own wish stays
    monkeypatch.setattr(lab, "lay_out", lambda work: [])
    monkeypatch.setattr(lab.subprocess, "Popen", Server)
    assert lab.main(["--no-browser"]) == 0
    root = f"--ServerApp.root_dir={folders[1]}"
    assert started == [[sys.executable, "-m", "jupyterlab", root, "--no-browser"]]


def test_bad_lesson_is_one_sentence(folders, monkeypatch, capsys):
    (folders[0] / "03_x.ipynb").write_text("no", encoding="utf-8")
    original = lab.lay_out
    monkeypatch.setattr(lab, "lay_out", lambda work: original(*folders))
    assert lab.main([]) == 2
    assert capsys.readouterr().err.startswith("lab: 03_x.ipynb is not a readable notebook")
