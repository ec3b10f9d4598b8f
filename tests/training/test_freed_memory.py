"""Freed memory stays with the process for a while, and is given back afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest
from memory_child import MEBIBYTES, take_and_free

from eyespot.training.freed_memory import freed_memory_stays

CHILD = Path(__file__).parents[1] / "memory_child.py"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux with glibc can be told")
def test_freed_memory_stays_and_is_given_back():
    """In a process of its own, which has no holes in its memory that others left."""
    done = subprocess.run([sys.executable, str(CHILD)], capture_output=True, text=True, timeout=60, check=True)
    first, freed, stays, given_back, freed_again = map(float, done.stdout.split())
    much = first + MEBIBYTES / 2
    assert stays > much
    assert max(freed, given_back, freed_again) < much


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
