"""A picture as the waves that it consists of, in colors that vary independently: what is optimised instead of pixels.

After Olah, Mordvintsev and Schubert 2017, "Feature visualization", distill.pub/2017/feature-visualization, section
"Preconditioning and parameterization". A step in pixels spends itself on the finest grain; here it changes large forms
and fine ones alike, and the three channels together, so that no colored grain appears.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_COLORS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""How the colors of photographs vary together: square root of their covariance over ImageNet, as in lucid."""
EDGE = 0.004
"""Pixels are kept this far from black and white, where no step would move them."""


class Waves(nn.Module):
    """A picture of one size as Fourier coefficients."""

    scale: Tensor
    colors: Tensor

    def __init__(self, pixels: Tensor) -> None:
        """pixels: (1, 3, H, W), 0..1."""
        super().__init__()
        self.size_hw = (pixels.shape[2], pixels.shape[3])
        self.register_buffer("scale", _scale(self.size_hw))
        colors = torch.tensor(_COLORS)
        self.register_buffer("colors", colors / colors.norm(dim=0).max())
        logits = pixels.clamp(EDGE, 1 - EDGE).logit()
        apart = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(self.colors), logits)
        waves = torch.fft.rfft2(apart, norm="ortho") / self.scale
        self.coefficients = nn.Parameter(torch.view_as_real(waves).clone())

    def forward(self) -> Tensor:
        """The picture, (1, 3, H, W), between 0 and 1."""
        waves = torch.view_as_complex(self.coefficients) * self.scale
        apart = torch.fft.irfft2(waves, s=self.size_hw, norm="ortho")
        pixels: Tensor = torch.einsum("cd,ndhw->nchw", self.colors, apart).sigmoid()
        return pixels


def _scale(size_hw: tuple[int, int]) -> Tensor:
    """(H, W // 2 + 1): what a coefficient of 1 is worth, the less the finer its wave."""
    height, width = size_hw
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequency = (down**2 + across**2).sqrt()
    scale: Tensor = 1 / frequency.clamp(min=1 / max(height, width))
    return scale
