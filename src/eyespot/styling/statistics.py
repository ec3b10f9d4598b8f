"""What a network sees in a picture, without where: the Gram matrices of its feature maps, and how far two are apart.

Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural networks", CVPR, equations 1 to 5. The
losses are relative: the style's is 1 at the photo and 0 at the painting, stage by stage, so that one weight fits every
network, every stage and every pair of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LEAST = 1e-3
"""Of the larger of two Gram matrices: they count as at least so different. Where they are equal, as of a photo and a
painting of one color, the relative loss would divide by nothing."""


def gram(maps: Tensor) -> Tensor:
    """The Gram matrix (C, C) of feature maps (1, C, H, W): the mean over all places of the product of each two maps."""
    flat = maps.permute(0, 2, 3, 1).flatten(0, 2)  # (H * W, C): maps whose channels lie together need no copy
    return flat.T @ flat / len(flat)


@dataclass(frozen=True)
class Targets:
    """What a picture should come near to."""

    grams: Mapping[str, Tensor]
    """Of the painting, by stage."""
    apart: Mapping[str, Tensor]
    """How far the photo is from it, squared, by stage."""
    content: Mapping[str, Tensor]
    """The photo's maps, by stage, in half of their bytes: there may be many."""
    spread: Mapping[str, Tensor]
    """The mean square of each of these around the mean of its channel."""

    @classmethod
    def of(cls, photo: Mapping[str, Tensor], grams: Mapping[str, Tensor], content: Sequence[str]) -> Targets:
        """photo: its maps by stage. grams: the painting's Gram matrices. content: the stages that hold the content."""
        apart = {}
        for stage, target in grams.items():
            own = gram(photo[stage])
            least = LEAST * torch.maximum(own.square().sum(), target.square().sum())
            apart[stage] = torch.maximum((own - target).square().sum(), least)
        spread = {stage: photo[stage].var(dim=(2, 3), correction=0).mean().clamp(min=1e-12) for stage in content}
        return cls(grams, apart, {stage: photo[stage].bfloat16() for stage in content}, spread)

    def style_by_stage(self, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How far a picture is from the painting at each stage: the photo is at 1, the painting at 0."""
        return {
            stage: (gram(maps[stage]) - target).square().sum() / self.apart[stage]
            for stage, target in self.grams.items()
        }

    def style(self, maps: Mapping[str, Tensor]) -> Tensor:
        """The mean over the stages."""
        return torch.stack([*self.style_by_stage(maps).values()]).mean()

    def content_lost(self, maps: Mapping[str, Tensor]) -> Tensor:
        """How far a picture is from the photo, which is at 0; at 1 it has lost as much as there was."""
        losses = [(maps[stage] - target).square().mean() / self.spread[stage] for stage, target in self.content.items()]
        return torch.stack(losses).mean()
