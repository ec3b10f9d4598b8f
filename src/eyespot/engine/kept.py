"""Files that can be made again, kept in the cache folder with a checksum: a damaged one counts as missing."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from eyespot.files import write_whole

CHECKSUM_BYTES = 32
"""SHA-256 in front of the content: 15 MB take about 10 ms where the processor has instructions for it."""


def read_kept(path: Path) -> bytes | None:
    """What was kept at `path`; None where nothing was, or where it is not what was written."""
    try:
        with path.open("rb") as file:
            checksum, content = file.read(CHECKSUM_BYTES), file.read()
        path.touch()  # so that what is not used goes first
    except OSError:
        return None
    return content if hashlib.sha256(content).digest() == checksum else None


def keep(path: Path, content: bytes) -> None:
    """Keeps a file; where that is impossible the next process makes it again, which is merely slower."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(content).digest() + content)
