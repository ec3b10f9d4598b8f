"""What lies in a file is read again after memory has let go of it."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from eyespot.data import room as module
from eyespot.data.room import release, room


@pytest.mark.parametrize("most", [0, 2**20])
def test_released_rows_are_as_they_were_written(monkeypatch, tmp_path, most):
    monkeypatch.setattr(module, "MOST_IN_MEMORY", most)
    rows = room((100, 1000), np.float32, what="rows", folder=tmp_path)
    rows[:] = np.arange(100)[:, None]
    release(rows[10:20])
    rows[50] = -1
    release(rows)
    expected = np.repeat(np.arange(100, dtype=np.float32)[:, None], 1000, axis=1)
    expected[50] = -1
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="this system lets go by itself")
def test_a_process_holds_little_of_what_it_reads_some_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MOST_IN_MEMORY", 0)
    rows = room((64, 2**18), np.float32, what="rows", folder=tmp_path)  # 64 MiB
    for row in rows:
        row[:] = 1
        release(rows)
    assert _resident(rows) < 2**20
    assert rows.sum() == rows.size
    assert _resident(rows) > 2**25
    release(rows)
    assert _resident(rows) < 2**20


def _resident(rows: np.ndarray) -> int:
    """Bytes of a mapped array that this process holds, by what the system tells."""
    at = rows.__array_interface__["data"][0]
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        start, _, end = line.split()[0].partition("-")
        if end and int(start, 16) <= at < int(end, 16):
            return next(int(each.split()[1]) * 1024 for each in lines if each.startswith("Rss:"))
    raise AssertionError("it is not mapped")
