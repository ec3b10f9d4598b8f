"""What a detector is trained towards: scores that say how well a box fits, and boxes that fit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from eyespot.detecting.assignment import Truth, assign
from eyespot.detecting.places import Places, overlap

BOX_WEIGHT = 2.0
"""Of the boxes' loss; the scores' counts once."""
NEGATIVE_WEIGHT, NEGATIVE_POWER = 0.75, 2.0
"""Places that answer for nothing count by 0.75 x score^2: Zhang and others, "VarifocalNet", arXiv:2008.13367."""


@dataclass(frozen=True)
class Loss:
    """Of a part of a batch: to be added up over all parts, then divided by `weight`."""

    total: Tensor
    weight: float
    """The sum of all target scores."""


def loss_of(logits: Tensor, distances: Tensor, places: Places, truth: Truth) -> Loss:
    """Varifocal loss on scores, generalised IoU on boxes, each place weighing as its target.

    logits: (N, L, classes). distances: (N, L, 4), in strides.
    """
    boxes = places.boxes(distances)
    scores = logits.detach().sigmoid()
    found = assign(scores, boxes.detach(), places.middles, truth)
    targets = torch.zeros_like(logits)
    targets[found.image, found.place, truth.labels[found.box]] = found.target
    weights = torch.where(targets > 0, targets, NEGATIVE_WEIGHT * scores**NEGATIVE_POWER)
    of_scores = functional.binary_cross_entropy_with_logits(logits, targets, weights, reduction="sum")
    _, fit = overlap(boxes[found.image, found.place], truth.boxes[found.box])
    of_boxes = ((1 - fit) * found.target).sum()
    return Loss(of_scores + BOX_WEIGHT * of_boxes, float(found.target.sum()))
