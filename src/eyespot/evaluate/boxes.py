"""Boxes as numbers: how far they overlap, which of many stay, and where they lie in picture and image.

A box is (left, top, right, bottom) in pixels, `xyxy`; its width is right - left, without a pixel added. Results have
the float type of the boxes, so that boxes in float32 meet the same rounding here as in an exported graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.floating[Any]]
"""(N, 4): left, top, right, bottom."""


def areas(boxes: ArrayLike) -> Boxes:
    """Width times height of each box, (N,).

    boxes: (N, 4), xyxy.
    """
    boxes = _boxes(boxes)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def iou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Intersection over union of each box of `a` with each of `b`, (N, M), 0..1; 0 where they only touch.

    a: (N, 4), xyxy; b: (M, 4), xyxy.
    Source: Everingham et al. 2010, The Pascal Visual Object Classes Challenge, section 4.2; P. Jaccard 1912.
    """
    a, b = _boxes(a), _boxes(b)
    shared = _intersections(a, b)  # (N, M)
    return _share(shared, areas(a)[:, None] + areas(b) - shared)


def intersection_over_first(a: ArrayLike, b: ArrayLike) -> Boxes:
    """The share of each box of `a` that lies inside each of `b`, (N, M), 0..1: what COCO compares crowds by.

    a: (N, 4), xyxy: boxes that were found; b: (M, 4), xyxy: crowds.
    """
    a, b = _boxes(a), _boxes(b)
    shared = _intersections(a, b)  # (N, M)
    return _share(shared, np.broadcast_to(areas(a)[:, None], shared.shape))


def suppressed(boxes: ArrayLike, scores: ArrayLike, labels: ArrayLike, *, iou: float, most: int) -> NDArray[np.int64]:
    """Indices of the boxes that stay, at most `most`, highest score first; equal scores in their given order.

    Greedy non-maximum suppression: the surest box stays and removes every other box of its own class that overlaps
    it by more than `iou`; then the surest of what is left; and so on.

    boxes: (N, 4), xyxy; scores: (N,); labels: (N,) class indices.
    iou: overlap, 0..1; a box that overlaps by exactly this much stays.
    """
    boxes, scores, labels = _boxes(boxes), np.asarray(scores), np.asarray(labels)
    assert len(boxes) == len(scores) == len(labels), f"{len(boxes)} boxes, {len(scores)} scores, {len(labels)} labels"
    assert not np.isnan(scores).any(), "a score is no number"
    order = np.argsort(-scores, kind="stable")
    boxes, labels = boxes[order], labels[order]
    sizes = areas(boxes)
    kept: list[int] = []
    left = np.arange(len(order))
    while len(left) and len(kept) < most:
        first, left = left[0], left[1:]
        kept.append(int(first))
        same = labels[left] == labels[first]
        rivals = left[same]
        shared = _intersections(boxes[first : first + 1], boxes[rivals])[0]
        same[same] = _share(shared, sizes[first] + sizes[rivals] - shared) > iou
        left = left[~same]
    return order[kept].astype(np.int64)


def clipped(boxes: ArrayLike, *, width: float, height: float) -> Boxes:
    """The boxes (N, 4), cut to a picture of that size; one that lies outside becomes a box without area.

    boxes: (N, 4), xyxy.
    """
    boxes = _boxes(boxes)
    cut: Boxes = np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))
    return cut


def to_picture(boxes: ArrayLike, *, picture_hw: tuple[int, int], resized_hw: tuple[int, int]) -> Boxes:
    """Boxes (N, 4) of a letterboxed image in the pixels of its picture.

    boxes: (N, 4), xyxy, in pixels of the image.
    picture_hw: height and width of the picture.
    resized_hw: height and width that the picture was resized to, which the image holds in its top left corner.
    """
    boxes = _boxes(boxes)
    return boxes * _factors(picture_hw, resized_hw).astype(boxes.dtype)


def to_image(boxes: ArrayLike, *, picture_hw: tuple[int, int], resized_hw: tuple[int, int]) -> Boxes:
    """Boxes (N, 4) of a picture in the pixels of its letterboxed image: what `to_picture` turns back.

    boxes: (N, 4), xyxy, in pixels of the picture.
    picture_hw: height and width of the picture.
    resized_hw: height and width that the picture was resized to, which the image holds in its top left corner.
    """
    return to_picture(boxes, picture_hw=resized_hw, resized_hw=picture_hw)


def _boxes(boxes: ArrayLike) -> Boxes:
    array = np.asarray(boxes)
    if array.size == 0:
        array = array.reshape(0, 4)
    assert array.shape == (len(array), 4), f"boxes of shape {array.shape}, expected (N, 4)"
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def _intersections(a: Boxes, b: Boxes) -> Boxes:
    width = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    shared: Boxes = np.maximum(width, 0) * np.maximum(height, 0)  # (N, M)
    return shared


def _share(shared: Boxes, whole: Boxes) -> Boxes:
    """Their quotient; 0 where nothing is shared, since two boxes without area have no union to divide by."""
    share: Boxes = np.divide(shared, whole, out=np.zeros_like(shared), where=shared > 0)
    return share


def _factors(to_hw: tuple[int, int], from_hw: tuple[int, int]) -> NDArray[np.float64]:
    down, across = to_hw[0] / from_hw[0], to_hw[1] / from_hw[1]
    return np.array([across, down, across, down])
