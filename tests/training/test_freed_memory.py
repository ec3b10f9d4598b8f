"""Freed memory stays with the process for a while, and is given back afterwards."""

import sys
from pathlib import Path

import numpy as np
import pytest

from eyespot.training.freed_memory import freed_memory_stays

MEBIBYTES = 300
PAGE = 4096


def resident_mebibytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def take_and_free() -> None:
    np.ones(MEBIBYTES * 2**17)  # of 8 bytes each


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux with glibc can be told")
def test_freed_memory_stays_and_is_given_back():
    before = resident_mebibytes()
    take_and_free()
    assert resident_mebibytes() < before + MEBIBYTES / 2
    with freed_memory_stays():
        take_and_free()
        assert resident_mebibytes() > before + MEBIBYTES / 2
    assert resident_mebibytes() < before + MEBIBYTES / 2
    take_and_free()
    assert resident_mebibytes() < before + MEBIBYTES / 2


def test_elsewhere_nothing_happens(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with freed_memory_stays():
        take_and_free()


def test_memory_is_given_back_after_an_error():
    def fails() -> None:
        with freed_memory_stays():
            take_and_free()
            raise RuntimeError("of the training")

    with pytest.raises(RuntimeError, match="of the training"):
        fails()
