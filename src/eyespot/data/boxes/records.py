"""What a data set of boxes is: pictures with the boxes of what is in them, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.data.taken import Taken
from eyespot.records import SetAside

Format = Literal["YOLO", "COCO", "Pascal VOC"]


@dataclass(frozen=True, eq=False)  # arrays do not compare to one answer
class Boxes:
    """The boxes of one picture, in pixels of the picture held upright; 0, 0 is its top left corner."""

    xyxy: np.ndarray
    """float64 (N, 4): left, top, right, bottom. Inside the picture, and each with an area."""
    labels: np.ndarray
    """int64 (N,): the number of each box's class in the data set's `classes`."""
    ignored: np.ndarray
    """bool (N,): COCO's iscrowd or VOC's difficult. Not trained on, and ignored when a detector is measured."""
    crowd: np.ndarray
    """bool (N,): COCO's iscrowd only: matched by intersection over the detection's own area."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class BoxedPicture:
    """A picture, unread, with its boxes. Its part is `picture.part`; `picture.label` is None."""

    picture: Picture
    width: int
    """In pixels, of the picture held upright."""
    height: int
    boxes: Boxes
    content: str = ""
    """The hash of the picture's bytes (`copies.content_hash`)."""
    deep: bool = False
    """Whether it has more than 8 bits a pixel."""
    taken: Taken | None = None
    """When and by which camera, where its file says so."""

    @property
    def hashed(self) -> Hashed:
        """The picture without its boxes."""
        return Hashed(self.picture, self.content, self.deep, self.taken)


@dataclass(frozen=True)
class BoxedDataSet:
    """Pictures with their boxes, by part."""

    classes: tuple[str, ...]
    parts: Mapping[str, tuple[BoxedPicture, ...]]
    """By "train", "val" and "test", as the folder says; by "all" where it does not."""
    set_aside: tuple[SetAside, ...]
    """Pictures and annotations that are not used, each with the reason."""
    identical: tuple[tuple[str, ...], ...]
    """Names of pictures that hold the same bytes, of which one at most is used."""
    notes: tuple[str, ...]
    format: Format
    name: str = ""
    """The folder's."""

    @property
    def pictures(self) -> tuple[BoxedPicture, ...]:
        """Of all parts."""
        return tuple(each for part in self.parts.values() for each in part)
