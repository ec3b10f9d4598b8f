"""New layers in words, such as "conv 3x3 128, pool, fc 64": what may be said, read without torch so that a mistake is
told at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from eyespot.errors import OptionError
from eyespot.words import nearest

EXAMPLE = "conv 3x3 128, pool, fc 64"
MOST_LAYERS = 32
MOST_CHANNELS = 4096
MOST_UNITS = 65_536
MOST_STRIDE = 8


@dataclass(frozen=True)
class Conv:
    """A convolution that keeps the size of the map, but for its stride; then BatchNorm and ReLU."""

    kernel_hw: tuple[int, int]
    """Height and width, odd."""
    channels: int
    stride: int = 1

    def __str__(self) -> str:
        return f"conv {_by(self.kernel_hw)} {self.channels}{f' stride {self.stride}' * (self.stride > 1)}"


@dataclass(frozen=True)
class Pool:
    """The largest value of each window; windows do not overlap."""

    kernel_hw: tuple[int, int] = (2, 2)

    def __str__(self) -> str:
        return f"pool {_by(self.kernel_hw)}"


@dataclass(frozen=True)
class AveragePool:
    """The mean of each map."""

    def __str__(self) -> str:
        return "avgpool"


@dataclass(frozen=True)
class FullyConnected:
    """A fully connected layer, then ReLU."""

    units: int

    def __str__(self) -> str:
        return f"fc {self.units}"


@dataclass(frozen=True)
class Dropout:
    """In training, a share of the values is set to zero, others in each step."""

    share: float

    def __str__(self) -> str:
        return f"dropout {self.share:g}"


OnMaps = Conv | Pool | AveragePool
Layer = OnMaps | FullyConnected | Dropout


def parse_tail(text: str) -> tuple[Layer, ...]:
    """The layers that a text names, in order.

    text: layers with commas between them, in capitals or not: `conv 3x3 128`, `conv 3x3 128 stride 2`, `pool` (2x2),
    `pool 3`, `avgpool`, `fc 64`, `dropout 0.5`. `3` is short for `3x3`.
    Raises OptionError for what is no such text, and for a conv or pool after an fc, where no map is left.
    """
    pieces = [" ".join(piece.split()) for piece in text.split(",")]
    if not any(pieces):
        raise OptionError(f"the option replace_tail is empty: name new layers, such as {EXAMPLE!r}")
    if len(pieces) > MOST_LAYERS:
        raise OptionError(f"the option replace_tail has {len(pieces)} layers: give at most {MOST_LAYERS}")
    layers = tuple(_layer(piece) for piece in pieces)
    _require_order(layers)
    return layers


def _layer(piece: str) -> Layer:
    if not piece:
        raise OptionError("the option replace_tail has a comma without a layer before or after it: leave it out")
    word = re.match("[a-z]*", piece.lower())
    assert word is not None
    if word[0] not in _FORMS:
        said = word[0] or piece.split()[0]
        raise OptionError(
            f"the option replace_tail cannot have {piece!r}: there is no layer {said!r}; {nearest(said, _FORMS)}"
        )
    form, make, wanted = _FORMS[word[0]]
    found = re.fullmatch(form, piece.lower())
    layer = make(*found.groups()) if found else None
    if layer is None:
        raise OptionError(f"the option replace_tail cannot have {piece!r}: {wanted}")
    return layer


def _conv(height: str, width: str | None, channels: str, stride: str | None) -> Conv | None:
    made = Conv((int(height), int(width or height)), int(channels), int(stride or 1))
    odd = all(size % 2 for size in made.kernel_hw)
    return made if odd and 1 <= made.channels <= MOST_CHANNELS and 1 <= made.stride <= MOST_STRIDE else None


def _pool(height: str | None, width: str | None) -> Pool | None:
    made = Pool() if height is None else Pool((int(height), int(width or height)))
    return made if min(made.kernel_hw) >= 1 else None


def _fully_connected(units: str) -> FullyConnected | None:
    return FullyConnected(int(units)) if 1 <= int(units) <= MOST_UNITS else None


def _dropout(share: str) -> Dropout | None:
    return Dropout(float(share)) if 0 < float(share) < 1 else None


_NUMBER = r"([0-9]{1,9})"  # no more digits than a number that is refused with its reason may have
_SIZES = rf"{_NUMBER}(?: ?x ?{_NUMBER})?"
_FORMS: dict[str, tuple[str, Callable[..., Layer | None], str]] = {
    "conv": (
        rf"conv ?{_SIZES} {_NUMBER}(?: ?stride ?{_NUMBER})?",
        _conv,
        f"give an odd kernel and 1 to {MOST_CHANNELS} channels, such as conv 3x3 128; a stride of 1 to {MOST_STRIDE} "
        "may follow, such as conv 3x3 128 stride 2",
    ),
    "pool": (rf"pool(?: ?{_SIZES})?", _pool, "write pool alone for windows of 2x2, or give their size, such as pool 3"),
    "avgpool": ("avgpool", AveragePool, "write avgpool alone: it is the mean of each whole map"),
    "fc": (rf"fc ?{_NUMBER}", _fully_connected, f"give the number of units, 1 to {MOST_UNITS}, such as fc 64"),
    "dropout": (
        r"dropout ?([0-9]{0,9}\.?[0-9]{1,9})",
        _dropout,
        "give the share that is dropped, above 0 and below 1, such as dropout 0.5",
    ),
}
"""For each word its form, where one space stands for any number of them, what it makes, and what is wanted."""


def _require_order(layers: tuple[Layer, ...]) -> None:
    flat: FullyConnected | None = None
    for layer in layers:
        if isinstance(layer, FullyConnected):
            flat = flat or layer
        elif flat and isinstance(layer, OnMaps):
            raise OptionError(
                f"the option replace_tail cannot have {str(layer)!r} after {str(flat)!r}, which leaves no map: put it "
                "before the first fc"
            )


def _by(size_hw: tuple[int, int]) -> str:
    return f"{size_hw[0]}x{size_hw[1]}"
