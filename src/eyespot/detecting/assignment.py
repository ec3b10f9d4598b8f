"""Which places answer for which box: those whose answers fit it best already, in class and in place.

Task-aligned assignment: Feng, Zhong, Gao, Scott, Huang: "TOOD: Task-aligned One-stage Object Detection",
arXiv:2108.07755, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from eyespot.detecting.places import overlap

BEST = 10
"""Places for each box."""
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
"""Alpha and beta of the paper's alignment, score^alpha x overlap^beta."""
_FALLBACK = 1e-9


@dataclass(frozen=True)
class Truth:
    """The M boxes of a batch of images."""

    boxes: Tensor
    """(M, 4), pixels of the image."""
    labels: Tensor
    """(M,), class numbers."""
    images: Tensor
    """(M,), the number of each box's image in the batch."""


@dataclass(frozen=True)
class Assigned:
    """P places that answer for a box."""

    image: Tensor
    """(P,), the number of the image; then that of the place, and that of the box."""
    place: Tensor
    box: Tensor
    target: Tensor
    """(P,), the score that the place should give to the box's class, 0 to 1: the best place's is its overlap."""


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, middles: Tensor, truth: Truth) -> Assigned:
    """The places of each box: of those whose middles lie inside it, the `BEST` most aligned ones.

    A place that several boxes want goes to the one that it overlaps most. A box that no middle lies in takes the
    nearest place.

    scores: (N, L, classes), 0 to 1. boxes: (N, L, 4) as they are answered. middles: (L, 2).
    """
    count, places = scores.shape[:2]
    if not len(truth.labels):
        none = torch.zeros(0, dtype=torch.long)
        return Assigned(none, none, none, torch.zeros(0))
    inside = _inside(middles, truth.boxes)
    iou, _ = overlap(boxes[truth.images], truth.boxes[:, None])  # (M, L)
    aligned = scores[truth.images, :, truth.labels] ** SCORE_POWER * iou**OVERLAP_POWER
    aligned = torch.where(inside, aligned.clamp(min=_FALLBACK), 0.0)
    best, numbers = aligned.topk(min(BEST, places), dim=1)
    wanted = torch.zeros_like(inside).scatter_(1, numbers, best > 0)
    claims = torch.where(wanted, iou, -1.0)
    most = torch.full((count, places), -1.0).scatter_reduce_(0, truth.images[:, None].expand_as(claims), claims, "amax")
    wanted &= claims >= most[truth.images]
    aligned = torch.where(wanted, aligned, 0.0)
    highest = torch.where(wanted, iou, 0.0).amax(1, keepdim=True)
    targets = aligned / aligned.amax(1, keepdim=True).clamp(min=_FALLBACK) * highest
    box, place = wanted.nonzero(as_tuple=True)
    return Assigned(truth.images[box], place, box, targets[box, place])


def _inside(middles: Tensor, boxes: Tensor) -> Tensor:
    """Whether each place's middle lies in each box, (M, L); of a box with none, the nearest counts."""
    x, y = middles[:, 0], middles[:, 1]
    left, top, right, bottom = boxes[:, :, None].unbind(1)
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    empty = (~inside.any(1)).nonzero()[:, 0]
    centers = (boxes[empty, :2] + boxes[empty, 2:]) / 2
    inside[empty, ((middles - centers[:, None]) ** 2).sum(-1).argmin(1)] = True
    return inside
