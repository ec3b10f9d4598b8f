"""EfficientNet-Lite as timm has it: the names of its parts, and images on which two networks can be told apart."""

from __future__ import annotations

import torch
from torch import nn

from eyespot.blocks import Residual, taps


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


FAMILIES = {
    "resnet": "resnet18",
    "resnext": "resnext50_32x4d",
    "convnext": "convnext_atto",
    "convnextv2": "convnextv2_atto",
    "mobilenetv4": "mobilenetv4_conv_small_050",
    "mobilenetv3": "mobilenetv3_small_050",
    "efficientnet": "efficientnet_b0",
    "regnet": "regnety_002",
    "densenet": "densenet121",
    "vgg": "vgg11_bn",
    "repvgg": "repvgg_a0",
    "dla": "dla46_c",
    "hrnet": "hrnet_w18_small",
}
"""A small network of each family that is known to be a chain."""


def side_for(name: str) -> int:
    """Pixels of images that are as small as a comparison needs; VGG's first fully connected layer needs 7x7 maps."""
    return 224 if name.startswith("vgg") else 96


def every_output(theirs: nn.Module, images: torch.Tensor) -> list[tuple[str, torch.Tensor]]:
    """What each of their modules takes and gives as they run on the images, by its name, in order; tensors alone.

    What a module takes may be a sum, which no module gives.
    """
    found: list[tuple[str, torch.Tensor]] = []

    def note(name: str, output: object) -> None:
        if isinstance(output, torch.Tensor):
            found.append((name, output.clone()))  # before it is changed in place

    hooks = []
    for name, module in theirs.named_modules():
        hooks.append(module.register_forward_pre_hook(lambda _, given, name=name: note(f"into {name}", given[0])))
        hooks.append(module.register_forward_hook(lambda _, __, output, name=name: note(name, output)))
    with torch.inference_mode():
        theirs(images)
    for hook in hooks:
        hook.remove()
    return found


def stages_found(ours: nn.Sequential, theirs: nn.Module, images: torch.Tensor) -> dict[str, tuple[str, float]]:
    """For each of our stages the module of theirs that gives the same, and by how much of its spread they differ.

    Their modules are looked through in the order in which they run, each stage's after that of the stage before. A
    stage that gives what none of them gives has the difference infinity.
    """
    expected, at = every_output(theirs, images), 0
    with torch.inference_mode():
        given = taps(ours, [name for name, _ in ours.named_children()], images)
    found: dict[str, tuple[str, float]] = {}
    for stage, output in given.items():
        candidates = [
            (float((output - other).abs().max() / other.std(0).mean()), -place, name)
            for place, (name, other) in enumerate(expected)
            if place >= at and other.shape == output.shape
        ]
        difference, place, name = min(candidates, default=(float("inf"), 0, ""))
        found[stage], at = (name, difference), max(at, -place)
    return found
