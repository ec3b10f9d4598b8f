"""The largest number of each map of a layer, and where it stands, for many images at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eyespot.arithmetic.table import INPUT
from eyespot.errors import NetworkError


@dataclass(frozen=True)
class Peaks:
    """The largest numbers of the maps of one layer."""

    values: NDArray[np.float32]
    """(N, maps)."""
    places: NDArray[np.int32]
    """(N, maps, 2), row and column of the first of the largest ones; 0 and 0 in a vector."""
    flat: NDArray[np.bool_]
    """(N, maps), true where all numbers of the map are the same."""


def peaks(net: nn.Sequential, images: Tensor, *, layer: str) -> Peaks:
    """Those of a layer. What comes behind the layer is not computed.

    net: in evaluation. images: (N, C, H, W), as the network takes them. layer: as `walk` names it.
    Raises NetworkError for a layer that the network has not, or does not come to.
    """
    with torch.inference_mode():
        return _of(images if layer == INPUT else _output(net, images, layer))


class _Reached(Exception):
    """The layer has run."""


def _output(net: nn.Sequential, images: Tensor, layer: str) -> Tensor:
    module = dict(net.named_modules()).get(layer)
    if not layer or module is None:
        raise NetworkError(f"the network has no layer {layer[:60]!r}")
    made: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> NoReturn:
        made.append(output)
        raise _Reached

    hook = module.register_forward_hook(keep)
    try:
        net(images)
    except _Reached:
        return made[0]
    finally:
        hook.remove()
    raise NetworkError(f"the network does not come to the layer {layer[:60]!r}")


def _of(output: Tensor) -> Peaks:
    """output: (N, maps, H, W), (N, maps, W) or (N, maps)."""
    count, maps, *sides = output.shape
    flat = output.reshape(count, maps, -1)  # (N, maps, H * W)
    values, places = flat.max(dim=2)
    width = sides[-1] if sides else 1
    rows_columns = torch.stack([places // width, places % width], dim=2)  # (N, maps, 2)
    return Peaks(
        values.float().numpy(),
        rows_columns.to(torch.int32).numpy(),
        (flat.min(dim=2).values == values).numpy(),
    )
