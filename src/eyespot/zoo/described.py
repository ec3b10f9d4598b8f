"""Networks that a file of Caffe describes, .prototxt: built like those of the catalogue, and remembered by a run.

A run keeps the text of the file among the network's arguments, so that it needs the file no more.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from eyespot.caffe.description import parse, read_text
from eyespot.caffe.graph import graph_of, input_chw
from eyespot.zoo.catalogue import CAFFE, Definition, is_description

if TYPE_CHECKING:
    from torch import nn

_FUNCTION = "described:from_description"


def definition(name: str) -> Definition:
    """What is known of such a network; its counts are not, before it is built.

    name: of a file; or what a run calls the network, whose images only its description tells.
    Raises NetworkError where the file cannot be read.
    """
    if not is_description(name):
        return Definition(_FUNCTION, 0, "Caffe", (0, 0, 0), 0, 0)
    text = read_text(name)
    image = input_chw(graph_of(parse(text, file=name)), name)
    return Definition(_FUNCTION, 0, f"described by {name}", image, 0, 0, MappingProxyType({"description": text}))


def name_in_runs(file: str) -> str:
    """What a run calls the network of a file: `caffe:lenet` of `nets/lenet.prototxt`."""
    return f"{CAFFE}{Path(file).stem}"


def from_description(*, description: str, classes: int | None = None) -> nn.Sequential:
    """A chain from images (N, C, H, W) to logits (N, classes).

    description: the text of a .prototxt.
    classes: None for as many as it says.
    Raises NetworkError, with the line, for what cannot be built.
    """
    from eyespot.caffe.network import network_of

    return network_of(description, file="its description", classes=classes).net
