"""Places, boxes and their overlap, held against numpy's and against worked numbers."""

import numpy as np
import pytest
import torch

from eyespot.detecting.places import COARSE, FINE, Places, overlap, strides_for
from eyespot.evaluate.boxes import iou


def test_places_lie_in_the_middle_of_their_squares() -> None:
    places = Places((64, 96), (16, 32))
    assert len(places.middles) == 4 * 6 + 2 * 3
    assert places.middles[0].tolist() == [8, 8]
    assert places.middles[1].tolist() == [24, 8]
    assert places.middles[24].tolist() == [16, 16]
    assert places.steps[[0, 24], 0].tolist() == [16, 32]


def test_boxes_reach_as_far_as_the_distances_say() -> None:
    places = Places((32, 32), (32,))
    [[box]] = places.boxes(torch.tensor([[[0.25, 0.5, 0.25, 0.0]]])).tolist()
    assert box == [16 - 8, 16 - 16, 16 + 8, 16]


def test_overlap_is_that_of_numpy() -> None:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 50, (2, 40, 2, 2))
    boxes = np.concatenate([corners.min(2), corners.max(2)], -1)
    found, _ = overlap(torch.tensor(boxes[0])[:, None], torch.tensor(boxes[1])[None])
    assert np.allclose(found.numpy(), iou(boxes[0], boxes[1]), atol=1e-12)


def test_generalised_overlap_of_worked_boxes() -> None:
    one, other = torch.tensor([0.0, 0, 2, 2]), torch.tensor([3.0, 0, 4, 2])
    found, generalised = overlap(one, other)  # union 4 + 2, hull 8
    assert found == 0
    assert generalised == pytest.approx(-(8 - 6) / 8)
    assert overlap(one, one)[1] == pytest.approx(1)


def test_small_boxes_bring_the_finest_map_in() -> None:
    assert strides_for([10.0] * 2 + [100.0] * 8) == FINE
    assert strides_for([40.0] * 10) == COARSE
    assert strides_for([]) == COARSE
