"""Time matrix products on this machine's devices and keep the times in `results/matmul.csv`.

Lesson 01 shows these recordings to readers who lack such a device. `python -m
course_utils.course.matmul` replaces the rows of the devices that are present and keeps the others.
"""

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import pandas as pd
import torch

from course_utils.course.lessons import RESULTS
from course_utils.device import benchmark, get_device

COLUMNS = ["device_name", "device", "torch", "date", "size", "seconds", "seconds_naive"]
FILE = "matmul.csv"


def recorded_times(results=None):
    """Return the recordings, one row a device and size.

    Args:
        results: folder of `matmul.csv`; by default the course's own `results`.

    Returns:
        DataFrame: `device_name`, `device` ("cpu", "cuda" or "mps"), `torch` (version), `date`,
        `size` (of square float32 matrices), `seconds` (median of one product, waited for),
        `seconds_naive` (what a stopwatch shows that does not wait).

    Example:
        >>> sorted(set(recorded_times()["size"]))[-2:]
        [1024, 2048]
    """
    installed = Path(__file__).parents[1] / "results"  # in the wheel; a checkout has its own
    folder = results or (installed if installed.is_dir() else RESULTS)
    return pd.read_csv(Path(folder) / FILE, dtype={"torch": str, "date": str})


def measure(device, largest_power=11, seconds=0.2):
    """Return the rows of one device, sizes 2**0 … 2**largest_power, as `recorded_times` does.

    Example:
        >>> measure("cpu", largest_power=1, seconds=0.01)["size"].tolist()
        [1, 2]
    """
    device = get_device(device)
    rows = []
    for size in (2**power for power in range(largest_power + 1)):
        matrix = torch.rand(size, size, device=device)
        timing = benchmark(lambda matrix=matrix: matrix @ matrix, device, seconds=seconds)
        naive = statistics.median(_without_waiting(matrix) for _ in range(5))
        rows.append({"size": size, "seconds": timing.median, "seconds_naive": naive})
    about = {"device_name": device_name(device), "device": device.type}
    about |= {"torch": torch.__version__.split("+")[0], "date": datetime.date.today().isoformat()}
    return pd.DataFrame(rows).assign(**about)[COLUMNS]


def _without_waiting(matrix):
    if matrix.device.type != "cpu":
        torch.accelerator.synchronize(matrix.device)  # earlier work must not count here
    start = time.perf_counter()
    matrix @ matrix
    return time.perf_counter() - start


def device_name(device):
    """Return what to call a device in a table.

    Example:
        >>> device_name(torch.device("mps", 0))
        'Apple GPU'
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    cpu = f"{platform.machine()} CPU, {threads} thread{'s' if threads > 1 else ''}"
    return "Apple GPU" if device.type == "mps" else cpu


def main(argv=None, results=RESULTS):
    """Measure every device present and write the file anew; return the exit code."""
    parser = argparse.ArgumentParser("python -m course_utils.course.matmul", description=__doc__)
    parser.add_argument("--largest-power", type=int, default=11, help="sizes up to 2 to this power")
    chosen = parser.parse_args(argv)
    if chosen.largest_power < 0:
        parser.error(f"--largest-power must be at least 0, not {chosen.largest_power}")
    present = dict.fromkeys((get_device("auto"), get_device("cpu")))
    new = pd.concat([measure(device, chosen.largest_power) for device in present])
    print(new.to_string(index=False))
    path = Path(results) / FILE
    if path.exists():
        known = recorded_times(results)
        new = pd.concat([known[~known["device_name"].isin(new["device_name"])], new])
    part = path.with_suffix(f".{os.getpid()}.part")
    new.to_csv(part, index=False, float_format="%.3g")
    os.replace(part, path)
    print(f"written to {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
