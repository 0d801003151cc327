"""A lesson whose processes are forked is as one whose processes import everything themselves."""

import contextlib
import subprocess
import sys

import nbformat
import psutil
import pytest

from course_utils.course import run, warm

only_where_safe = pytest.mark.skipif(not warm.IS_SAFE, reason="only Linux forks")

# Each prints what a lesson may look at, or could be misled by.
CELLS = {
    "imported": "import sys\nprint('torch' in sys.modules, 'numpy' in sys.modules)",
    "course": "print([name for name in sys.modules if name.startswith('course_utils')\n"
    "       and not name.startswith('course_utils.course')])",
    "variables": "import os\nown = ('_', 'JPY_PARENT_PID')\n"
    "print(sorted(item for item in os.environ.items() if item[0] not in own))",
    "place": "print(os.getcwd(), sys.path, __name__, sys.executable)",
    "prints": "import subprocess\nprint('out')\nprint('err', file=sys.stderr)\n"
    "subprocess.run(['echo', 'from a command'])",
    "settings": "import signal, torch\nimport matplotlib.pyplot as plt\n"
    "print(plt.get_backend(), plt.rcParams['figure.dpi'], torch.get_num_threads(),\n"
    "      signal.getsignal(signal.SIGINT), torch.cuda._is_in_bad_fork())",
    "random": "import random\nimport numpy as np\n"
    "print(random.random(), np.random.rand(), torch.initial_seed())",
    "figure": "plt.plot([1, 3, 2])\nplt.show()",
    "table": "import pandas as pd\npd.DataFrame({'x': [1, 2]})",
    "trains": "torch.manual_seed(1)\nnet = torch.nn.Linear(50, 20)\n"
    "optimizer = torch.optim.Adam(net.parameters())\n"
    "for _ in range(5):\n    loss = net(torch.randn(64, 50)).square().mean()\n"
    "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\nprint(loss.item())",
    "workers": "from torch.utils.data import DataLoader, TensorDataset\n"
    "loader = DataLoader(TensorDataset(torch.arange(6)), 2, num_workers=2,\n"
    "                    multiprocessing_context='spawn')\nprint([batch for batch, in loader])",
    "start-of-workers": "import multiprocessing as mp\n"
    "print(mp.get_start_method(allow_none=True), mp.process.ORIGINAL_DIR)",
    "alone": "print(len(os.listdir('/proc/self/task')), os.getsid(0) == os.getpid())",
}
DIFFERENT = ("imported", "random")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, write_notebook):
    """What the cells show in a fresh kernel and in two forked ones, {cell id: [output]} each."""
    folder = tmp_path_factory.mktemp("warm")
    rows = [("code", name, "", source) for name, source in CELLS.items()]
    path = write_notebook(folder / "02_x.ipynb", rows)
    found = []
    for forks in (False, True, True):
        copy = folder / "build" / path.name
        [outcome] = run.execute_all([run.Job("02", path, copy, forks=forks)])
        assert outcome.ok, outcome.stopped
        found.append({cell.id: shown(cell) for cell in nbformat.read(copy, 4).cells})
    return found


def shown(cell):
    """Outputs as [(kind, text or data)]."""
    return [(out.output_type, out.get("text") or dict(out.get("data", {}))) for out in cell.outputs]


@only_where_safe
@pytest.mark.parametrize("name", [name for name in CELLS if name not in DIFFERENT])
def test_cell_shows_what_it_shows_in_a_fresh_kernel(outputs, name):
    fresh, forked, again = (found[name] for found in outputs)
    assert fresh and forked == fresh and again == fresh


@only_where_safe
def test_what_is_imported_is_there(outputs):
    texts = [found["imported"][0][1] for found in outputs]
    assert texts == ["False False\n", "True True\n", "True True\n"]


@only_where_safe
def test_no_two_forks_draw_the_same(outputs):
    draws = [found["random"][0][1].split() for found in outputs]
    assert len({number for pair in draws for number in pair}) == 9


def test_elsewhere_all_is_imported_anew(tmp_path, write_notebook, monkeypatch):
    monkeypatch.setattr(warm, "IS_SAFE", False)
    assert warm.context({}).get_start_method() == "spawn"
    path = write_notebook(tmp_path / "02_x.ipynb", [("code", "x", "", CELLS["imported"])])
    [outcome] = run.execute_all([run.Job("02", path, tmp_path / "build" / "x.ipynb", forks=True)])
    assert outcome.ok, outcome.stopped
    assert shown(nbformat.read(outcome.job.output, 4).cells[0])[0][1] == "False False\n"


@only_where_safe
def test_a_lesson_that_never_starts_its_kernel_ends(tmp_path):
    job = run.Job("02", tmp_path / "none.ipynb", tmp_path / "build" / "x.ipynb", forks=True)
    [outcome] = run.execute_all([job])
    assert outcome.stopped["error"].startswith("its process ended with code 1: ")
    assert "none.ipynb is not a readable notebook" in outcome.stopped["error"]


@only_where_safe
def test_a_waiting_kernel_ends_with_its_parent():
    code = "import os\nfrom course_utils.course import warm\n"
    code += "print(warm.Kernel().pid, flush=True)\nos._exit(0)"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    with contextlib.suppress(psutil.NoSuchProcess):
        kernel = psutil.Process(int(said))
        assert not psutil.wait_procs([kernel], 20)[1] or kernel.status() == psutil.STATUS_ZOMBIE
