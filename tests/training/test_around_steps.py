"""Ctrl-C waits for the end of a step, a second one does not; freed memory stays, and is given back afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from memory_child import MEBIBYTES, take_and_free

from eyespot.training.around_steps import WholeSteps, freed_memory_stays


@pytest.fixture(autouse=True)
def ctrl_c_works():
    """A shell starts the programs of its background with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_within_a_step_comes_after_it():
    done = []

    def steps() -> None:
        with WholeSteps() as whole:
            for step in range(3):
                if step == 1:
                    press()
                done.append(step)
                whole.between()

    with pytest.raises(KeyboardInterrupt):
        steps()
    assert done == [0, 1]


def test_a_second_ctrl_c_does_not_wait():
    done = []

    def step() -> None:
        with WholeSteps():
            press()
            done.append("whole")
            press()
            done.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert done == ["whole"]


def test_ctrl_c_in_the_last_step_is_not_lost_and_an_error_is_not_hidden_by_it():
    with pytest.raises(KeyboardInterrupt), WholeSteps():
        press()

    def fails() -> None:
        with WholeSteps():
            press()
            raise ValueError("of the step")

    with pytest.raises(ValueError, match="of the step"):
        fails()


def test_afterwards_ctrl_c_is_what_it_was():
    before = signal.getsignal(signal.SIGINT)
    with WholeSteps():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_and_where_ctrl_c_is_ignored_nothing_happens():
    found = []

    def work() -> None:
        with WholeSteps() as whole:
            found.append(signal.getsignal(signal.SIGINT))
            whole.between()

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with WholeSteps() as whole:
            press()
            whole.between()
    finally:
        signal.signal(signal.SIGINT, before)


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
