"""Data as `train`, `val`, `audit`, `embed` and `predict` read them, up to the first picture that is decoded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fuzz.plausible import require_boxes, require_data_set, require_pictures

from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.data.data_set import DataSet
from eyespot.data.joined import open_joined
from eyespot.data.read_as import AS_IT_IS
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.sources import list_pictures, open_pictures
from eyespot.errors import EyespotError, NoPictures

MOST_READ = 50
"""Pictures whose bytes are read."""


def read_data(given: Path) -> None:
    """Reads what was given in every way. Raises what training says of it."""
    with suppress(EyespotError):
        pictures, _ = list_pictures([given])
        require_pictures(pictures, given)
    with suppress(EyespotError):
        require_data_set(open_pictures(given), given, has_classes=False)
    with suppress(EyespotError):
        labels = find_labels(given, AS_IT_IS, expected=True)
        if labels:
            require_data_set(open_labels(labels), given)
    labels = find_labels(given, AS_IT_IS)
    if labels:
        found = open_labels(labels)
    elif find_boxes(given):
        require_boxes(read_boxes(given), given)
        return
    else:
        found = open_joined(given, AS_IT_IS, more=())
    require_data_set(found, given)
    _require_readable(found)


def _require_readable(found: DataSet) -> None:
    """Raises NoPictures where no picture has bytes. What cannot be read says so in an OSError."""
    for each in found.pictures[:MOST_READ]:
        with suppress(OSError):
            each.read()
    if not found.pictures:
        raise NoPictures(f"{found.name} holds no pictures")
