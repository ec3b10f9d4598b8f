"""EfficientNet-Lite as timm has it: the names of its parts, and images on which two networks can be told apart."""

from __future__ import annotations

import torch
from torch import nn

from eyespot.blocks import Residual


def pictures(size: int, count: int = 4) -> torch.Tensor:
    """Noise, each image coarser than the one before: unlike plain noise, their means over all pixels differ."""
    generator = torch.Generator().manual_seed(5)
    grids = [
        torch.randn(1, 3, max(size >> level, 2), max(size >> level, 2), generator=generator) for level in range(count)
    ]
    return torch.cat([torch.nn.functional.interpolate(grid, size=(size, size), mode="nearest") for grid in grids])


def timm_names(net: nn.Sequential) -> dict[str, str]:
    """timm's name of every module, mapped to ours."""
    names = {"conv_stem": "stem.conv", "bn1": "stem.norm", "conv_head": "head.conv", "bn2": "head.norm"}
    names["classifier"] = "head.fc"
    for s in range(1, 8):
        for b, (letter, block) in enumerate(net.get_submodule(f"stage{s}").named_children()):
            ours = f"stage{s}.{letter}" + (".body" if isinstance(block, Residual) else "")
            parts = ["expand", "depth", "project"] if s > 1 else ["depth", "project"]
            convs = ["conv_pw", "conv_dw", "conv_pwl"] if s > 1 else ["conv_dw", "conv_pw"]
            for number, (part, name) in enumerate(zip(parts, convs, strict=True), start=1):
                names[f"blocks.{s - 1}.{b}.{name}"] = f"{ours}.{part}.conv"
                names[f"blocks.{s - 1}.{b}.bn{number}"] = f"{ours}.{part}.norm"
    return names
