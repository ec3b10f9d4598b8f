"""`kernels`: the learned kernels of a network's first convolution as a picture. Of a run, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eyespot.arithmetic.maps import Mosaic, of_kernels
from eyespot.building.create import require_torch
from eyespot.building.named import is_network, read_run, with_weights
from eyespot.engine.initializers import first_kernels
from eyespot.errors import NetworkError
from eyespot.evaluate.lettering import captioned
from eyespot.files import chosen_file, write_chosen
from eyespot.records import Record


class PictureMade(Record):
    """A picture of what a network holds or computes, as `kernels` and `feature-maps` write it."""

    out: str
    stage: str
    """The convolution whose kernels are shown, or the stage whose maps are."""
    shape: tuple[int, ...]
    """Of the kernels (out, in, H, W), or of the maps (C, H, W)."""
    columns: int
    rows: int
    scaling: str
    """How numbers became colors, in words."""


def kernels(
    network: str | Path,
    *,
    out: str | Path = "kernels.png",
    weights: str | Path | None = None,
    overwrite: bool = False,
) -> PictureMade:
    """The kernels of the first convolution, each as a small picture for each channel, in the colors of feature maps.

    network: a run folder or bundle, or a network of the catalogue with its published weights.
    out: the PNG to write.
    weights: of a network of the catalogue; None for the published ones.
    overwrite: replace `out` where it exists.
    Raises NetworkError, WeightsError, BundleError, OptionError, MissingExtra.
    """
    path = chosen_file(out, ".png", option="out", overwrite=overwrite)
    if is_network(network):
        stage, values = _first_of_network(str(network), weights)
    else:
        stage, values = first_kernels(read_run(network).graph)
    axes = "kernels, channels, height, width"
    return write_mosaic(path, of_kernels(values), stage=stage, shape=values.shape, axes=axes)


def write_mosaic(path: Path, mosaic: Mosaic, *, stage: str, shape: tuple[int, ...], axes: str) -> PictureMade:
    """What was written: a picture of the stage, or of the convolution, of that name.

    axes: of the shape, in words.
    """
    caption = [stage, f"{' x '.join(map(str, shape))} ({axes})", mosaic.scaling]
    write_chosen(path, captioned(mosaic.sheet.pixels, caption))
    return PictureMade(
        out=str(path),
        stage=stage,
        shape=shape,
        columns=mosaic.sheet.columns,
        rows=mosaic.sheet.rows,
        scaling=mosaic.scaling,
    )


def _first_of_network(name: str, weights: str | Path | None) -> tuple[str, np.ndarray]:
    require_torch(f"looking into {name}")
    from torch import nn

    net = with_weights(name, weights)
    for stage, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            return stage, module.weight.detach().numpy()
    raise NetworkError(f"Network {name!r} has no convolution whose kernels could be shown.")
