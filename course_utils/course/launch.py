"""Start workers by torchrun, or any command, and say in one line how it ended: lesson 13.

No process is left behind, however a command ends. Workers meet on this machine only; nothing here
needs a network.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from course_utils.course import brisk

LOOPBACK = "127.0.0.1"
FINISHED = "finished"
PROCESSES = 1 if sys.platform == "win32" else 2  # torchrun may lack a part, libuv, on Windows
OURS = ("COURSE_CLAIMS", "COURSE_RECORD", "COURSE_STRICT_CHECKS")  # of the run that calls us
# A traceback's last line, or a refused option.
ERROR = re.compile(
    r"(?m)^(?:\[rank(\d+)\]: )?"
    r"((?:\w+\.)*\w*(?:Error|Exception|Interrupt)(?:: .*)?|\S+: error: .*)$"
)
LOST = re.compile(r"gloo|nccl|[Cc]onnection|rendezvous|SIGTERM")  # what befalls the others


def torchrun(script, *arguments, processes=PROCESSES, restarts=0, port=None, timeout=240):
    """Run a script in some processes on this machine; return "finished", or why not in one line.

    Args:
        script: the file that each process runs.
        *arguments: handed on to it.
        processes: how many, at least 1; each computes with one thread.
        restarts: how often all are started anew when one fails.
        port: where they meet, a free one by default.
        timeout: seconds after which all are ended.
    """
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        return f"not started: processes must be an integer of at least 1, not {processes!r}"
    if sys.platform == "win32" and processes > 1:
        return f"not started: processes can only be 1 on Windows, not {processes}"
    if not Path(script).is_file():
        return f"not started: there is no script {Path(script).name}"
    if port is not None and not _is_free(port):
        return f"not started: port {port} is taken; leave `port` out and a free one is chosen"
    command = command_line(script, arguments, processes, restarts, port)
    code, said = run([sys.executable, brisk.__file__, *command], timeout, environment())
    if code is None:
        return f"ended after {timeout} s: it should have finished by then"
    return FINISHED if code == 0 else _cause(said, code)


def command_line(script, arguments, processes, restarts, port):
    """Return what `torchrun` lets `brisk.py` run, as a list without the Python at its head."""
    if sys.platform == "win32":  # the script alone; `environment` says what torchrun would say
        return [str(script), *map(str, arguments)]
    return [
        *("-m", "torch.distributed.run", "--nproc-per-node", str(processes)),
        *("--max-restarts", str(restarts), "--rdzv-backend", "c10d"),
        *("--rdzv-endpoint", f"{LOOPBACK}:{port or free_port()}", "--local-addr", LOOPBACK),
        *(brisk.__file__, str(script), *map(str, arguments)),
    ]


def environment(**more):
    """Return the variables that a command starts with: one thread, the loopback, this Python's."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    kept |= {
        "OMP_NUM_THREADS": "1",
        "PYTHONUTF8": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "COURSE_NO_PROGRESS": "1",
        # Without it restarted workers look for the dead ones' addresses, and fail (torch 2.15).
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }
    names = [name for _, name in socket.if_nameindex()]
    if loopback := next((name for name in ("lo", "lo0") if name in names), None):
        kept |= {"GLOO_SOCKET_IFNAME": loopback, "TP_SOCKET_IFNAME": loopback}
    if sys.platform == "win32":
        kept |= {"RANK": "0", "LOCAL_RANK": "0", "USE_LIBUV": "0"}
        kept |= {"WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
        kept |= {"MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(free_port())}
    return kept | more


def run(command, timeout, env=None):
    """Run a command; return its exit code and all it said, (None, …) if it took too long.

    All processes that it started are ended, also when this is interrupted.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said, _ = process.communicate(timeout=timeout)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        return None, ""
    finally:
        if process.poll() is None:
            _end(process)


def _end(process):
    """End a process with all that it started."""
    import psutil

    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    for member in [psutil.Process(process.pid), *family]:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.communicate()
    psutil.wait_procs(family, timeout=10)


def free_port():
    """Return a port on which nobody listens."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        return server.getsockname()[1]


def _is_free(port):
    with socket.socket() as server:
        if sys.platform != "win32":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def _cause(said, code):
    """Return which worker failed and why; what its end did to the others is left out."""
    ends = re.findall(r"rank +: (\d+) .*\n +exitcode +: (-?\d+)", said)
    for rank, exit_code in reversed(ends):  # the table's last row is the first that failed
        if int(exit_code) < 0 and exit_code != "-15":
            return f"worker {rank} was killed (signal {-int(exit_code)})"
    errors = [(rank, line.strip()) for rank, line in ERROR.findall(said)]
    errors = [pair for pair in errors if "ChildFailedError" not in pair[1]]
    first = ends[-1][0] if ends else "?"
    for rank, line in [pair for pair in errors if not LOST.search(pair[1])] or errors:
        return f"worker {rank or first} failed: {line}"
    if ends:
        return f"worker {first} ended with code {ends[-1][1]}"
    return f"torchrun ended with code {code}: {(said.strip().splitlines() or ['no word'])[-1]}"
