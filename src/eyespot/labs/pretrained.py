"""What a network that has learned from a million photos sees of the pictures: computed once for all seeds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from eyespot import machine
from eyespot.blocks import split
from eyespot.building import backbone
from eyespot.errors import DataError
from eyespot.features.images import decoded
from eyespot.labs.bench import Bench
from eyespot.records import Preprocess

SIDE = 64
"""Of the images, pixels: much less than what the network was made for, and twelve times as fast."""
TOGETHER = 64
FEATURES = "head.flat"
"""The stage that gives the features, (N, 1280): only the softmax layer comes after it."""


def tail(after: str) -> nn.Sequential:
    """What comes after that stage of EfficientNet-Lite0, with its published weights, up to the features."""
    return split(split(_network(), after=FEATURES)[0], after=after)[1]


def _network() -> nn.Sequential:
    return backbone.pretrained(machine.cache_folder()).eval()


def seen(bench: Bench, *, after: str) -> Tensor:
    """What comes out of that stage for every picture of the data set, (N, ...)."""
    once = bench.pictures.once
    if after not in once:
        trunk = split(_network(), after=after)[0]
        with torch.no_grad():
            once[after] = torch.cat([_ticked(bench, trunk, part) for part in torch.split(_images(bench), TOGETHER)])
    found: Tensor = once[after]
    return found


def _ticked(bench: Bench, trunk: nn.Module, images: Tensor) -> Tensor:
    bench.tick()
    out: Tensor = trunk(images)
    return out


def _images(bench: Bench) -> Tensor:
    """(N, 3, SIDE, SIDE), as the network takes them."""
    once = bench.pictures.once
    if "images" not in once:
        own = backbone.DEFAULT.own_preprocess
        preprocess = Preprocess.model_validate({**own.model_dump(), "short_side": SIDE, "crop_hw": (SIDE, SIDE)})
        found = decoded(bench.pictures.hashed, preprocess, folder=machine.cache_folder() / "labs")
        if found.set_aside:  # its rows would be those of other pictures
            lost = found.set_aside[0]
            raise DataError(
                f"{lost.picture} could be read when the experiment began, and now {lost.reason}: run it again"
            )
        values = (found.images - np.array(own.mean)) / np.array(own.scale)
        once["images"] = torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))
    images: Tensor = once["images"]
    return images
