"""The id of a run's folder: addresses and answers hold ids, never paths."""

from __future__ import annotations

import hashlib
from pathlib import Path


def run_number(run: str | Path) -> str:
    """16 hexadecimal digits."""
    return hashlib.sha256(str(Path(run).absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
