"""matmul: recordings of other devices are kept, this one's are replaced, nothing half-written."""

import pandas as pd
import pytest
import torch

from course_utils.course import matmul
from course_utils.course.lessons import RESULTS


def recording(name, device="cuda", size=1, seconds=1.0):
    values = [name, device, "2.15.0", "2026-01-02", size, seconds, seconds / 100]
    return pd.DataFrame([values], columns=matmul.COLUMNS)


def test_measures_each_size_in_order():
    times = matmul.measure("cpu", largest_power=3, seconds=0.01)
    assert times["size"].tolist() == [1, 2, 4, 8]
    assert (times[["seconds", "seconds_naive"]] > 0).all(axis=None)
    assert times["device"].unique().tolist() == ["cpu"]
    assert times["torch"].unique().tolist() == [torch.__version__.split("+")[0]]


def test_the_product_is_waited_for_except_by_the_naive_watch(monkeypatch):
    """Counted on a stand-in device: one wait before each naive time, none between its readings."""
    events = []
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda device: events.append("wait"))
    monkeypatch.setattr(matmul.time, "perf_counter", lambda: events.append("clock") or 0.0)

    class Matrix:
        device = torch.device("cuda", 0)

        def __matmul__(self, other):
            events.append("product")

    matmul._without_waiting(Matrix())
    assert events == ["wait", "clock", "product", "clock"]


def test_other_devices_are_kept_and_this_one_replaced(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(matmul, "get_device", lambda name: torch.device("cpu"))
    here = matmul.device_name(torch.device("cpu"))
    pd.concat([recording("A GPU"), recording(here, "cpu", seconds=1e6)]).to_csv(
        tmp_path / matmul.FILE, index=False
    )
    assert matmul.main(["--largest-power", "1"], results=tmp_path) == 0
    times = matmul.recorded_times(tmp_path)
    assert times["device_name"].tolist() == ["A GPU", here, here]
    assert times["seconds"].iloc[0] == 1.0 and times["seconds"].iloc[1] < 1.0
    assert [path.name for path in tmp_path.iterdir()] == [matmul.FILE]


def test_first_recording_makes_the_file(tmp_path):
    matmul.main(["--largest-power", "0"], results=tmp_path)
    assert len(matmul.recorded_times(tmp_path)) >= 1


def test_bad_size_is_one_sentence(capsys):
    with pytest.raises(SystemExit):
        matmul.main(["--largest-power", "-1"])
    assert "--largest-power must be at least 0, not -1" in capsys.readouterr().err


def test_the_course_s_own_recording_is_complete():
    times = matmul.recorded_times(RESULTS)
    assert list(times.columns) == matmul.COLUMNS
    assert times.notna().all(axis=None)
    for _, device in times.groupby("device_name"):
        assert device["size"].tolist() == [2**power for power in range(12)]
