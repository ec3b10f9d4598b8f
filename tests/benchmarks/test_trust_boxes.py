"""Mistakes that are planted in boxes: as many as are promised, each known again, and no other."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boxed_folders import SIZE, voc_folder, voc_object

from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet

PLACES = ((2, 2, 22, 17), (42, 2, 62, 17), (2, 32, 22, 47), (42, 32, 62, 47))


@pytest.fixture
def trust_boxes(monkeypatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return import_module("trust_boxes")


@pytest.fixture
def pets(tmp_path) -> BoxedDataSet:
    """100 pictures with four boxes each."""
    boxes = [voc_object(name, *place) for name, place in zip(("cat", "dog") * 2, PLACES, strict=True)]
    return read_boxes(voc_folder(tmp_path, {f"{at:03}": boxes for at in range(100)}))


def test_planted_mistakes_are_known_again(trust_boxes, pets):
    now, planted = trust_boxes.plant(pets, 0)
    counts = [sum(map(len, of.values())) for of in (planted.gone, planted.moved, planted.relabelled)]
    for count, share in zip(counts, (0.07, 0.03, 0.03), strict=True):
        assert abs(count - 400 * share) < 4 * (400 * share) ** 0.5
    assert sum(len(each.boxes) for each in now.pictures) == 400 - (counts[0] - counts[1])
    changed = 0
    for before, after in zip(pets.pictures, now.pictures, strict=True):
        assert (after.boxes.xyxy >= 0).all()
        assert (after.boxes.xyxy <= np.array([*SIZE, *SIZE])).all()
        known = [*map(tuple, before.boxes.xyxy)]
        for box, label in zip(after.boxes.xyxy, after.boxes.labels, strict=True):
            is_moved = tuple(box) not in known
            is_relabelled = not is_moved and before.boxes.labels[known.index(tuple(box))] != label
            assert planted.is_right(doubt(after, "nothing found", box)) == is_moved
            assert planted.is_right(doubt(after, "another class", box)) == is_relabelled
            changed += is_moved or is_relabelled
        for box in before.boxes.xyxy:
            is_gone = tuple(box) not in [*map(tuple, after.boxes.xyxy)]
            assert planted.is_right(doubt(after, "no box", box)) == is_gone
    assert changed == counts[1] + counts[2]


def doubt(each: Any, why: str, box: np.ndarray) -> dict[str, object]:
    return {"picture": f"images/train/{Path(each.picture.name).name}", "why": why, "xyxy": box.tolist()}
