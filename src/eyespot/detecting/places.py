"""Where a detector looks: a grid of places on each of its maps, and the boxes that are told from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Places:
    """The L places of all maps of an image, the finest map first, row by row."""

    image_hw: tuple[int, int]
    strides: tuple[int, ...]
    """Pixels of the image from one place to the next, of each map."""

    @cached_property
    def middles(self) -> Tensor:
        """(L, 2): x and y in pixels of the image."""
        grids = []
        for stride in self.strides:
            height, width = (side // stride for side in self.image_hw)
            y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
            grids.append(torch.stack([x, y], dim=-1).reshape(-1, 2) * stride)
        return torch.cat(grids)

    @cached_property
    def steps(self) -> Tensor:
        """(L, 1): the stride of each place's map, pixels."""
        counts = [(self.image_hw[0] // stride) * (self.image_hw[1] // stride) for stride in self.strides]
        return torch.cat([torch.full((n, 1), float(stride)) for n, stride in zip(counts, self.strides, strict=True)])

    def boxes(self, distances: Tensor) -> Tensor:
        """Boxes (N, L, 4), left, top, right and bottom in pixels of the image.

        distances: (N, L, 4), from each place's middle to the box's four sides, in strides.
        """
        reach = distances * self.steps
        return torch.cat([self.middles - reach[..., :2], self.middles + reach[..., 2:]], dim=-1)


def overlap(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of pairs of boxes (..., 4), and its generalised form, which is negative where they are
    apart, the further the lower; Rezatofighi and others, arXiv:1902.09630."""
    inner = _area(torch.maximum(boxes[..., :2], others[..., :2]), torch.minimum(boxes[..., 2:], others[..., 2:]))
    outer = _area(torch.minimum(boxes[..., :2], others[..., :2]), torch.maximum(boxes[..., 2:], others[..., 2:]))
    union = _area(boxes[..., :2], boxes[..., 2:]) + _area(others[..., :2], others[..., 2:]) - inner
    iou = inner / union.clamp(min=1e-9)
    return iou, iou - (outer - union) / outer.clamp(min=1e-9)


def _area(top_left: Tensor, bottom_right: Tensor) -> Tensor:
    width, height = (bottom_right - top_left).clamp(min=0).unbind(-1)
    return width * height


def strides_for(shorter_sides: Sequence[float]) -> tuple[int, ...]:
    """The strides of the maps that are looked at, for boxes whose shorter sides are these, pixels of the image."""
    small = float(torch.tensor(sorted(shorter_sides)).quantile(SMALL_SHARE)) if len(shorter_sides) else SMALL_SIDE
    return FINE if small < SMALL_SIDE else COARSE


SMALL_SHARE, SMALL_SIDE = 0.1, 24.0
"""Where a tenth of all boxes is narrower than so many pixels of the image, the finest map is looked at, too: a step
takes three times as long."""
FINE, COARSE = (8, 16, 32), (16, 32)
