"""Audits that tests look into: made in a cache that is there already, and their lists, read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import eyespot


def audited(pictures: Path, *, cache: Path, out: Path) -> Any:
    """What an audit says, made with this cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(cache))
        return eyespot.audit(pictures, out=out)


def rows(path: str | Path) -> list[dict[str, str]]:
    """Of the list of an audit."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
