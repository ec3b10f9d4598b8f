"""`scripts/fuzz` finds whatever goes wrong, goes on behind it, and keeps it so that it can be asked again."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from fuzz.faulty_kinds import FAULTY

TESTS = Path(__file__).parents[1]
ON_LINUX_ALONE = {"takes_much"}
"""Elsewhere nothing tells how much memory was taken."""


def fuzz(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EYESPOT_FUZZ": "faulty_kinds", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "fuzz.hours", "--processes", "3", *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def test_each_fault_is_found_kept_and_found_again(tmp_path):
    done = fuzz("--count", "3", "--seed", "7", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    wrong = {each.__name__ for each in FAULTY} - (set() if sys.platform == "linux" else ON_LINUX_ALONE)
    kept = {path.name.split("-")[0] for path in (tmp_path / "fuzz-kept").iterdir()}
    assert kept == wrong
    assert re.search(r"^well +[1-3] read +[0-3] refused +0 faults", done.stdout, re.MULTILINE)
    told = next((tmp_path / "fuzz-kept").glob("raises-7-*/fault.txt")).read_text()
    assert "ValueError" in told
    assert 'int("x")' in told
    again = re.search(r"again: scripts/fuzz (.*)", told)
    assert again
    assert fuzz(*shlex.split(again[1]), folder=tmp_path).returncode == 1


def test_nothing_is_kept_where_nothing_is_wrong(tmp_path):
    done = fuzz("--only", "well", "--minutes", "0.02", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 kinds of faults" in done.stdout
    assert not (tmp_path / "fuzz-kept").exists()
