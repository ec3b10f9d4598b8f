"""Average precision as pycocotools computes it, from the same boxes as ours."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from eyespot.evaluate.box_matches import THRESHOLDS, Found, Truth

ALL_AREAS = (0.0, 1e10)
IGNORED_AREA = 1e12
"""pycocotools overwrites the flag `ignore` with `iscrowd`. A size outside all ranges is ignored in the same way."""


def coco_average_precision(truths, founds, *, classes, most=100, areas=(ALL_AREAS,)) -> np.ndarray:
    """AP (ranges of area, classes, thresholds); NaN where it was not measured."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number + 1} for number in range(len(truths))],
            "categories": [{"id": label + 1} for label in range(classes)],
            "annotations": _annotations(truths),
        }
        coco.createIndex()
        found = _results(founds)
        results = coco.loadRes(found) if found else COCO()
        evaluation = COCOeval(coco, results, "bbox")
        evaluation.params.maxDets = [most]
        evaluation.params.areaRng = [list(each) for each in areas]
        evaluation.params.areaRngLbl = [str(each) for each in areas]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0]  # (T, recalls, classes, areas)
    assert np.array_equal(evaluation.params.iouThrs, THRESHOLDS)
    return np.where(precision > -1, precision, np.nan).mean(axis=1).transpose(2, 1, 0)


def _annotations(truths) -> list[dict]:
    found = []
    for number, truth in enumerate(truths):
        for box, label, ignore, is_crowd in zip(*truth, strict=True):
            width_height = box[2:] - box[:2]
            area = IGNORED_AREA if ignore else float(width_height.prod())
            found.append(_box(number, box, label) | {"id": len(found) + 1, "area": area, "iscrowd": int(is_crowd)})
    return found


def _results(founds) -> list[dict]:
    return [
        _box(number, box, label) | {"score": float(score)}
        for number, found in enumerate(founds)
        for box, score, label in zip(*found, strict=True)
    ]


def _box(number, box, label) -> dict:
    x, y, right, bottom = (float(each) for each in box)
    return {"image_id": number + 1, "category_id": int(label) + 1, "bbox": [x, y, right - x, bottom - y]}


def random_pictures(seed, *, pictures, classes, truths=6, founds=12, ignore=0.2, crowd=0.1):
    """True and found boxes on a grid of eighths, where sums are exact; many equal scores, many near the true boxes."""
    random = np.random.default_rng(seed)
    true, found = [], []
    for _ in range(pictures):
        n, m = random.integers(0, truths + 1), random.integers(0, founds + 1)
        corner, size = random.integers(0, 400, (n, 2)) / 8, random.integers(8, 240, (n, 2)) / 8
        boxes, labels = np.concatenate([corner, corner + size], axis=1), random.integers(0, classes, n)
        true.append(Truth(boxes, labels, random.random(n) < ignore, random.random(n) < crowd))
        corner, size = random.integers(0, 400, (m, 2)) / 8, random.integers(8, 240, (m, 2)) / 8
        near, near_labels = np.concatenate([corner, corner + size], axis=1), random.integers(0, classes, m)
        if n:
            of, moved = random.integers(0, n, m), random.random(m) < 0.8
            near[moved] = boxes[of[moved]]
            near[moved, 2:] += random.integers(0, 24, (moved.sum(), 2)) / 8
            same = moved & (random.random(m) < 0.9)
            near_labels[same] = labels[of[same]]
        found.append(Found(near, random.integers(0, 8, m) / 8, near_labels))
    return true, found
