"""A plugin of pytest while coverage of all tests is measured, which makes them slower.

The tests that reach most of the rooms come first; with its first test of the others a process stops measuring.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from coverage import Coverage

TESTS = Path(__file__).resolve().parents[1] / "tests"
MEASURED = (
    *("answering", "bundle", "data", "detecting", "engine", "exporting", "multilabel", "serve"),
    "recipes/test_sample.py",
)
"""Folders and files of tests."""


def is_measured(item: pytest.Item) -> bool:
    return any(item.path.is_relative_to(TESTS / each) for each in MEASURED)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not is_measured(item))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    measuring = Coverage.current()
    if measuring and not is_measured(item):
        measuring.stop()
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)  # processes that it starts do not measure either
