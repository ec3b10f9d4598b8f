"""The page on what goes wrong says what the program found, of every row that there is."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILLING = runpy.run_path(str(ROOT / "scripts/reliability.py"))
FOUND = json.loads(FILLING["FOUND"].read_text("utf-8"))


def test_the_page_says_what_was_found() -> None:
    """Else `python scripts/reliability.py` puts it there."""
    page = FILLING["PAGE"].read_text("utf-8")
    assert FILLING["filled"](page) == page


@pytest.mark.skipif(sys.platform == "win32", reason="the program needs a system that can fork and mount")
def test_every_row_was_tried_and_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from failure_zoo import PEERS, ROWS

    assert [row.name for row in ROWS] == list(FOUND["rows"])
    assert len(ROWS) == 40
    for row in ROWS:
        told = FOUND["rows"][row.name]
        assert [told["what"], told["who"], told["holds"]] == [row.what, row.who, row.holds]
        assert told["passed"], f"{row.name}: {told['eyespot']}"
        assert set(told["peers"]) == set(PEERS)


def test_nothing_of_the_machine_it_was_tried_on_is_told() -> None:
    assert not [row for row in FOUND["rows"].values() if "/tmp" in json.dumps(row) or "/work" in json.dumps(row)]
