"""From a folder of pictures with boxes to what can be trained on: parts, classes, and what to call the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.bundle.files import require_manifest_fits
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.boxes.splitting import split_boxes
from eyespot.data.groups import Series
from eyespot.data.ranges import find_levels
from eyespot.data.store_values import key_of
from eyespot.errors import DataError, OptionError
from eyespot.records import Levels, SetAside
from eyespot.regimes.series import named_groups
from eyespot.runs.options import TrainOptions
from eyespot.words import counted, some

USED = {"model", "weights", "imgsz", "time", "views", "epochs", "batch", "lr", "weight_decay", "average"}
USED |= {"group", "seed", "precision", "name", "out"}
"""Options of `train` that a detector has a use for."""
NETWORKS = ("auto", "efficientnet_lite0")
FEWEST = 5
"""Pictures to train on."""


@dataclass(frozen=True)
class PreparedBoxes:
    """Pictures with boxes in parts, and all that was set aside or is worth saying."""

    name: str
    format: str
    """YOLO, COCO or Pascal VOC."""
    classes: tuple[str, ...]
    parts: dict[str, tuple[BoxedPicture, ...]]
    set_aside: list[SetAside]
    notes: list[str]
    fingerprint: str
    """Changes with any picture, box, class or part; not with file names."""
    levels: Levels | None
    """What is black and white in pictures with more than 8 bits."""
    found: BoxedDataSet
    """The pictures as they were before the split."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The group that a person's file names of each content; of copies there may be several."""
    series: Series = field(default_factory=Series)
    """Pictures that belong together, as far as that was looked for."""

    def part(self, name: str) -> tuple[BoxedPicture, ...]:
        """The pictures of that part; none where there is no such part."""
        return self.parts.get(name, ())

    @property
    def used(self) -> int:
        """Pictures in all parts."""
        return sum(map(len, self.parts.values()))

    def without(self, set_aside: Sequence[SetAside]) -> PreparedBoxes:
        """The same without pictures that turned out to be unreadable."""
        names = {each.picture for each in set_aside}
        parts = {
            part: tuple(each for each in pictures if each.picture.name not in names)
            for part, pictures in self.parts.items()
        }
        return replace(self, parts=parts, set_aside=[*self.set_aside, *set_aside])

    def with_series(self, series: Series, *, seed: int) -> PreparedBoxes:
        """The same, split so that no series is torn apart; parts that the folder gives stay."""
        data = split_boxes(self.found, seed=seed, series=series)
        return replace(self, parts=dict(data.parts), notes=list(data.notes), series=series)

    def group(self, pictures: Sequence[BoxedPicture]) -> np.ndarray | None:
        """The number of each picture's group, (N,); None where no two of them belong together."""
        return self.series.group([each.content for each in pictures])


def prepare_boxes(folder: Path, options: TrainOptions) -> PreparedBoxes:
    """The data set, ready for training. Raises DataError where there is nothing to learn, OptionError for options that
    a detector has no use for."""
    require_used_for_boxes(options, folder)
    found = read_boxes(folder)
    data = split_boxes(found, seed=options.seed)
    train = data.parts.get("train", ())
    require_trainable(train, str(folder))
    held_out = sum(len(each.boxes) for part in ("val", "test") for each in data.parts.get(part, ()))
    require_manifest_fits(data.name, data.classes, pictures=len(data.pictures), held_out=held_out)
    levels, on_levels = find_levels([each.hashed for each in train])
    groups = named_groups([each.hashed for each in found.pictures], options.group, others=_copies(found))
    return PreparedBoxes(
        name=data.name or folder.resolve().name,
        format=data.format,
        classes=data.classes,
        parts=dict(data.parts),
        set_aside=list(data.set_aside),
        notes=[*data.notes, *on_levels, *groups.notes],
        fingerprint=key_of(classes=data.classes, parts=_said(found.parts)),
        levels=levels,
        found=replace(found, notes=(*found.notes, *on_levels, *groups.notes)),
        named=groups.of,
    )


def require_trainable(train: Sequence[BoxedPicture], name: str) -> None:
    """Raises DataError where there is too little to train on. name: of the data."""
    boxes = sum(int((~each.boxes.ignored).sum()) for each in train)
    if len(train) < FEWEST or not boxes:
        raise DataError(
            f"{name} has {counted(len(train), 'picture')} with {counted(boxes, 'box', 'boxes')} to train on: at "
            f"least {FEWEST} pictures and a box are needed"
        )


def require_used_for_boxes(options: TrainOptions, folder: Path) -> None:
    """Raises OptionError for options that were given and that nothing would follow from."""
    unused = sorted(options.model_fields_set - USED)
    if unused:
        raise OptionError(
            f"{folder} has boxes, so a detector is trained, which has no use for the option {unused[0]}: leave it out "
            f"(it takes {some(sorted(USED), most=len(USED))})"
        )
    if options.model not in NETWORKS:
        raise OptionError(
            f"the option model cannot be {options.model!r} for boxes: detectors stand on {NETWORKS[1]}; leave it out"
        )


def _copies(found: BoxedDataSet) -> dict[str, str]:
    """The content of each file that others hold, too, by its name; where none of them is used, a name stands for it."""
    content_of = {each.picture.name: each.content for each in found.pictures}
    return {
        name: next((content_of[each] for each in names if each in content_of), names[0])
        for names in found.identical
        for name in names
    }


def _said(parts: Mapping[str, Sequence[BoxedPicture]]) -> dict[str, list[list[Any]]]:
    """What the folder says of each picture, by part, in an order that does not depend on names."""
    return {
        part: sorted([each.content, each.boxes.labels.tolist(), each.boxes.xyxy.round(3).tolist()] for each in pictures)
        for part, pictures in parts.items()
    }
