"""JupyterLab in a real browser, as a student has it: a lesson run, exercises tried and solved.

The server listens on this machine only, with a token. The browser is the Chromium or Chrome that is
installed here; without one the tests are skipped, or fail where `COURSE_BROWSER=required` is set.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from course_utils.course import lab, lessons
from course_utils.course.exercises import BEGIN, END
from course_utils.course.lessons import NOTEBOOKS
from course_utils.course.outputs import has_image

BROWSERS = ("chromium", "google-chrome", "chrome", "chromium-browser")
LESSON, STUDENT, MASTER = "05_neurons_and_activations", "05_exercises", "05_solutions"
PATIENCE = 300  # seconds for whatever is waited for: a machine may be slow
UNLIKE_A_STUDENTS = ("COURSE_NO_PROGRESS", "MPLBACKEND")  # what the tests set
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page
}
# Kernel idle, some cell numbered, none waiting.
FINISHED = r"""() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  const texts = prompts.map(prompt => prompt.textContent);
  return texts.some(text => /\[\d+\]/.test(text)) && !texts.some(text => text.includes("*"))
    && document.querySelector("#jp-main-statusbar").textContent.includes("| Idle");
}"""
COUNT_BARS = """() => {
  window.barsSeen = 0;
  new MutationObserver(() => {
    window.barsSeen += document.querySelectorAll(".jp-OutputArea .widget-hprogress").length;
  }).observe(document.body, {childList: true, subtree: true});
}"""
PICTURES_DRAWN = """() => [...document.querySelectorAll(".jp-OutputArea-output img")]
  .filter(picture => picture.complete && picture.naturalWidth > 100).length"""
NAIVE = """\
def stable_softmax(x, dim):
    return x.exp() / x.exp().sum(dim, keepdim=True)"""


def absent(why):
    """Skip, or fail where a browser is required."""
    if os.environ.get("COURSE_BROWSER") == "required":
        pytest.fail(f"a browser is required here, but {why}")
    pytest.skip(why)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright import sync_api
    except ImportError:
        absent("Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = next(filter(None, map(shutil.which, BROWSERS)), own)
        if not Path(path).is_file():
            absent("there is neither Chromium nor Chrome")
        opened = playwright.chromium.launch(executable_path=path)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def jupyter(browser, tmp_path_factory):
    """JupyterLab on a student's copies, the lesson with its quick values: address, token, work."""
    folder = tmp_path_factory.mktemp("lab")
    work = folder / "work"
    lab.lay_out(work=work)
    make_quick(work / f"{LESSON}.ipynb")
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    environment = {name: v for name, v in os.environ.items() if name not in UNLIKE_A_STUDENTS}
    environment |= {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}", "--no-browser"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--allow-root"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    log, url = folder / "log.txt", f"http://127.0.0.1:{port}"
    with (
        open(log, "w", encoding="utf-8") as lines,
        subprocess.Popen(command, env=environment, stdout=lines, stderr=lines) as server,
    ):
        try:
            wait_for(f"{url}/api/status?token={token}", server, log)
            yield SimpleNamespace(url=url, token=token, work=work)
        finally:
            server.terminate()


def make_quick(path):
    """Give a lesson the values of quick scale, and take its stored outputs away."""
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "parameters" in lessons.tags(cell):
            values = lessons.quick_values()[lessons.number(path.name)]
            cell.source += "".join(f"\n{name} = {value!r}" for name, value in values.items())
    nbformat.write(notebook, path)


def wait_for(url, server, log):
    """Wait until a server answers; one that has ended or is silent for too long is a failure."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab does not answer: {log.read_text(encoding='utf-8')[-2000:]}")


class Opened:
    """A notebook open in the browser; its cells are found by their ids."""

    def __init__(self, browser, jupyter, place):
        self.path = jupyter.work / place
        self.names = [cell.id for cell in nbformat.read(self.path, 4).cells]
        self.page = browser.new_page(viewport={"width": 1280, "height": 1000})
        self.page.set_default_timeout(1000 * PATIENCE)
        workspace = f"{jupyter.url}/lab/workspaces/{self.path.stem}"
        self.page.goto(f"{workspace}/tree/{place}?token={jupyter.token}")
        # Without a session, running would ask for a kernel instead.
        self.page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle")).wait_for()

    def cell(self, name):
        return self.page.locator(".jp-Notebook .jp-Cell").nth(self.names.index(name))

    def run_all(self):
        """Choose Run All Cells in the menu, and wait until all has run or something has failed."""
        self.page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
        self.page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
        self.page.wait_for_function(FINISHED)

    def write(self, name, source):
        """Put another source into a cell, and run it."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")

    def run(self, name):
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def says(self, name, text):
        """Wait until a cell's output has this text."""
        from playwright.sync_api import expect

        output = self.cell(name).locator(".jp-Cell-outputArea")
        expect(output).to_contain_text(text, timeout=1000 * PATIENCE)

    def saved(self):
        """Save, and return the notebook as it then lies on disk."""
        self.page.keyboard.press("ControlOrMeta+s")
        self.page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
        return nbformat.read(self.path, 4)


@pytest.fixture
def open_notebook(browser, jupyter):
    """Return a function that opens a notebook of the student's; its page is closed at the end."""
    opened = []

    def open_it(place):
        opened.append(Opened(browser, jupyter, place))
        return opened[-1]

    yield open_it
    for notebook in opened:
        notebook.page.close()


def test_a_lesson_runs_and_its_slider_answers(open_notebook):
    from playwright.sync_api import expect

    lesson = open_notebook(f"{LESSON}.ipynb")
    lesson.page.evaluate(COUNT_BARS)
    lesson.run_all()
    code = [cell for cell in lesson.saved().cells if cell.cell_type == "code"]
    outs = [(cell.id, out) for cell in code for out in cell.outputs]
    assert [(name, out.evalue) for name, out in outs if out.output_type == "error"] == []
    assert [cell.id for cell in code if cell.execution_count is None] == []

    stored = lessons.read_notebook(NOTEBOOKS / f"{LESSON}.ipynb").cells
    figures = [cell.id for cell in stored if has_image(cell.get("outputs", []))]
    assert figures and [cell.id for cell in code if has_image(cell.outputs)] == figures
    assert lesson.page.evaluate(PICTURES_DRAWN) == len(figures) + 1  # and the slider's
    assert lesson.page.evaluate("window.barsSeen") > 0
    expect(lesson.page.locator(".widget-hprogress:visible")).to_have_count(0)

    unit = lesson.cell("interactive")
    figure, readout = unit.locator("img"), unit.locator(".widget-readout").first
    before = figure.get_attribute("src")
    assert readout.inner_text() == "1.00"
    unit.locator(".noUi-handle").first.focus()
    lesson.page.keyboard.press("ArrowRight")
    expect(readout).to_have_text("1.25", timeout=1000 * PATIENCE)
    expect(figure).not_to_have_attribute("src", before, timeout=1000 * PATIENCE)


def test_an_exercise_is_tried_and_solved(open_notebook):
    exercises = open_notebook(f"exercises/{STUDENT}.ipynb")
    exercises.run_all()
    exercises.says("ex1-check", "to do: 05.1")
    exercises.says("tally", "0 of 4 done, 4 to do")

    exercises.write("ex1-code", NAIVE)
    exercises.run("ex1-check")
    exercises.says("ex1-check", "✗ 05.1 Softmax that survives large numbers: numbers near 1000")
    exercises.write("ex1-hint", 'hint("05.1")')
    exercises.says("ex1-hint", "05.1, hint 1 of 4: ")

    exercises.write("ex1-code", solution("ex1-code"))
    exercises.run("ex1-check")
    exercises.says("ex1-check", "✓ 05.1 Softmax that survives large numbers")
    exercises.run("tally")
    exercises.says("tally", "1 of 4 done, 3 to do")


def solution(name):
    """Return a cell of the master without the markers of its solution."""
    cells = lessons.read_notebook(NOTEBOOKS / "solutions" / f"{MASTER}.ipynb").cells
    source = next(cell.source for cell in cells if cell.id == name)
    return "\n".join(line for line in source.split("\n") if line.strip() not in (BEGIN, END))


def test_a_required_browser_is_not_skipped(monkeypatch):
    monkeypatch.setenv("COURSE_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="required here, but there is none"):
        absent("there is none")
    monkeypatch.delenv("COURSE_BROWSER")
    with pytest.raises(pytest.skip.Exception, match="there is none"):
        absent("there is none")
