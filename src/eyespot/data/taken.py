"""When, and by which camera, a picture was taken, where its file says so (EXIF)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MARKER = b"Exif\0\0"
LOOKED_THROUGH = 2**16
"""Bytes of a block at most, and of a JPEG's beginning where it lies if there is any; in a HEIC it may be anywhere."""
MAKE, MODEL, DATE, DETAILS, TAKEN, FRACTION, SERIAL = 0x010F, 0x0110, 0x0132, 0x8769, 0x9003, 0x9291, 0xA431
"""Tags of EXIF 2.32: the camera's make and model, the file's date, and in the details when it was taken, to fractions
of a second, and the camera's serial number."""
FIRST_YEAR = 1990
"""Before it there were no such files: a camera whose clock was never set says 1970 or 1980."""
MOST_IN_A_SECOND, FEW_IN_A_SECOND = 0.05, 10
"""Share of the pictures, and their number, that may bear one second: a burst. More, and the times say when files were
copied or scanned."""


@dataclass(frozen=True)
class Taken:
    """A moment and a camera."""

    camera: str
    """Make, model and serial number, as far as they are known."""
    seconds: float
    """Since 1970, by the camera's clock."""


def taken(data: bytes) -> Taken | None:
    """What a picture's file says, or None where it says nothing that can be believed."""
    is_heic = data[4:8] == b"ftyp"
    at = data.find(MARKER, 0, None if is_heic else LOOKED_THROUGH)
    if at < 0:
        return None
    from PIL.Image import Exif  # most files have none

    from eyespot.data.formats import quiet

    exif = Exif()
    try:
        with quiet():  # Pillow warns of a damaged block
            exif.load(data[at : at + LOOKED_THROUGH])
            details = exif.get_ifd(DETAILS)
            camera = " ".join(_text(each) for each in (exif.get(MAKE), exif.get(MODEL), details.get(SERIAL)) if each)
            seconds = _seconds(_text(details.get(TAKEN) or exif.get(DATE)), _text(details.get(FRACTION)))
    except Exception:  # whatever a damaged block does to its reader, the picture itself may be well
        return None
    return None if seconds is None else Taken(camera, seconds)


def believable(found: Sequence[Taken | None]) -> list[Taken | None]:
    """The same, or None for all where many bear the same second: it was a scanner, or a program that copied them."""
    seconds = Counter(int(each.seconds) for each in found if each)
    most = max(seconds.values(), default=0)
    return list(found) if most <= max(FEW_IN_A_SECOND, MOST_IN_A_SECOND * len(found)) else [None] * len(found)


def _text(value: object) -> str:
    return str(value).strip("\0 ") if isinstance(value, str) else ""


def _seconds(text: str, fraction: str) -> float | None:
    """Seconds since 1970 of `2024:05:01 10:20:30`; None for what is no date, or none on which it can have been."""
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    if moment.year < FIRST_YEAR or moment.timestamp() > datetime.now(UTC).timestamp() + 86_400:
        return None
    return moment.timestamp() + (float(f"0.{fraction}") if fraction.isdecimal() else 0.0)
