"""`summary`: the arithmetic of a network, layer by layer, without running it; and its drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.arithmetic.table import Chain, Layer, Total, flat, stages, total
from eyespot.errors import OptionError
from eyespot.files import write_chosen
from eyespot.names import printable
from eyespot.records import Record

if TYPE_CHECKING:
    from torch import nn

LARGEST_SIDE = 100_000
"""Pixels: beyond any picture."""


class Summary(Record):
    """The arithmetic of a network, for one image."""

    network: str
    input: tuple[int, int, int]
    """Channels, height and width, pixels."""
    total: Total
    stages: tuple[Layer, ...]
    """The layers folded to stages, with sums."""
    layers: tuple[Layer, ...]
    drawing: str | None
    """The SVG file that was written."""


def summary(
    network: str | Path | nn.Sequential,
    *,
    input_chw: tuple[int, int, int] | None = None,
    imgsz: int | tuple[int, int] | None = None,
    classes: int | None = None,
    draw: str | Path | None = None,
) -> Summary:
    """Shapes, parameters, multiply-adds, memory and receptive field of every layer, of every stage, and in total.

    network: a name of the catalogue, a file of Caffe (FILE.prototxt), a run folder or bundle, or a chain of your own.
    input_chw: channels, height and width of the image; needed for your own chain.
    imgsz: another size of the image, one number or (height, width), pixels.
    classes: of a network of the catalogue; None for as many as it is published with.
    draw: an SVG file to write.
    Raises NetworkError if the network is unknown or cannot take the image, BundleError, OptionError, MissingExtra.
    """
    name, traced, shape = _traced(network, input_chw, imgsz, classes)
    layers = list(flat(traced))
    if draw is not None:
        from eyespot.arithmetic.drawing import drawing

        write_chosen(Path(draw), drawing(traced, title=printable(name)).encode())
    return Summary(
        network=name,
        input=shape,
        total=total(traced),
        stages=tuple(stages(layers)),
        layers=tuple(layers),
        drawing=None if draw is None else str(draw),
    )


def _traced(
    network: str | Path | nn.Sequential,
    input_chw: tuple[int, int, int] | None,
    imgsz: int | tuple[int, int] | None,
    classes: int | None,
) -> tuple[str, Chain, tuple[int, int, int]]:
    from eyespot.building.named import named_network

    if isinstance(network, str | Path):
        found = named_network(network, classes=classes)
        name, net, shape = found.name, found.net, input_chw or found.input_chw
    elif input_chw is None:
        raise OptionError("a chain of your own needs input_chw, the channels, height and width of its images")
    else:
        name, net, shape = type(network).__name__, network, input_chw
    if imgsz is not None:
        shape = (shape[0], *((imgsz, imgsz) if isinstance(imgsz, int) else imgsz))
    for side in shape:
        if not 1 <= side <= LARGEST_SIDE:
            raise OptionError(f"an image cannot be {shape[1]} x {shape[2]} px: give 1 to {LARGEST_SIDE} for each side")
    from eyespot.arithmetic.trace import trace

    return name, trace(net, shape), shape
