"""Whether what was read of an input can be meant: bounded, told apart, and from nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from eyespot.data.boxes.records import BoxedDataSet
from eyespot.data.data_set import MOST_LETTERS, DataSet, Picture
from eyespot.names import printable

PARTS = {None, "train", "val", "test"}


def require_data_set(found: DataSet, given: Path, *, has_classes: bool = True) -> None:
    """Raises AssertionError. given: what was read. has_classes: every picture has one, or several labels."""
    require_pictures(found.pictures, given)
    for each in found.set_aside:
        assert printable(each.picture) == each.picture
        assert printable(each.reason) == each.reason
        assert each.reason
    assert all(printable(note) == note for note in found.notes), found.notes
    assert len(set(found.classes)) == len(found.classes)
    assert all(0 < len(name) <= MOST_LETTERS and printable(name) == name for name in found.classes), found.classes
    if has_classes:
        labels = {label for each in found.pictures for label in (each.labels or (each.label,))}
        assert labels - {None, "(no label)"} <= {*found.classes}


def require_pictures(pictures: Iterable[Picture], given: Path) -> None:
    """The same of pictures: each has its own name and lies in the input, which no link leads out of."""
    top = os.path.realpath(given if given.is_dir() else given.parent)
    taken: set[str] = set()
    for each in pictures:
        assert each.name not in taken, f"two pictures are called {each.name!r}"
        taken.add(each.name)
        assert printable(each.name) == each.name, f"a name that cannot be shown: {each.name!r}"
        assert each.part in PARTS
        assert (each.path is None) + (each.data is None) + (each.member is None) == 2
        if each.path is not None:
            assert os.path.realpath(each.path).startswith(top + os.sep), f"{each.path} lies elsewhere"


def require_boxes(found: BoxedDataSet, given: Path) -> None:
    """The same of boxes: each is inside of its picture and of a class that there is."""
    require_pictures((each.picture for each in found.pictures), given)
    assert all(0 < len(name) <= MOST_LETTERS and printable(name) == name for name in found.classes), found.classes
    for each in (*found.set_aside,):
        assert printable(each.picture) == each.picture
        assert printable(each.reason) == each.reason
    assert all(printable(note) == note for note in found.notes), found.notes
    for picture in found.pictures:
        boxes = picture.boxes
        assert np.isfinite(boxes.xyxy).all()
        left, top, right, bottom = boxes.xyxy.T
        assert (left >= 0).all()
        assert (top >= 0).all()
        assert (right <= picture.width).all()
        assert (bottom <= picture.height).all()
        assert (left < right).all()
        assert (top < bottom).all()
        assert set(boxes.labels.tolist()) <= {*range(len(found.classes))}
