"""Importing this imports what lessons and the running of notebooks take longest to import.

Only the process from which `warm.py` forks does. The course's own modules that lessons teach with
are not among it: each lesson's kernel imports those itself.
"""
# ruff: noqa: E402, F401

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for `run.py`, which ends all of them

import ast
import gc
import subprocess
import sys

from course_utils.course import brisk, execute

# Where a new Python would look for modules: the process that asked for this one may look elsewhere.
SAYS = [sys.executable, "-P", "-c", "import sys; print(sys.path)"]
PATH = ast.literal_eval(subprocess.check_output(SAYS, encoding="utf-8"))

gc.set_threshold(brisk.OBJECTS, 10, 10)  # before the rest, which makes so many

import ipykernel.kernelapp
import ipywidgets
import matplotlib.pyplot
import papermill
import seaborn
import sklearn.metrics
import torch._dynamo  # the first optimizer would import it
import torchvision.transforms.v2
