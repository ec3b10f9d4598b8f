"""Two pictures in one, and their classes in the same shares: mixup and cutmix.

Zhang et al. 2017, arXiv:1710.09412, section 2; Yun et al. 2019, arXiv:1905.04899, section 3.1. A network that is shown
three tenths of a shirt and told so is seldom too sure of itself. Both draw the share from Beta(alpha, alpha).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import betaincinv
from torch import Tensor

from eyespot.augmenting.chance import Chance
from eyespot.records import Fraction, Record


class Mixing(Record):
    """Which share of the pictures is mixed with a partner, and how. By default none is."""

    mixup_probability: Fraction = 0
    mixup_alpha: float = Field(default=0.2, gt=0, le=100)
    """Small: mostly nearly one picture or the other. 1: every share alike. The paper has 0.1 to 0.4 for ImageNet."""
    cutmix_probability: Fraction = 0
    cutmix_alpha: float = Field(default=1, gt=0, le=100)
    """1, as in the paper: every share of the area is as likely."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Mixing:
        if self.mixup_probability + self.cutmix_probability > 1:
            raise ValueError("mixup_probability and cutmix_probability must not exceed 1 together")
        return self


def mix(
    x: Tensor, targets: Tensor, partner_x: Tensor, partner_targets: Tensor, chance: Chance, mixing: Mixing
) -> tuple[Tensor, Tensor]:
    """Inputs and targets, mixed with their partners': x like x, and targets float32 (N, classes).

    x, partner_x: (N, C, H, W), images or activations; for mixup only (N, ...).
    targets, partner_targets: the share of each class in each picture, (N, classes).
    chance: of the N pictures of x; partners have no say.
    """
    assert x.shape == partner_x.shape, "every picture has a partner of its size"
    kept = _kept(x.shape, chance, mixing)  # (N, 1, H, W) or (N, 1, ...)
    share = kept.flatten(1).mean(dim=1, keepdim=True)  # (N, 1)
    kept = kept.to(x.device, x.dtype)
    share = share.to(targets.device, torch.float32)
    return x * kept + partner_x * (1 - kept), targets * share + partner_targets * (1 - share)


def _kept(shape: torch.Size, chance: Chance, mixing: Mixing) -> Tensor:
    """How much of each place stays as it is: 1 where nothing is mixed, a share in mixup, 0 in cutmix's rectangle."""
    which = chance.uniform("mixing")[:, 0]
    is_mixup = which < mixing.mixup_probability
    is_cutmix = ~is_mixup & (which < mixing.mixup_probability + mixing.cutmix_probability)
    kept = np.where(is_mixup, _beta(chance, "mixup", mixing.mixup_alpha), 1)
    kept = kept.reshape(-1, *(1 for _ in shape[1:]))  # (N, 1, ...)
    if mixing.cutmix_probability:
        _, _, height, width = shape
        cut = _rectangles(chance, mixing.cutmix_alpha, (height, width)) & is_cutmix[:, None, None]
        kept = np.where(cut[:, None], 0, kept)  # (N, 1, H, W)
    return torch.from_numpy(kept)


def _rectangles(chance: Chance, alpha: float, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """True where the partner shows, (N, H, W): a rectangle of the image's shape, cut off at the image's border."""
    side = np.sqrt(1 - _beta(chance, "cutmix", alpha))[:, None]  # (N, 1)
    middle = np.floor(chance.uniform("cutmix: middle", 2) * size_hw)  # (N, 2)
    half = np.floor(np.floor(side * size_hw) / 2)
    rows, columns = (
        (np.arange(length) >= middle[:, [axis]] - half[:, [axis]])
        & (np.arange(length) < middle[:, [axis]] + half[:, [axis]])
        for axis, length in enumerate(size_hw)
    )
    return np.asarray(rows[:, :, None] & columns[:, None, :])


def _beta(chance: Chance, what: str, alpha: float) -> NDArray[np.float64]:
    """Numbers from Beta(alpha, alpha), (N,): where its distribution function reaches a uniform number."""
    return np.asarray(betaincinv(alpha, alpha, chance.uniform(f"{what}: share")[:, 0]))
