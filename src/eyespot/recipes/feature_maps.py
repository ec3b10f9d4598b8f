"""`feature-maps`: what a stage of a network makes of one picture, as a grid of small pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot.arithmetic.maps import of_maps
from eyespot.building.create import require_torch
from eyespot.building.named import (
    bundle_with_weights,
    is_network,
    preprocess_of,
    read_run,
    with_weights,
)
from eyespot.data.pictures import naming, read_image, read_named
from eyespot.data.ranges import levels_of
from eyespot.errors import NetworkError, OptionError
from eyespot.files import chosen_file
from eyespot.recipes.kernels import PictureMade, write_mosaic
from eyespot.records import Preprocess

if TYPE_CHECKING:
    from torch import nn

SCALES = ("each", "together")


def feature_maps(
    network: str | Path,
    picture: str | Path,
    *,
    stage: str,
    out: str | Path,
    scale: str = "each",
    weights: str | Path | None = None,
    overwrite: bool = False,
) -> PictureMade:
    """The maps of one stage for one picture, which is prepared as the network's weights expect it.

    network: a run folder or bundle, or a network of the catalogue with its published weights.
    stage: its name, dotted for a nested one: "stage3", "stage4.d".
    out: the PNG to write.
    scale: "each" gives every map its own colors, "together" one scale to all.
    weights: of a network of the catalogue; None for the published ones.
    overwrite: replace `out` where it exists.
    Raises NetworkError, with the nearest name, for an unknown network or stage; WeightsError, BundleError, DataError,
    OptionError, MissingExtra.
    """
    if scale not in SCALES:
        raise OptionError(f"the option scale cannot be {scale!r}: give each or together")
    path = chosen_file(out, ".png", option="out", overwrite=overwrite)
    require_torch(f"looking into {network}")
    net, preprocess = _opened(network, weights)
    maps = _maps(net, stage, _image(picture, preprocess, learned=not is_network(network)))
    mosaic = of_maps(maps, together=scale == "together" or maps.shape[1:] == (1, 1))
    return write_mosaic(path, mosaic, stage=stage, shape=maps.shape, axes="channels, height, width")


def _opened(network: str | Path, weights: str | Path | None) -> tuple[nn.Sequential, Preprocess]:
    """The network with its weights, and how they expect pictures to be prepared."""
    if is_network(network):
        return with_weights(str(network), weights), preprocess_of(str(network), weights)
    bundle = read_run(network)
    return bundle_with_weights(bundle), bundle.manifest.preprocess


def _image(picture: str | Path, preprocess: Preprocess, *, learned: bool) -> np.ndarray:
    """The picture as the network sees it, (C, H, W).

    learned: from pictures of one's own, which decide what is black and white in it.
    """
    name, data = read_named(picture)
    if not learned:
        preprocess = preprocess.model_copy(update={"levels": levels_of(data)})
    with naming(name):
        pixels = read_image(data, preprocess)
    image = (pixels - np.array(preprocess.mean)) / np.array(preprocess.scale)  # (H, W, C)
    return np.asarray(image.transpose(2, 0, 1), np.float32)  # (C, H, W)


def _maps(net: nn.Sequential, stage: str, image: np.ndarray) -> np.ndarray:
    """What the stage gives, (C, H, W); a vector as maps of one pixel each."""
    import torch

    from eyespot.blocks import taps

    with torch.inference_mode():
        found = taps(net.eval(), [stage], torch.from_numpy(image)[None])[stage][0]
    if found.dim() not in (1, 3):
        raise NetworkError(f"Stage {stage!r} gives {tuple(found.shape)}, which are no feature maps.")
    maps: np.ndarray = found.reshape(len(found), *(found.shape[1:] or (1, 1))).numpy()
    if not np.isfinite(maps).all():
        raise NetworkError(f"what stage {stage!r} makes of this picture is no number, so it cannot be drawn")
    return maps
