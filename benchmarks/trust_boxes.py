"""Boxes: whether planted mistakes in the labels are among those that a detector's report says to look at.

Of the boxes of all parts, those to train on too, some are removed, some moved to another place and some get another
class, drawn by seeds 10 and 11; constants were chosen on 0 to 2. A detector trains on that, and what its result lists
of the held-out pictures is compared with what was done to them. The pictures have mistakes of their own, which count as
wrongly listed here.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Bar, at_least, runs_line

import eyespot
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.boxes.writing import write_boxes
from eyespot.evaluate.box_doubts import NEAR, Why
from eyespot.evaluate.boxes import iou

SEEDS = (10, 11)
REMOVED, MOVED, RELABELLED = 0.04, 0.03, 0.03
"""Shares of the boxes."""
SAME = 0.5
"""Overlap from which on what is found is the thing whose box was removed."""
ROUNDED = 0.02
"""Pixels by which a box in the result may differ from the one in the file."""
BARS: Mapping[Why, Bar] = {
    "no box": at_least(0.4, "precision", "of the things listed as without a box, so many had theirs removed or moved"),
    "nothing found": at_least(0.7, "precision", "of the boxes where nothing is found, so many were moved there"),
    "another class": at_least(0.9, "precision", "of the boxes with another class on them, so many were relabelled"),
}
Place = np.ndarray
"""(4,), left, top, right and bottom, pixels."""


@dataclass
class Planted:
    """What was done to the boxes, by the name of the picture's file without its ending."""

    gone: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Places that had a box."""
    moved: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Places that got one."""
    relabelled: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """All boxes, as they are now."""

    def is_right(self, doubt: Mapping[str, Any]) -> bool:
        """Whether an entry of `doubtful_boxes` is one of the planted mistakes."""
        name, box = Path(doubt["picture"]).stem, np.array(doubt["xyxy"])
        if doubt["why"] == "no box":
            return _overlaps(box, self.gone[name], SAME)
        changed = self.moved if doubt["why"] == "nothing found" else self.relabelled
        return any(np.abs(box - each).max() < ROUNDED for each in changed[name])


def suspects(data: Path) -> Iterator[tuple[Bar, float]]:
    """The precision of each kind that is listed. data: the folder that holds `bccd/`."""
    found = [_found(data / "bccd", seed) for seed in SEEDS]
    for why, bar in BARS.items():
        for name in ("listed", "precision", "by chance", "recall"):
            print(runs_line(f"{why}, {name}", [each[why][name] for each in found], ""), flush=True)
        yield bar, statistics.mean(each[why]["precision"] for each in found)


def _found(folder: Path, seed: int) -> dict[Why, dict[str, float]]:
    """What a detector says of one draw's mistakes."""
    with tempfile.TemporaryDirectory() as name:
        data, planted = plant(read_boxes(folder), seed)
        write_boxes(data, Path(name) / "planted", format="YOLO")
        result = eyespot.train(Path(name) / "planted", out=name, seed=seed).model_dump(mode="json", by_alias=True)
        held_out = {Path(each.picture.name).stem for part in ("val", "test") for each in data.parts[part]}
        chance = _by_chance(Path(result["run"]), planted, held_out)
    return {
        why: _figures(why, result["doubtful_boxes"], planted, held_out) | {"by chance": chance[why]} for why in BARS
    }


def plant(data: BoxedDataSet, seed: int) -> tuple[BoxedDataSet, Planted]:
    """The data set with mistakes, and which they are."""
    random, planted = np.random.default_rng(seed), Planted()
    classes = len(data.classes)
    parts = {
        part: tuple(_with_mistakes(each, classes, random, planted) for each in pictures)
        for part, pictures in data.parts.items()
    }
    return replace(data, parts=parts), planted


def _with_mistakes(each: BoxedPicture, classes: int, random: np.random.Generator, planted: Planted) -> BoxedPicture:
    name, boxes = Path(each.picture.name).stem, each.boxes
    xyxy, labels, drawn = boxes.xyxy.copy(), boxes.labels.copy(), random.random(len(boxes))
    is_moved = (drawn >= REMOVED) & (drawn < REMOVED + MOVED)
    is_relabelled = (drawn >= REMOVED + MOVED) & (drawn < REMOVED + MOVED + RELABELLED)
    planted.gone[name] += list(xyxy[(drawn < REMOVED) | is_moved])
    for row in np.flatnonzero(is_moved):
        size = xyxy[row, 2:] - xyxy[row, :2]
        corner = random.uniform(0, np.array([each.width, each.height]) - size)
        xyxy[row] = [*corner, *(corner + size)]
    labels[is_relabelled] = (labels[is_relabelled] + random.integers(1, classes, is_relabelled.sum())) % classes
    planted.moved[name] += list(xyxy[is_moved])
    planted.relabelled[name] += list(xyxy[is_relabelled])
    kept = drawn >= REMOVED
    planted.labels[name] += list(xyxy[kept])
    changed = replace(boxes, xyxy=xyxy[kept], labels=labels[kept], ignored=boxes.ignored[kept], crowd=boxes.crowd[kept])
    return replace(each, boxes=changed)


def _figures(why: Why, doubtful: Sequence[Mapping[str, Any]], planted: Planted, held_out: set[str]) -> dict[str, float]:
    changed = {"no box": planted.gone, "nothing found": planted.moved, "another class": planted.relabelled}[why]
    right = [planted.is_right(each) for each in doubtful if each["why"] == why]
    return {
        "listed": len(right),
        "precision": float(np.mean(right)) if right else 0.0,
        "recall": sum(right) / sum(len(changed[name]) for name in held_out),
    }


def _by_chance(run: Path, planted: Planted, held_out: set[str]) -> dict[Why, float]:
    """The precision of boxes, or of answers without a box, that are drawn at random."""
    alone = []
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = Path(row["picture"]).stem
            if row["set_aside"] or _overlaps(box := _place(row), planted.labels[name], NEAR):
                continue
            alone.append(_overlaps(box, planted.gone[name], SAME))
    boxes = sum(len(planted.labels[name]) for name in held_out)
    return {
        "no box": float(np.mean(alone)),
        "nothing found": sum(len(planted.moved[name]) for name in held_out) / boxes,
        "another class": sum(len(planted.relabelled[name]) for name in held_out) / boxes,
    }


def _place(row: Mapping[str, str]) -> Place:
    return np.array([float(row[side]) for side in ("left", "top", "right", "bottom")])


def _overlaps(box: Place, others: Sequence[Place], least: float) -> bool:
    return bool((iou([box], np.array(others).reshape(-1, 4)) >= least).any())
