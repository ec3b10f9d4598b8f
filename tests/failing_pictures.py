"""JPEGs at which a decoder fails that `failing/sitecustomize.py` has changed; others read them as they are."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent / "failing"
KINDS = ("abort", "loop", "wait", "allocate")


def failing_picture(kind: str) -> bytes:
    """kind: of KINDS."""
    file = io.BytesIO()
    Image.new("RGB", (48, 40), (200, 40, 40)).save(file, "JPEG", comment=f"eyespot test: {kind}")
    return file.getvalue()


def failing_path() -> str:
    """PYTHONPATH for processes that are to fail at these."""
    return os.pathsep.join(filter(None, (str(FOLDER), os.environ.get("PYTHONPATH"))))
