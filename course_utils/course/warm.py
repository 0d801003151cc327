"""Start a lesson's process and its kernel with PyTorch imported already, where that is safe: Linux.

At quick scale a lesson's two processes spend more time importing than computing. Here one process
imports (multiprocessing's fork server), and the lessons' processes fork from it, each with all the
rest of its own: environment, folder, paths, state. Stored outputs, what they are compared with,
and a student's own kernel never begin here: these import everything themselves.
"""

import atexit
import contextlib
import multiprocessing
import os
import sys
import threading
import weakref
from importlib.metadata import EntryPoint
from multiprocessing import forkserver

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

IS_SAFE = sys.platform == "linux"  # elsewhere a fork may not, or does not, keep what is imported
INLINE = "module://matplotlib_inline.backend_inline"


def context(environment):
    """Return multiprocessing's context whose processes begin with `libraries.py` imported.

    Args:
        environment: the variables to import with; those that a library reads but once (threads,
            memory) must be what the processes are to have. Only the first call's count.
    """
    if not IS_SAFE:
        return multiprocessing.get_context("spawn")
    known = multiprocessing.get_context("forkserver")
    known.set_forkserver_preload(["course_utils.course.libraries"])
    ours = dict(os.environ)
    try:
        _set_variables(environment | {"MPLBACKEND": INLINE})
        forkserver.ensure_running()
    finally:
        _set_variables(ours)
    return known


@contextlib.contextmanager
def forked_kernel():
    """Fork a kernel, while this process has but one thread, for jupyter_client to start."""
    import course_utils.course.libraries  # noqa: F401 - if one is missing, it is said here

    factory = KernelProvisionerFactory.instance()
    entry = EntryPoint("forked", f"{__name__}:Forked", KernelProvisionerFactory.GROUP_NAME)
    factory.provisioners["forked"] = entry
    factory.default_provisioner_name = "forked"
    Forked.kernel = Kernel()
    try:
        yield
    finally:
        Forked.kernel.kill()


class Forked(LocalProvisioner):
    """Starts the kernel that waits, where jupyter_client's own provisioner starts a new process."""

    kernel = None

    async def launch_kernel(self, cmd, *, cwd=None, env=None, **others):
        """Start it with the command's arguments, in the folder `cwd`, with the variables `env`."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = self.kernel
        self.process.start(arguments, os.fspath(cwd or os.getcwd()), dict(env or os.environ))
        self.pid = self.pgid = self.process.pid  # it leads a group of its own
        return self.connection_info


class Kernel:
    """A forked process that waits to be a kernel, with what is used of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self):
        context = multiprocessing.get_context("fork")
        theirs, self._wish = context.Pipe(duplex=False)
        self._process = context.Process(target=_be_a_kernel, args=(theirs, self._wish))
        self._process.start()
        theirs.close()
        self.pid = self._process.pid
        self.kill, self.terminate = self._process.kill, self._process.terminate

    def start(self, *wish):
        """Let it begin."""
        self._wish.send(wish)

    def poll(self):
        """Return the exit code, None while it runs."""
        return self._process.exitcode

    def wait(self):
        """Wait for its end; return the exit code."""
        self._process.join()
        return self.poll()

    def send_signal(self, number):
        """Send it a signal."""
        os.kill(self.pid, number)


def _be_a_kernel(wish, sender):
    """Wait for what is wished, then be a kernel until asked to end, or until the parent ends."""
    sender.close()  # now the pipe ends where the parent does
    os.setsid()
    arguments, folder, environment = wish.recv()
    threading.Thread(target=_end_with, args=(wish,), daemon=True).start()

    import numpy as np
    import torch
    from ipykernel.kernelapp import IPKernelApp

    from course_utils.course.libraries import PATH

    become(folder, environment)
    multiprocessing.set_start_method(None, force=True)  # as if never forked, for a lesson's workers
    multiprocessing.process.ORIGINAL_DIR = folder
    sys.argv = ["ipykernel_launcher", *arguments]
    sys.path[:] = PATH
    np.random.seed()  # else all forks would draw the same
    torch.default_generator.seed()
    try:
        IPKernelApp.launch_instance(arguments)
    finally:
        weakref.finalize._exitfunc()  # from Python 3.13 on, forks forget to call it
        atexit._run_exitfuncs()


def _end_with(pipe):
    """End this process at once where the other end of a pipe is closed."""
    pipe.poll(None)
    os._exit(1)


def become(folder, environment, said=os.devnull):
    """Give this process its folder, its variables and the file that takes what it prints."""
    os.chdir(folder)
    _set_variables(environment)
    with open(said, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _set_variables(environment):
    os.environ.clear()
    os.environ.update(environment)
