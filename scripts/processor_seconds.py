"""A plugin of pytest that ends with a table: how many seconds of processor each file of tests took.

Those of processes that it began and that ended meanwhile count, too. Other work on the machine changes them far less
than the time.

    PYTHONPATH=scripts pytest -p processor_seconds PATH
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

MOST_FILES = 40
NAME = "seconds of processor"


class Clock:
    """What this process and its ended children took since it was last asked."""

    def __init__(self) -> None:
        self._before = 0.0

    def lap(self) -> float:
        now = sum(os.times()[:4])  # user and system, of this process and of its children
        since, self._before = now - self._before, now
        return since


CLOCK = Clock()
TOOK: Counter[str] = Counter()
"""By file, of all processes of xdist."""


def pytest_collection_finish() -> None:
    CLOCK.lap()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Once for each of set-up, call and tear-down, in the process that runs the test."""
    report = yield
    report.user_properties.append((NAME, CLOCK.lap()))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    TOOK[report.nodeid.partition("::")[0]] += dict(report.user_properties).get(NAME, 0.0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"{NAME}: {TOOK.total():.0f} in tests, without imports and collection")
    for file, seconds in TOOK.most_common(MOST_FILES):
        terminalreporter.write_line(f"{seconds:7.1f}  {file}")
